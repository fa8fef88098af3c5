#pragma once
// envoy.config.cluster.v3.Cluster and envoy.config.endpoint.v3.ClusterLoadAssignment.

#include <string>
#include <vector>

#include "compile/endpoints.h"
#include "generate/generated.h"
#include "ir/ir.h"

namespace emissary::generate {

Generated cluster(const std::string& name, const ir::Upstream& upstream, const ir::Discovery& found);

Generated clusterLoadAssignment(const std::string& name, const std::vector<compile::Address>& addresses);

}  // namespace emissary::generate
