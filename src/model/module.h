#pragma once
// The Module "ambassador": defaults for Mappings and the settings of every HTTP connection manager. Every key is optional; a
// wrong one is left out by itself.

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/policy.h"

namespace emissary::model {

struct Gzip {
  std::optional<uint32_t> memory_level;
  std::string compression_level;     // Envoy's enum name, "" : its default
  std::string compression_strategy;  // likewise
  std::optional<uint32_t> window_bits;
  std::optional<uint32_t> min_content_length;
  std::vector<std::string> content_type;
  bool disable_on_etag_header = false;
  bool remove_accept_encoding_header = false;
  auto operator<=>(const Gzip&) const = default;
};

struct GrpcStats {
  struct Service {
    std::string name;
    std::vector<std::string> methods;
    auto operator<=>(const Service&) const = default;
  };
  std::vector<Service> services;
  bool all_methods = false;
  bool upstream_stats = false;
  auto operator<=>(const GrpcStats&) const = default;
};

/// ip_allow or ip_deny.
struct IpRules {
  struct Range {
    bool peer = false;  // the socket's peer; else the client as X-Forwarded-For tells it
    std::string address;
    uint32_t length = 0;
    auto operator<=>(const Range&) const = default;
  };
  bool allow = true;
  std::vector<Range> ranges;
  auto operator<=>(const IpRules&) const = default;
};

struct AccessLog {
  enum class Type : uint8_t { Text, Json, TypedJson };
  Type type = Type::Text;
  std::string path = "/dev/fd/1";
  std::string text;                         // "" : the default
  std::map<std::string, std::string> json;  // empty: the default
  auto operator<=>(const AccessLog&) const = default;
};

/// One entry of error_response_overrides.
struct ErrorResponse {
  uint32_t status = 0;
  std::string content_type;
  std::string text;                         // text_format
  std::map<std::string, std::string> json;  // json_format
  auto operator<=>(const ErrorResponse&) const = default;
};

/// What shapes the HTTP connection manager of every Listener. A change drains their connections.
struct HttpSettings {
  bool use_remote_address = true;
  bool preserve_external_request_id = false;
  bool merge_slashes = false;
  bool reject_escaped_slashes = false;
  bool strip_matching_host_port = false;
  bool suppress_envoy_headers = false;
  bool accept_http_10 = false;
  std::optional<bool> allow_chunked_length;
  bool proper_case = false;
  bool preserve_case = false;                      // header_case_overrides
  std::vector<std::string> header_case_overrides;  // as written, for what tells them
  std::string server_name = "envoy";
  std::string headers_with_underscores_action;  // Envoy's enum name, "" : its default
  std::string forward_client_cert_details;      // likewise
  std::vector<std::string> set_client_cert_details;
  std::optional<uint32_t> max_request_headers_kb;
  std::optional<int64_t> listener_idle_timeout_ms;
  std::optional<uint32_t> buffer_limit_bytes;  // of the connection
  AccessLog access_log;

  // Filters, in the order in which requests pass them.
  std::optional<IpRules> ip_rules;
  bool grpc_http1_bridge = false;
  bool grpc_web = false;
  std::optional<GrpcStats> grpc_stats;
  std::string lua_scripts;
  std::optional<Gzip> gzip;
  std::optional<uint32_t> buffer_max_request_bytes;
  std::vector<ErrorResponse> error_responses;
  auto operator<=>(const HttpSettings&) const = default;
};

/// A built-in Mapping to the gateway's own administration.
struct BuiltInMapping {
  bool enabled = true;
  std::string prefix;
  std::string rewrite;
  std::string service;  // "" : the administration server
  auto operator<=>(const BuiltInMapping&) const = default;
};

struct Module {
  HttpSettings http;

  // Defaults of Mappings and TCPMappings.
  std::optional<int64_t> cluster_request_timeout_ms;
  std::optional<int64_t> cluster_idle_timeout_ms;
  std::optional<int64_t> cluster_max_connection_lifetime_ms;
  std::optional<std::string> resolver;
  std::optional<Cors> cors;
  std::optional<RetryPolicy> retry_policy;
  std::optional<LoadBalancer> load_balancer;
  std::optional<Keepalive> keepalive;
  std::vector<CircuitBreaker> circuit_breakers;
  std::optional<std::vector<HeaderValue>> add_request_headers;   // defaults.httpmapping
  std::optional<std::vector<HeaderValue>> add_response_headers;  // defaults.httpmapping
  std::optional<std::vector<std::string>> remove_request_headers;
  std::optional<std::vector<std::string>> remove_response_headers;
  std::string stats_name;
  bool add_linkerd_headers = false;
  bool enable_ipv4 = true;
  bool enable_ipv6 = false;
  bool use_ambassador_namespace_for_service_resolution = false;
  std::optional<bool> tls_secret_namespacing;  // defaults.tls_secret_namespacing
  uint32_t regex_max_size = 200;

  BuiltInMapping liveness_probe{true, "/ambassador/v0/check_alive", "/ambassador/v0/check_alive", ""};
  BuiltInMapping readiness_probe{true, "/ambassador/v0/check_ready", "/ambassador/v0/check_ready", ""};
  BuiltInMapping diagnostics{true, "/ambassador/v0/", "/ambassador/v0/", ""};
  bool diagnostics_allow_non_local = false;
  bool debug_mode = false;
  auto operator<=>(const Module&) const = default;
};

}  // namespace emissary::model
