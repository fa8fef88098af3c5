#pragma once
// Lua scripts: whether they parse, with the same parser as Envoy's. Nothing is run.

#include <string>

namespace emissary::model {

/// Why the script does not parse, or "".
std::string luaProblem(const std::string& script);

}  // namespace emissary::model
