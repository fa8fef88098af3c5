#pragma once
// ${NAME} in an object: what the environment's variable NAME says. It counts in few places, so that neither regular expressions are
// corrupted nor secrets leak: in the texts of `service`, `hostname` and `address` under spec, and in those of a Module's config,
// regular expressions, scripts and log formats in it excepted. Pure, any thread.

#include <string_view>

#include "manifest/value.h"
#include "model/fields.h"
#include "model/parse.h"

namespace emissary::model {

/// False for a name that tells of a secret (TOKEN, PASSWORD …); such a variable is never used.
bool mayExpand(std::string_view name);

/// Whether there is anything to expand; costs less than expanding.
bool holdsVariables(const manifest::Value& document, Kind kind);

/// A name without a variable stays as written, which `report` is told.
void expandVariables(manifest::Value& document, Kind kind, const Variables& variables, Report& report);

}  // namespace emissary::model
