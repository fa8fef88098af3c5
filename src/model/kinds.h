#pragma once
// The fields of each kind, as written: optional where absent means something else than any value. Defaults that need no other
// object are filled in by the parser and named here; all others are the compiler's.
// Durations are in milliseconds, as users write them.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/boxed.h"
#include "model/policy.h"

namespace emissary::model {

/// A Kubernetes LabelSelector (meta/v1). Empty selects everything.
struct LabelSelector {
  enum class Operator : uint8_t { In, NotIn, Exists, DoesNotExist };
  struct Expression {
    std::string key;
    Operator op = Operator::In;
    std::vector<std::string> values;
    auto operator<=>(const Expression&) const = default;
  };
  std::map<std::string, std::string> match_labels;
  std::vector<Expression> match_expressions;
  auto operator<=>(const LabelSelector&) const = default;

  bool matches(const std::map<std::string, std::string>& labels) const;
};

// ---------------------------------------------------------------- getambassador.io

/// One entry of headers, regex_headers, query_parameters or regex_query_parameters.
struct ValueMatch {
  std::string name;
  /// Absent: present with any value.
  std::optional<std::string> value;
  bool regex = false;
  auto operator<=>(const ValueMatch&) const = default;
};

/// What few Mappings ask for.
struct MappingPolicy {
  // Redirects: with `host_redirect` the service is the host to go to.
  bool host_redirect = false;
  std::optional<std::string> path_redirect;
  std::optional<std::string> prefix_redirect;
  std::optional<RegexRewrite> regex_redirect;
  uint32_t redirect_response_code = 301;
  /// Gets copies of its group's requests; answers none.
  bool shadow = false;

  // Absent: the Module's. Headers in the order of their names.
  std::optional<Cors> cors;
  std::optional<RetryPolicy> retry_policy;
  std::optional<std::vector<HeaderValue>> add_request_headers;
  std::optional<std::vector<HeaderValue>> add_response_headers;
  std::optional<std::vector<std::string>> remove_request_headers;
  std::optional<std::vector<std::string>> remove_response_headers;
  std::optional<bool> add_linkerd_headers;
  std::optional<bool> high_priority;  // `priority`
  bool bypass_auth = false;
  std::map<std::string, std::string> auth_context_extensions;
  bool bypass_error_response_overrides = false;

  // The cluster's. Absent: the Module's.
  std::optional<std::vector<CircuitBreaker>> circuit_breakers;
  std::optional<LoadBalancer> load_balancer;
  std::optional<Keepalive> keepalive;
  std::optional<int64_t> cluster_idle_timeout_ms;
  std::optional<int64_t> cluster_max_connection_lifetime_ms;
  std::vector<HealthCheck> health_checks;
  std::optional<OutlierDetection> outlier_detection;
  bool logical_dns = false;  // `dns_type`
  bool dns_type_given = false;
  bool respect_dns_ttl = false;
  std::optional<bool> enable_ipv4;
  std::optional<bool> enable_ipv6;
  auto operator<=>(const MappingPolicy&) const = default;
};

/// The regular expression of a Mapping whose program is the longest.
struct RegexSize {
  std::string field;
  uint32_t steps = 0;  // 0: there is none
};

struct Mapping {
  std::optional<std::string> hostname;  // glob
  std::optional<std::string> host;      // exact, or RE2 when host_regex
  bool host_regex = false;

  std::string prefix;
  bool prefix_regex = false;
  bool prefix_exact = false;
  std::optional<bool> case_sensitive;
  std::vector<ValueMatch> headers;           // `headers` by name, then `regex_headers` by name
  std::vector<ValueMatch> query_parameters;  // likewise
  std::optional<std::string> method;
  bool method_regex = false;
  int64_t precedence = 0;

  std::string service;
  std::optional<std::string> resolver;
  std::optional<std::string> tls;
  std::optional<int64_t> weight;

  std::optional<std::string> rewrite;
  std::optional<RegexRewrite> regex_rewrite;
  std::optional<std::string> host_rewrite;
  bool auto_host_rewrite = false;

  std::optional<int64_t> timeout_ms;
  std::optional<int64_t> idle_timeout_ms;
  std::optional<int64_t> connect_timeout_ms;
  bool grpc = false;
  std::vector<std::string> allow_upgrade;  // with "websocket" appended where use_websocket is true
  std::string cluster_tag;
  std::string stats_name;
  RegexSize largest_regex;

