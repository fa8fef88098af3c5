#include "generate/tcp_proxy.h"

#include "generate/common.h"

namespace emissary::generate {

envoy::extensions::filters::network::tcp_proxy::v3::TcpProxy tcpProxy(const ir::TcpProxy& proxy) {
  envoy::extensions::filters::network::tcp_proxy::v3::TcpProxy out;
  out.set_stat_prefix(proxy.stat_prefix);
  for (const ir::TcpProxy::Target& target : proxy.targets) {
    auto* cluster = out.mutable_weighted_clusters()->add_clusters();
    cluster->set_name(target.cluster);
    cluster->set_weight(target.weight);
  }
  if (proxy.idle_timeout_ms) setMillis(*proxy.idle_timeout_ms, out.mutable_idle_timeout());
  return out;
}

}  // namespace emissary::generate
