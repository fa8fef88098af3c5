#include "compile/upstream_policy.h"

#include <fmt/format.h>

namespace emissary::compile {
namespace {

using model::CircuitBreaker;
using model::LoadBalancer;

std::string tag(const CircuitBreaker& breaker) {
  std::string out = "_cb";
  switch (breaker.priority) {
    case CircuitBreaker::Priority::Unset: out += 'n'; break;
    case CircuitBreaker::Priority::Default: out += 'd'; break;
    case CircuitBreaker::Priority::High: out += 'h'; break;
  }
  const auto append = [&](char letter, const std::optional<uint32_t>& limit) {
    if (limit) out += fmt::format("{}{}", letter, *limit);
  };
  append('c', breaker.max_connections);
  append('p', breaker.max_pending_requests);
  append('r', breaker.max_requests);
  append('t', breaker.max_retries);
  return out;
}

std::string tag(const LoadBalancer& balancer) {
  static constexpr std::string_view kPolicies[] = {"round_robin", "least_request", "ring_hash", "maglev"};
  std::string out = fmt::format("_er-{}", kPolicies[static_cast<size_t>(balancer.policy)]);
  switch (balancer.hash_by) {
    case LoadBalancer::HashBy::Nothing: break;
    case LoadBalancer::HashBy::Cookie: out += "-cookie-" + balancer.name; break;
    case LoadBalancer::HashBy::Header: out += "-hdr-" + balancer.name; break;
    case LoadBalancer::HashBy::SourceIp: out += "-srcip"; break;
  }
  return out;
}

}  // namespace

std::optional<LoadBalancer> loadBalancerOf(const UpstreamRequest& request, const model::Module& module, bool load_balancers) {
  if (!load_balancers) return std::nullopt;
  return request.policy->load_balancer ? request.policy->load_balancer : module.load_balancer;
}

ir::UpstreamPolicy upstreamPolicy(const UpstreamRequest& request, const model::Module& module, bool load_balancers) {
  const model::MappingPolicy& own = *request.policy;
  ir::UpstreamPolicy out;
  out.circuit_breakers = own.circuit_breakers.value_or(module.circuit_breakers);
  if (const auto balancer = loadBalancerOf(request, module, load_balancers)) {
    out.load_balancer.emplace();
    out.load_balancer->policy = balancer->policy;
  }
  out.keepalive = own.keepalive ? own.keepalive : module.keepalive;
  if (out.keepalive == model::Keepalive{}) out.keepalive.reset();  // says nothing, unless that the Module's does not count
  out.idle_timeout_ms = own.cluster_idle_timeout_ms ? own.cluster_idle_timeout_ms : module.cluster_idle_timeout_ms;
  out.max_connection_lifetime_ms =
      own.cluster_max_connection_lifetime_ms ? own.cluster_max_connection_lifetime_ms : module.cluster_max_connection_lifetime_ms;
  out.health_checks = own.health_checks;
  out.outlier_detection = own.outlier_detection;
  out.dns_type_given = own.dns_type_given;
  out.logical_dns = own.logical_dns;
  out.respect_dns_ttl = own.respect_dns_ttl;
  out.ipv4 = own.enable_ipv4.value_or(module.enable_ipv4);
  out.ipv6 = own.enable_ipv6.value_or(module.enable_ipv6);
  out.preserve_case = module.http.preserve_case;
  return out;
}

std::string policyTags(const ir::UpstreamPolicy& policy, const std::optional<LoadBalancer>& balancer) {
  std::string out;
  for (const CircuitBreaker& breaker : policy.circuit_breakers) out += tag(breaker);
  if (balancer) out += tag(*balancer);
  return out;
}

OwnSettings ownSettings(const UpstreamRequest& request, const model::Module& module) {
  const model::MappingPolicy& own = *request.policy;
  OwnSettings out;
  out.http2 = request.http2;
  keepOwn(out.connect_timeout_ms, request.connect_timeout_ms, kDefaultConnectTimeoutMs, kDefaultConnectTimeoutMs);
  out.stats_name = request.stats_name;
  keepOwn(out.keepalive, own.keepalive, {}, module.keepalive.value_or(model::Keepalive{}));
  out.idle_timeout_ms = own.cluster_idle_timeout_ms;
  out.max_connection_lifetime_ms = own.cluster_max_connection_lifetime_ms;
  out.health_checks = own.health_checks;
  out.outlier_detection = own.outlier_detection;
  out.logical_dns = own.logical_dns;
  out.dns_type_given = own.dns_type_given;
  out.respect_dns_ttl = own.respect_dns_ttl;
  keepOwn(out.enable_ipv4, own.enable_ipv4, true, module.enable_ipv4);
  keepOwn(out.enable_ipv6, own.enable_ipv6, false, module.enable_ipv6);
  return out;
}

}  // namespace emissary::compile
