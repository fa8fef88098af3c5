#pragma once
// Traffic policies that several kinds share: a Mapping's own, and the Module's defaults for all of them. As written, checked;
// durations in milliseconds.

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace emissary::model {

struct RegexRewrite {
  std::string pattern;
  std::string substitution;
  auto operator<=>(const RegexRewrite&) const = default;
};

/// One entry of add_request_headers or add_response_headers. The value is an Envoy format string of known operators.
struct HeaderValue {
  std::string name;
  std::string value;
  bool append = true;
  auto fields() const { return std::tie(name, value, append); }
  auto operator<=>(const HeaderValue&) const = default;
};

struct Cors {
  std::vector<std::string> origins;  // exact, "*", or with one '*' in it ("https://*.example.com")
  std::vector<std::string> methods;
  std::vector<std::string> headers;
  std::vector<std::string> exposed_headers;
  bool credentials = false;
  std::string max_age;  // seconds
  auto operator<=>(const Cors&) const = default;
};

struct RetryPolicy {
  std::string retry_on;  // Envoy's conditions, separated by commas
  std::optional<uint32_t> num_retries;
  std::optional<int64_t> per_try_timeout_ms;
  std::vector<uint32_t> retriable_status_codes;
  std::optional<int64_t> base_interval_ms;
  std::optional<int64_t> max_interval_ms;
  auto operator<=>(const RetryPolicy&) const = default;
};

struct CircuitBreaker {
  enum class Priority : uint8_t { Unset, Default, High };
  Priority priority = Priority::Unset;
  std::optional<uint32_t> max_connections;
  std::optional<uint32_t> max_pending_requests;
  std::optional<uint32_t> max_requests;
  std::optional<uint32_t> max_retries;
  auto fields() const { return std::tie(priority, max_connections, max_pending_requests, max_requests, max_retries); }
  auto operator<=>(const CircuitBreaker&) const = default;
};

struct LoadBalancer {
  enum class Policy : uint8_t { RoundRobin, LeastRequest, RingHash, Maglev };
  enum class HashBy : uint8_t { Nothing, Cookie, Header, SourceIp };
  Policy policy = Policy::RoundRobin;
  /// With RingHash and Maglev: what sticks a client to an endpoint.
  HashBy hash_by = HashBy::Nothing;
  std::string name;  // of the cookie or header
  std::string cookie_path;
  std::optional<int64_t> cookie_ttl_ms;  // 0: a session cookie
  auto fields() const { return std::tie(policy, hash_by, name, cookie_path, cookie_ttl_ms); }
  auto operator<=>(const LoadBalancer&) const = default;
};

/// TCP keepalive of upstream connections, in seconds.
struct Keepalive {
  std::optional<uint32_t> time;
  std::optional<uint32_t> interval;
  std::optional<uint32_t> probes;
  auto fields() const { return std::tie(time, interval, probes); }
  auto operator<=>(const Keepalive&) const = default;
};

struct HealthCheck {
  struct StatusRange {
    int64_t min = 200;
    int64_t max = 200;  // inclusive
    auto fields() const { return std::tie(min, max); }
    auto operator<=>(const StatusRange&) const = default;
  };
  int64_t timeout_ms = 3000;
  int64_t interval_ms = 5000;
  uint32_t healthy_threshold = 1;
  uint32_t unhealthy_threshold = 2;
  bool grpc = false;
  std::string path;       // HTTP
  std::string hostname;   // HTTP: Host header; gRPC: authority
  std::string grpc_name;  // gRPC: service asked for
  std::vector<HeaderValue> add_request_headers;
  std::vector<std::string> remove_request_headers;
  std::vector<StatusRange> expected_statuses;
  auto fields() const {
    return std::tie(timeout_ms, interval_ms, healthy_threshold, unhealthy_threshold, grpc, path, hostname, grpc_name,
                    add_request_headers, remove_request_headers, expected_statuses);
  }
  auto operator<=>(const HealthCheck&) const = default;
};

/// A Mapping's outlier_detection, where it is an object.
struct OutlierDetection {
  std::optional<uint32_t> consecutive_5xx;
  std::optional<uint32_t> consecutive_gateway_failure;
  std::optional<uint32_t> consecutive_local_origin_failure;
  std::optional<int64_t> interval_ms;
  std::optional<int64_t> base_ejection_time_ms;
  std::optional<int64_t> max_ejection_time_ms;
  std::optional<uint32_t> max_ejection_percent;
  bool split_external_local_origin_errors = false;
  auto fields() const {
    return std::tie(consecutive_5xx, consecutive_gateway_failure, consecutive_local_origin_failure, interval_ms,
                    base_ejection_time_ms, max_ejection_time_ms, max_ejection_percent, split_external_local_origin_errors);
  }
  auto operator<=>(const OutlierDetection&) const = default;
};

}  // namespace emissary::model
