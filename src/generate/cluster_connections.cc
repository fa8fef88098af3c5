// Connections of a cluster: how many, how long, and what is spoken on them.

#include <envoy/config/cluster/v3/circuit_breaker.pb.h>
#include <envoy/config/cluster/v3/cluster.pb.h>
#include <envoy/extensions/upstreams/http/v3/http_protocol_options.pb.h>

#include "generate/any.h"
#include "generate/cluster_parts.h"
#include "generate/common.h"
#include "generate/preserve_case.h"

namespace emissary::generate {
namespace {

namespace cluster_v3 = envoy::config::cluster::v3;
using model::CircuitBreaker;

void circuitBreakers(const std::vector<CircuitBreaker>& breakers, cluster_v3::CircuitBreakers* out) {
  for (const CircuitBreaker& breaker : breakers) {
    auto* limits = out->add_thresholds();
    if (breaker.priority == CircuitBreaker::Priority::High) limits->set_priority(envoy::config::core::v3::HIGH);
    if (breaker.max_connections) limits->mutable_max_connections()->set_value(*breaker.max_connections);
    if (breaker.max_pending_requests) limits->mutable_max_pending_requests()->set_value(*breaker.max_pending_requests);
    if (breaker.max_requests) limits->mutable_max_requests()->set_value(*breaker.max_requests);
    if (breaker.max_retries) limits->mutable_max_retries()->set_value(*breaker.max_retries);
  }
}

void keepalive(const model::Keepalive& keepalive, envoy::config::core::v3::TcpKeepalive* out) {
  if (keepalive.time) out->mutable_keepalive_time()->set_value(*keepalive.time);
  if (keepalive.interval) out->mutable_keepalive_interval()->set_value(*keepalive.interval);
  if (keepalive.probes) out->mutable_keepalive_probes()->set_value(*keepalive.probes);
}

void httpOptions(const ir::Upstream& upstream, cluster_v3::Cluster& out) {
  const ir::UpstreamPolicy& policy = *upstream.policy;
  const bool preserve_case = policy.preserve_case && !upstream.http2;
  if (!upstream.http2 && !preserve_case && !policy.idle_timeout_ms && !policy.max_connection_lifetime_ms) return;
  envoy::extensions::upstreams::http::v3::HttpProtocolOptions options;
  if (upstream.http2) {
    options.mutable_explicit_http_config()->mutable_http2_protocol_options();
  } else {
    auto* http1 = options.mutable_explicit_http_config()->mutable_http_protocol_options();
    if (preserve_case) preserveCase(*http1);
  }
  auto* common = options.mutable_common_http_protocol_options();
  if (policy.idle_timeout_ms) setMillis(*policy.idle_timeout_ms, common->mutable_idle_timeout());
  if (policy.max_connection_lifetime_ms.value_or(0) > 0) {
    setMillis(*policy.max_connection_lifetime_ms, common->mutable_max_connection_duration());
  }
  if (!policy.idle_timeout_ms && !common->has_max_connection_duration()) options.clear_common_http_protocol_options();
  auto& any = (*out.mutable_typed_extension_protocol_options())["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"];
  packAny(options, &any);
}

}  // namespace

void clusterConnections(const ir::Upstream& upstream, cluster_v3::Cluster& out) {
  const ir::UpstreamPolicy& policy = *upstream.policy;
  setMillis(upstream.connect_timeout_ms, out.mutable_connect_timeout());
  if (!policy.circuit_breakers.empty()) circuitBreakers(policy.circuit_breakers, out.mutable_circuit_breakers());
  if (policy.keepalive) keepalive(*policy.keepalive, out.mutable_upstream_connection_options()->mutable_tcp_keepalive());
  httpOptions(upstream, out);
}

}  // namespace emissary::generate