  Boxed<MappingPolicy> policy;
};

/// TCP on a port (and, with `host`, for one TLS server name) to one service.
struct TcpMapping {
  uint32_t port = 0;
  std::string address;  // "" : AMBASSADOR_ENVOY_BIND_ADDRESS
  std::string host;     // SNI: a name, "*.suffix" or "*", lower case; "" : the whole port
  /// Connections for `host` are handed on as they are; the service terminates TLS.
  bool tls_passthrough = false;
  std::string service;
  std::optional<std::string> tls;
  std::optional<std::string> resolver;
  std::optional<int64_t> weight;
  std::optional<std::vector<CircuitBreaker>> circuit_breakers;
  std::optional<bool> enable_ipv4;
  std::optional<bool> enable_ipv6;
  std::string cluster_tag;
  std::string stats_name;
  std::optional<int64_t> idle_timeout_ms;
};

/// TLS settings of a Host's `tls` and of a TLSContext.
struct TlsSettings {
  std::string alpn_protocols;  // "h2,http/1.1"
  std::string min_version;     // "v1.0" … "v1.3", "" unset
  std::string max_version;
  std::vector<std::string> cipher_suites;
  std::vector<std::string> ecdh_curves;
  std::string ca_secret;  // name or name.namespace
  std::optional<bool> cert_required;
  std::string sni;              // origination only
  std::string crl_secret;       // name or name.namespace
  std::string cert_chain_file;  // these four name files in a configured folder
  std::string private_key_file;
  std::string cacert_chain_file;
  std::string crl_file;
  auto fields() const {
    return std::tie(alpn_protocols, min_version, max_version, cipher_suites, ecdh_curves, ca_secret, cert_required, sni, crl_secret,
                    cert_chain_file, private_key_file, cacert_chain_file, crl_file);
  }
  auto operator<=>(const TlsSettings&) const = default;
};

struct Host {
  enum class InsecureAction : uint8_t { Redirect, Reject, Route };

  std::string hostname = "*";
  /// `mappingSelector`, or the deprecated `selector` where that one is absent or empty.
  std::optional<LabelSelector> mapping_selector;
  /// Empty name: the Host terminates no TLS.
  std::string tls_secret_name;
  std::string tls_secret_namespace;  // "" : the Host's own
  std::string tls_context;           // name, "" : none
  std::optional<TlsSettings> tls;
  /// acmeProvider.privateKeySecret: nothing but its absence is told. "" : none.
  std::string acme_key_name;
  std::string acme_key_namespace;
  InsecureAction insecure_action = InsecureAction::Redirect;
};

struct Listener {
  enum class Layer : uint8_t { HTTP, PROXY, TLS, TCP, UDP };
  enum class SecurityModel : uint8_t { XFP, SECURE, INSECURE };
  enum class From : uint8_t { ALL, SELF, SELECTOR };

  uint32_t port = 0;
  std::vector<Layer> stack;  // outermost first; `protocol` already expanded
  SecurityModel security_model = SecurityModel::XFP;
  std::string stats_prefix;
  uint32_t l7_depth = 0;
  std::optional<uint32_t> http2_max_concurrent_streams;
  From from = From::SELF;
  LabelSelector namespace_selector;            // with From::SELECTOR
  std::optional<LabelSelector> host_selector;  // hostBinding.selector

  bool has(Layer layer) const {
    for (Layer l : stack) {
      if (l == layer) return true;
    }
    return false;
  }
};

struct TlsContext {
  std::vector<std::string> hosts;
  std::string secret;                      // name or name.namespace
  std::optional<bool> secret_namespacing;  // absent: the Module's
  TlsSettings settings;
};

/// Any of the three resolver kinds; which one is in the reference.
struct Resolver {
  std::string address;     // ConsulResolver
  std::string datacenter;  // ConsulResolver
};

// ---------------------------------------------------------------- Kubernetes

struct ServicePort {
  std::string name;
  uint16_t port = 0;
  std::string target;  // number or name as text; the port itself where unset
  std::string protocol = "TCP";
};

struct Service {
  std::string type = "ClusterIP";
  std::string cluster_ip;  // "" : not allotted; "None": headless
  std::string external_name;
  std::vector<ServicePort> ports;
};

struct EndpointPort {
  std::string name;
  uint16_t port = 0;
  std::string protocol = "TCP";
};

struct Endpoints {
  struct Subset {
    std::vector<std::string> addresses;  // ready ones only
    std::vector<EndpointPort> ports;
  };
  std::vector<Subset> subsets;
};

struct EndpointSlice {
  struct Endpoint {
    std::vector<std::string> addresses;
    bool ready = true;
    bool serving = true;
    bool terminating = false;
  };
  std::string service;  // label kubernetes.io/service-name
  std::string address_type = "IPv4";
  std::vector<Endpoint> endpoints;
  std::vector<EndpointPort> ports;
};

/// A Secret that may hold a certificate. Whatever is in it never reaches a log, a page, a status or a finding.
struct Secret {
  std::string type;
  std::string certificate;  // PEM chain: tls.crt or cert-chain.pem
  std::string key;          // PEM: tls.key or key.pem
  std::string ca;           // PEM: root-cert.pem, or tls.crt (else ca.crt) of a CA secret
  std::string crl;          // PEM: crl.pem or user.key
  /// The key `cert_required`: what a TLSContext whose CA this is does where it says nothing itself.
  std::optional<bool> cert_required;
  /// Why certificate and key cannot be used to terminate TLS (unparsable, do not belong together, key too short …);
  /// "" when they can.
  std::string pair_problem;
  /// Why `ca` cannot be used to verify a peer; "" when it can, and when there is none.
  std::string ca_problem;
  /// Why `crl` revokes nothing; "" when it does, and when there is none.
  std::string crl_problem;
  /// Seconds since the epoch between which the leaf certificate is valid; 0 when there is none.
  int64_t not_before = 0;
  int64_t not_after = 0;
};

}  // namespace emissary::model
