#pragma once
// A route's policy as part of the IR's JSON. Pure.

#include <nlohmann/json_fwd.hpp>

#include "ir/ir.h"

namespace emissary::engine {

void addPolicy(const ir::RoutePolicy& policy, nlohmann::ordered_json& out);

}  // namespace emissary::engine
