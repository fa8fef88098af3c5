#pragma once
// The concerns of a Cluster, one file each. Only for .cc files of generate/.

#include "ir/ir.h"

namespace envoy::config::cluster::v3 {
class Cluster;
}

namespace emissary::generate {

void clusterTls(const ir::Upstream& upstream, envoy::config::cluster::v3::Cluster& out);
void clusterHealth(const ir::Upstream& upstream, envoy::config::cluster::v3::Cluster& out);
/// Circuit breakers, keepalive, and what HTTP to it is like.
void clusterConnections(const ir::Upstream& upstream, envoy::config::cluster::v3::Cluster& out);

}  // namespace emissary::generate
