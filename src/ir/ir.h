#pragma once
// The semantic model: what the user's objects mean, free of Envoy's and Kubernetes' shapes. Plain values; equal meaning,
// equal value. Made by compile/, read by generate/ and by `compile --output ir`.

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/boxed.h"
#include "base/hash.h"
#include "model/kinds.h"
#include "model/module.h"
#include "model/ref.h"

namespace emissary::ir {

// ------------------------------------------------------------------ upstreams

/// TLS to an upstream. Names of secrets only; their content goes by SDS.
struct TlsOrigination {
  std::string sni;
  /// The client certificate; empty name: none.
  std::string secret_namespace;
  std::string secret_name;
  /// What the server's certificate must chain to; empty name: it is not verified.
  std::string ca_namespace;
  std::string ca_name;
  std::string crl_namespace;
  std::string crl_name;
  /// With a CA: a name that the server's certificate must be for; "": any.
  std::string verify_name;
  model::TlsSettings settings;  // what is resolved above is empty here

  auto fields() const {
    return std::tie(sni, secret_namespace, secret_name, ca_namespace, ca_name, crl_namespace, crl_name, verify_name, settings);
  }
  auto operator<=>(const TlsOrigination&) const = default;
};

/// Settings of a cluster that few Mappings ask for. What the Module says is merged in.
struct UpstreamPolicy {
  std::vector<model::CircuitBreaker> circuit_breakers;
  std::optional<model::LoadBalancer> load_balancer;
  std::optional<model::Keepalive> keepalive;
  std::optional<int64_t> idle_timeout_ms;
  std::optional<int64_t> max_connection_lifetime_ms;
  std::vector<model::HealthCheck> health_checks;
  std::optional<model::OutlierDetection> outlier_detection;
  bool dns_type_given = false;  // then DNS is asked though the Service's address is known
  bool logical_dns = false;
  bool respect_dns_ttl = false;
  bool ipv4 = true;
  bool ipv6 = false;
  bool preserve_case = false;  // of the names of headers in answers

  auto fields() const {
    return std::tie(circuit_breakers, load_balancer, keepalive, idle_timeout_ms, max_connection_lifetime_ms, health_checks,
                    outlier_detection, dns_type_given, logical_dns, respect_dns_ttl, ipv4, ipv6, preserve_case);
  }
  auto operator<=>(const UpstreamPolicy&) const = default;
};

/// An upstream as one Mapping asks for it: every setting that shapes the cluster. Mappings that ask for the same share one.
struct Upstream {
  enum class Resolver : uint8_t { Service, Endpoint };

  /// Upstream's cluster name, a function of the Mapping alone.
  std::string base_name;
  /// True when a setting that is not part of `base_name` differs from its default: the name gets 8 digits of `name_hash`.
  bool tagged = false;
  /// Over what the object itself asks for: neither the Module nor the content of a TLSContext moves it.
  std::string name_hash;

  std::string host;  // qualified name or IP address, lower case
  uint16_t port = 80;
  Resolver resolver = Resolver::Service;
  /// The Kubernetes Service that `host` can mean; empty name for IP addresses.
  std::string service_namespace;
  std::string service_name;

  std::optional<TlsOrigination> tls;
  bool http2 = false;
  int64_t connect_timeout_ms = 3000;
  std::string stat_name;
  Boxed<UpstreamPolicy> policy;

