// Fields of a Mapping that shape its cluster and that few have; outlier_detection among them, which no other kind has.

#include <fmt/format.h>

#include <array>

#include "model/readers.h"

namespace emissary::model {
namespace {

using manifest::Value;

void readCount(Fields& fields, std::string_view name, int64_t max, std::optional<uint32_t>& out) {
  int64_t number = 0;
  if (fields.read(name, number, 1, max)) out = static_cast<uint32_t>(number);
}

/// Wrong, it is left out as a whole: with half of it Envoy would throw out endpoints by other rules than asked for.
void readOutlierDetection(Fields& spec, MappingPolicy& policy) {
  const Value* value = spec.take("outlier_detection");
  if (value == nullptr) return;
  if (!value->isMap()) {
    spec.error(
        "outlier_detection",
        fmt::format("must be a map such as {{consecutive_5xx: 5, interval: 10s}}, but is {}; it is left out", describe(*value)));
    return;
  }
  constexpr int64_t kBaseMs = 30'000;  // Envoy's default
  const Part part(spec.report());
  Fields fields(spec.report(), value, spec.path("outlier_detection"));
  OutlierDetection out;
  readCount(fields, "consecutive_5xx", UINT32_MAX, out.consecutive_5xx);
  readCount(fields, "consecutive_gateway_failure", UINT32_MAX, out.consecutive_gateway_failure);
  readCount(fields, "consecutive_local_origin_failure", UINT32_MAX, out.consecutive_local_origin_failure);
  fields.readDuration("interval", out.interval_ms, 1);
  fields.readDuration("base_ejection_time", out.base_ejection_time_ms, 1);
  fields.readDuration("max_ejection_time", out.max_ejection_time_ms, 1);
  readCount(fields, "max_ejection_percent", 100, out.max_ejection_percent);
  fields.read("split_external_local_origin_errors", out.split_external_local_origin_errors);
  const int64_t base = out.base_ejection_time_ms.value_or(kBaseMs);
  if (out.max_ejection_time_ms && *out.max_ejection_time_ms < base) {
    fields.refuse("max_ejection_time", fmt::format("must not be below base_ejection_time, {} ms", base));
  }
  fields.finish();
  if (part.good()) policy.outlier_detection = out;
}

void readDnsType(Fields& spec, MappingPolicy& policy) {
  static constexpr std::array<std::string_view, 2> kTypes = {"strict_dns", "logical_dns"};
  const Part part(spec.report());
  const int type = spec.readChoice("dns_type", kTypes, true);
  policy.dns_type_given = type >= 0;
  policy.logical_dns = type == 1;
}

}  // namespace

void readUpstreamPolicy(Fields& spec, MappingPolicy& policy) {
  readCircuitBreakers(spec, "circuit_breakers", policy.circuit_breakers);
  readLoadBalancer(spec, "load_balancer", policy.load_balancer);
  readKeepalive(spec, "keepalive", policy.keepalive);
  spec.readMs("cluster_idle_timeout_ms", policy.cluster_idle_timeout_ms);
  spec.readMs("cluster_max_connection_lifetime_ms", policy.cluster_max_connection_lifetime_ms);
  readHealthChecks(spec, "health_checks", policy.health_checks);
  readOutlierDetection(spec, policy);
  readDnsType(spec, policy);
  spec.read("respect_dns_ttl", policy.respect_dns_ttl);
  spec.read("enable_ipv4", policy.enable_ipv4);
  spec.read("enable_ipv6", policy.enable_ipv6);
}

}  // namespace emissary::model
