#pragma once
// Lua scripts: whether Envoy's Lua can read one and run its top level, which is what Envoy does with it first. A script that fails
// there makes Envoy refuse its Listeners; one that never ends would hang it.

#include <string>

namespace emissary::model {

/// Why the script cannot be given to Envoy, or "". Its top level is run, within limits and without a way to reach files, the clock,
/// the environment or other code; a script that asks for one of these is let pass, since what it does then cannot be told.
std::string luaProblem(const std::string& script);

}  // namespace emissary::model
