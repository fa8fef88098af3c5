#pragma once
// Settings of a cluster: what an object says, and what the Module says where it says nothing.

#include <optional>
#include <string>

#include "compile/upstream.h"
#include "model/module.h"

namespace emissary::compile {

/// What counts for the cluster. Of a load_balancer only the policy does: what requests are hashed by is their route's.
ir::UpstreamPolicy upstreamPolicy(const UpstreamRequest& request, const model::Module& module, bool load_balancers);

/// The load_balancer in force: the object's own, else the Module's.
std::optional<model::LoadBalancer> loadBalancerOf(const UpstreamRequest& request, const model::Module& module, bool load_balancers);

/// What upstream's cluster names tell of these: "_cbhc3_cbnr7_er-ring_hash-cookie-seat", "" for none.
std::string policyTags(const ir::UpstreamPolicy& policy, const std::optional<model::LoadBalancer>& balancer);

/// What an object itself asks for, as far as a cluster's name does not tell it; where it only repeats what holds without it, it is
/// not here. A cluster's name hangs on this alone, so that the Module's changes rename nothing.
struct OwnSettings {
  bool http2 = false;
  std::optional<int64_t> connect_timeout_ms;
  std::string stats_name;
  std::optional<bool> endpoints;  // the resolver
  std::string tls_context;
  std::optional<model::Keepalive> keepalive;
  std::optional<int64_t> idle_timeout_ms;
  std::optional<int64_t> max_connection_lifetime_ms;
  std::vector<model::HealthCheck> health_checks;
  std::optional<model::OutlierDetection> outlier_detection;
  bool logical_dns = false;
  bool dns_type_given = false;
  bool respect_dns_ttl = false;
  std::optional<bool> enable_ipv4;
  std::optional<bool> enable_ipv6;

  auto fields() const {
    return std::tie(http2, connect_timeout_ms, stats_name, endpoints, tls_context, keepalive, idle_timeout_ms,
                    max_connection_lifetime_ms, health_checks, outlier_detection, logical_dns, dns_type_given, respect_dns_ttl,
                    enable_ipv4, enable_ipv6);
  }
  auto operator<=>(const OwnSettings&) const = default;
};
OwnSettings ownSettings(const UpstreamRequest& request, const model::Module& module);

constexpr int64_t kDefaultConnectTimeoutMs = 3000;

/// Unless it says what is so without it, whatever the Module says.
template <typename T>
void keepOwn(std::optional<T>& kept, const std::optional<T>& asked, const T& standard, const T& module) {
  if (asked && (*asked != standard || *asked != module)) kept = asked;
}

}  // namespace emissary::compile
