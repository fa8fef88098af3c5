#pragma once
// Which Mappings a Host takes.

#include <string>
#include <utility>
#include <vector>

#include "ir/ir.h"

namespace emissary::compile {

/// `host_match` and `labels` (as far as selectors ask for them) of a group of Mappings. A Host with a mappingSelector takes what
/// the selector and, where the Mapping names hosts, also the host name allows; one without takes what the host name allows. A
/// Mapping with neither belongs to nobody.
bool takes(const ir::Host& host, const ir::HostMatch& host_match, const std::vector<std::pair<std::string, std::string>>& labels);

}  // namespace emissary::compile
