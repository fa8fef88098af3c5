#pragma once
// The settings of a cluster as `compile --output ir` shows them: only those that differ from their defaults.

#include <nlohmann/json_fwd.hpp>

#include "ir/ir.h"

namespace emissary::engine {

void describeUpstream(const ir::Upstream& upstream, nlohmann::ordered_json& out);

}  // namespace emissary::engine
