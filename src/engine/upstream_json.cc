#include "engine/upstream_json.h"

#include <nlohmann/json.hpp>

namespace emissary::engine {
namespace {

using Json = nlohmann::ordered_json;

template <typename T>
void put(Json& out, const char* name, const std::optional<T>& value) {
  if (value) out[name] = *value;
}

template <typename T>
void putUnlessEmpty(Json& out, const char* name, const T& value) {
  if (!value.empty()) out[name] = value;
}

Json json(const ir::TlsOrigination& tls) {
  Json out = {{"sni", tls.sni}};
  if (!tls.secret_name.empty()) out["secret"] = tls.secret_namespace + "/" + tls.secret_name;
  if (!tls.ca_name.empty()) out["ca"] = tls.ca_namespace + "/" + tls.ca_name;
  if (!tls.crl_name.empty()) out["crl"] = tls.crl_namespace + "/" + tls.crl_name;
  putUnlessEmpty(out, "verify_name", tls.verify_name);
  putUnlessEmpty(out, "min_version", tls.settings.min_version);
  putUnlessEmpty(out, "max_version", tls.settings.max_version);
  putUnlessEmpty(out, "cipher_suites", tls.settings.cipher_suites);
  putUnlessEmpty(out, "ecdh_curves", tls.settings.ecdh_curves);
  putUnlessEmpty(out, "alpn_protocols", tls.settings.alpn_protocols);
  return out;
}

Json json(const model::CircuitBreaker& breaker) {
  Json out = {{"priority", breaker.priority == model::CircuitBreaker::Priority::High ? "high" : "default"}};
  put(out, "max_connections", breaker.max_connections);
  put(out, "max_pending_requests", breaker.max_pending_requests);
  put(out, "max_requests", breaker.max_requests);
  put(out, "max_retries", breaker.max_retries);
  return out;
}

Json json(const model::Keepalive& keepalive) {
  Json out = Json::object();
  put(out, "time", keepalive.time);
  put(out, "interval", keepalive.interval);
  put(out, "probes", keepalive.probes);
  return out;
}

Json json(const model::HealthCheck& check) {
  Json out = {{"timeout_ms", check.timeout_ms},
              {"interval_ms", check.interval_ms},
              {"healthy_threshold", check.healthy_threshold},
              {"unhealthy_threshold", check.unhealthy_threshold}};
  if (check.grpc) {
    out["grpc"] = check.grpc_name;
  } else {
    out["path"] = check.path;
  }
  putUnlessEmpty(out, "hostname", check.hostname);
  for (const model::HeaderValue& header : check.add_request_headers) out["add_request_headers"][header.name] = header.value;
  putUnlessEmpty(out, "remove_request_headers", check.remove_request_headers);
  for (const auto& range : check.expected_statuses) out["expected_statuses"].push_back({range.min, range.max});
  return out;
}

Json json(const model::OutlierDetection& outliers) {
  Json out = Json::object();
  put(out, "consecutive_5xx", outliers.consecutive_5xx);
  put(out, "consecutive_gateway_failure", outliers.consecutive_gateway_failure);
  put(out, "consecutive_local_origin_failure", outliers.consecutive_local_origin_failure);
  put(out, "interval_ms", outliers.interval_ms);
  put(out, "base_ejection_time_ms", outliers.base_ejection_time_ms);
  put(out, "max_ejection_time_ms", outliers.max_ejection_time_ms);
  put(out, "max_ejection_percent", outliers.max_ejection_percent);
  if (outliers.split_external_local_origin_errors) out["split_external_local_origin_errors"] = true;
  return out;
}

const char* policyName(model::LoadBalancer::Policy policy) {
  switch (policy) {
    case model::LoadBalancer::Policy::RoundRobin: return "round_robin";
    case model::LoadBalancer::Policy::LeastRequest: return "least_request";
    case model::LoadBalancer::Policy::RingHash: return "ring_hash";
    case model::LoadBalancer::Policy::Maglev: return "maglev";
  }
  return "";
}

}  // namespace

void describeUpstream(const ir::Upstream& upstream, Json& out) {
  const ir::UpstreamPolicy& policy = *upstream.policy;
  if (upstream.tls) out["tls"] = json(*upstream.tls);
  if (upstream.http2) out["http2"] = true;
  out["connect_timeout_ms"] = upstream.connect_timeout_ms;
  if (policy.load_balancer) out["load_balancer"] = policyName(policy.load_balancer->policy);
  for (const model::CircuitBreaker& breaker : policy.circuit_breakers) out["circuit_breakers"].push_back(json(breaker));
  if (policy.keepalive) out["keepalive"] = json(*policy.keepalive);
  put(out, "idle_timeout_ms", policy.idle_timeout_ms);
  put(out, "max_connection_lifetime_ms", policy.max_connection_lifetime_ms);
  for (const model::HealthCheck& check : policy.health_checks) out["health_checks"].push_back(json(check));
  if (policy.outlier_detection) out["outlier_detection"] = json(*policy.outlier_detection);
  if (policy.dns_type_given) out["dns_type"] = policy.logical_dns ? "logical_dns" : "strict_dns";
  if (policy.respect_dns_ttl) out["respect_dns_ttl"] = true;
  if (!policy.ipv4) out["ipv4"] = false;
  if (policy.ipv6) out["ipv6"] = true;
}

}  // namespace emissary::engine