  auto fields() const {
    return std::tie(base_name, tagged, name_hash, host, port, resolver, service_namespace, service_name, tls, http2,
                    connect_timeout_ms, stat_name, policy);
  }
  bool operator==(const Upstream& other) const { return fields() == other.fields(); }
  auto operator<=>(const Upstream& other) const { return fields() <=> other.fields(); }
};

/// How the addresses of an upstream are found, given the Services that exist.
struct Discovery {
  enum class Kind : uint8_t { Address, Dns, Endpoints };
  Kind kind = Kind::Dns;
  /// With Endpoints: the assignment that lists the addresses.
  std::string assignment;
  /// With Address and Dns: what an ExternalName Service stands for; "": the upstream's own host.
  std::string host;
  auto operator<=>(const Discovery&) const = default;
};

// ------------------------------------------------------------------ routes

enum class PathMatch : uint8_t { Prefix, Exact, Regex };

struct StringMatch {
  enum class Kind : uint8_t { Present, Exact, Prefix, Suffix, Regex };
  Kind kind = Kind::Exact;
  std::string value;
  bool ignore_case = false;
  auto operator<=>(const StringMatch&) const = default;
};

struct NamedMatch {
  std::string name;
  StringMatch match;
  auto operator<=>(const NamedMatch&) const = default;
};

/// Which host names a route is for. Every: each Host's, whatever Mappings the Host selects.
struct HostMatch {
  enum class Kind : uint8_t { None, Glob, Regex, Every };
  Kind kind = Kind::None;
  std::string text;
  auto operator<=>(const HostMatch&) const = default;
};

/// What requests a route takes: Mappings with equal matches form a group (canary).
struct Match {
  int64_t precedence = 0;
  PathMatch path_kind = PathMatch::Prefix;
  std::string path;
  bool case_sensitive = true;
  std::vector<NamedMatch> headers;  // without :authority and :method
  HostMatch host;
  std::optional<StringMatch> method;
  std::vector<NamedMatch> query;
  /// Of a Mapping without a host: its labels, as far as a Host's mappingSelector asks for them.
  std::vector<std::pair<std::string, std::string>> labels;
  auto operator<=>(const Match&) const = default;
};

struct Redirect {
  std::string scheme;  // "" : that of the request
  std::string host;
  std::optional<uint32_t> port;
  std::optional<std::string> path;
  std::optional<std::string> prefix_rewrite;
  std::optional<model::RegexRewrite> regex_rewrite;
  uint32_t status = 301;
  auto operator<=>(const Redirect&) const = default;
};

/// Settings of a route that few Mappings ask for. What the Module says is merged in.
struct RoutePolicy {
  std::optional<Redirect> redirect;  // then nothing is sent upstream
  bool shadow = false;               // gets copies of what its group's other legs take
  std::optional<model::Cors> cors;
  std::optional<model::RetryPolicy> retry_policy;
  std::vector<model::HeaderValue> add_request_headers;
  std::vector<model::HeaderValue> add_response_headers;
  std::vector<std::string> remove_request_headers;
  std::vector<std::string> remove_response_headers;
  std::optional<bool> high_priority;
  /// With a policy that hashes: what of a request is hashed.
  std::optional<model::LoadBalancer> hash;
  bool bypass_error_responses = false;
  auto operator<=>(const RoutePolicy&) const = default;
};

/// One Mapping's share of a group: where its requests go and how they are changed.
struct Leg {
  ObjectRef mapping;
  std::optional<int64_t> weight;
  /// Absent: the Mapping's upstream cannot be used, and its requests are answered 503.
  std::optional<Upstream> upstream;
  std::optional<std::string> prefix_rewrite;
  std::optional<model::RegexRewrite> regex_rewrite;
  std::string host_rewrite;
  bool auto_host_rewrite = false;
  int64_t timeout_ms = 3000;
  std::optional<int64_t> idle_timeout_ms;
  std::vector<std::string> upgrades;
  Boxed<RoutePolicy> policy;
  auto operator<=>(const Leg&) const = default;
};

// ------------------------------------------------------------------ hosts and listeners

/// How TLS is terminated. Names of secrets only; their content goes by SDS.
struct TlsTermination {
  std::string secret_namespace;
  std::string secret_name;
  std::string ca_namespace;
  std::string ca_name;  // "" : clients are not asked for a certificate
  std::string crl_namespace;
  std::string crl_name;  // "" : none
  bool client_certificate_required = false;
  model::TlsSettings settings;  // what is resolved above is empty here
  auto operator<=>(const TlsTermination&) const = default;
};

struct Host {
  ObjectRef ref;
  std::string hostname;  // lower case
  model::Host::InsecureAction insecure_action = model::Host::InsecureAction::Redirect;
  std::optional<model::LabelSelector> mapping_selector;
  std::optional<TlsTermination> tls;
  std::map<std::string, std::string> labels;
  auto operator<=>(const Host&) const = default;
};

/// What a virtual host does with the requests that reach it. In the forms with Forwarded the X-Forwarded-Proto header of a
/// trusted proxy tells secure requests from insecure ones.
enum class Treatment : uint8_t { Route, Redirect, Reject, ForwardedRedirect, ForwardedReject };

struct VirtualHost {
  ObjectRef host;
  std::string hostname;
  Treatment treatment = Treatment::Route;
  /// The same name with ports, where its table must tell names by their ports.
  std::vector<std::string> with_ports;
  /// Redirects of requests that name the Listener's own port go to this one of another Listener; 0: the port is left alone.
  uint32_t redirect_from = 0;
  uint32_t redirect_to = 0;
  auto operator<=>(const VirtualHost&) const = default;
};

/// One RouteConfiguration.
struct RouteTable {
  std::string name;
  std::vector<VirtualHost> virtual_hosts;
  /// Names that are answered 421, "*" for all others: browsers reuse a TLS connection for all names of its certificate, and what is
  /// asked of clients on one may be less than on another.
  std::vector<std::string> misdirected;
  /// A name counts whatever port stands behind it in a request: so unless a Host names a port.
  bool any_port = true;
  auto operator<=>(const RouteTable&) const = default;
};

/// A cleartext chain with many Hosts gives each exact name a RouteConfiguration of its own, found by the request's authority.
struct Scope {
  std::string hostname;  // "*": all names that have no scope of their own
  std::string table;
  auto operator<=>(const Scope&) const = default;
};

/// TCP handed on as it is.
struct TcpProxy {
  struct Target {
    std::string cluster;
    uint32_t weight = 0;  // relative to the others'
    ObjectRef mapping;    // the TCPMapping behind it
    auto operator<=>(const Target&) const = default;
  };
  std::string stat_prefix;
  std::vector<Target> targets;
  std::optional<int64_t> idle_timeout_ms;
  auto operator<=>(const TcpProxy&) const = default;
};

struct FilterChain {
  std::string name;
  std::string sni;  // "*": any; "": not looked at. Without `tls` what is encrypted is handed on so
  std::optional<TlsTermination> tls;
  /// Set: no HTTP, and neither `table` nor `scopes`.
  std::optional<TcpProxy> tcp;
  /// The RouteTable, unless `scopes` are in use.
  std::string table;
  std::vector<Scope> scopes;
  auto operator<=>(const FilterChain&) const = default;
};

struct Listener {
  ObjectRef ref;
  std::string name;
  std::string address;
  uint32_t port = 0;
  bool proxy_protocol = false;
  bool tls_inspector = false;
  std::string stat_prefix;
  uint32_t trusted_hops = 0;
  std::optional<uint32_t> http2_max_concurrent_streams;
  Boxed<model::HttpSettings> http;  // the same for all Listeners
  std::vector<FilterChain> chains;
  auto operator<=>(const Listener&) const = default;
};

}  // namespace emissary::ir
