#pragma once
// Which Mappings a Host takes.

#include <string>
#include <utility>
#include <vector>

#include "ir/ir.h"
#include "model/object.h"

namespace emissary::compile {

/// `host_match` and `labels` (as far as selectors ask for them) of a group of Mappings. A Host with a mappingSelector takes what
/// the selector and, where the Mapping names hosts, also the host name allows; one without takes what the host name allows. A
/// Mapping with neither belongs to nobody.
/// With `strict` false (DISABLE_STRICT_LABEL_SELECTORS) either of the two is enough.
bool takes(const ir::Host& host, const ir::HostMatch& host_match, const std::vector<std::pair<std::string, std::string>>& labels,
           bool strict = true);

/// Not `strict`: one equal label of matchLabels is enough.
bool selects(const model::LabelSelector& selector, const Labels& labels, bool strict);

}  // namespace emissary::compile
