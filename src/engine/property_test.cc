// The engine's promise: whatever happened before, its result is that of a fresh engine given the objects there are now, in any
// order. Random edits over all kinds, from pools small enough that they meet.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>

#include "compile/host.h"
#include "compile/secret_references.h"
#include "engine/testing.h"
#include "engine/view.h"

namespace emissary::engine {
namespace {

class World {
 public:
  explicit World(uint32_t seed) : random_(seed) {
    for (const char* ns : {"default", "edge"}) {
      for (const char* name : {"cert-a", "cert-b", "fallback-self-signed-cert"}) {
        for (int i = 0; i < 2; ++i)
          certificates_[std::string(ns) + "/" + name].push_back(testing::secretManifest(ns, name, "a.com"));
      }
    }
  }

  /// One object written, rewritten or removed.
  Change edit() {
    const std::string text = one();
    ObjectPtr object = testing::objects(text).at(0);
    if (chance(30)) {
      objects_.erase(object->ref);
      return {object->ref, nullptr};
    }
    objects_[object->ref] = object;
    return {object->ref, object};
  }

  std::vector<Change> shuffled() {
    std::vector<Change> out;
    for (const auto& [ref, object] : objects_) out.push_back({ref, object});
    std::shuffle(out.begin(), out.end(), random_);
    return out;
  }

  /// Without the Secrets that no object names.
  std::vector<Change> named() {
    std::set<ObjectRef> secrets = {{Kind::Secret, "default", std::string(compile::kFallbackSecret)}};
    for (const auto& [ref, object] : objects_) {
      for (const auto& reference : compile::secretReferences(*object, "default")) {
        secrets.insert({Kind::Secret, reference.secret.ns, reference.secret.name});
      }
    }
    std::vector<Change> out = shuffled();
    std::erase_if(out, [&](const Change& change) { return change.ref.kind == Kind::Secret && !secrets.contains(change.ref); });
    return out;
  }

  bool chance(int percent) { return static_cast<int>(random_() % 100) < percent; }

  /// Mostly a complete one, else one that lacks a few things.
  ir::EnvoyBuild envoy() {
    if (chance(40)) return {};
    ir::EnvoyBuild build{chance(50) ? "1.37.0" : "1.40.0", 0};
    for (int i = 0; i < 4; ++i) build.missing |= 1u << std::uniform_int_distribution<size_t>(0, ir::kExtensions - 1)(random_);
    build.one_health_check = chance(50);
    return build;
  }

 private:
  template <size_t N>
  std::string pick(const char* const (&pool)[N]) {
    return pool[random_() % N];
  }

  // `field` with a value from the pool; nothing for the empty one.
  template <size_t N>
  std::string maybe(const std::string& field, const char* const (&pool)[N]) {
    const std::string value = pick(pool);
    return value.empty() ? "" : "  " + field + ": " + value + "\n";
  }

  std::string head(const std::string& kind, const std::string& name, const std::string& ns, const std::string& api) {
    static constexpr const char* kLabels[] = {"", "", "labels: {app: shop}", "labels: {app: pay}",
                                              "labels: {app: shop, tier: gold}"};
    const std::string labels = pick(kLabels);
    return "apiVersion: " + api + "\nkind: " + kind + "\nmetadata: {name: " + name + ", namespace: " + ns +
           (labels.empty() ? "" : ", ") + labels + "}\n";
  }

  std::string ours(const std::string& kind, const std::string& name) {
    static constexpr const char* kNamespaces[] = {"default", "edge", "edge"};
    return head(kind, name, pick(kNamespaces), "getambassador.io/v3alpha1") + "spec:\n" +
           (chance(4) ? "  ambassador_id: [other]\n" : "");
  }

  std::string name(const std::string& prefix, uint32_t count) { return prefix + std::to_string(random_() % count); }

  std::string one() {
    if (chance(2)) return routeDefaults();
    const uint32_t dice = random_() % 100;
    if (dice < 30) return mapping();
    if (dice < 38) return tcpMapping();
    if (dice < 56) return host();
    if (dice < 66) return listener();
    if (dice < 72) return secret();
    if (dice < 77) return tlsContext();
    if (dice < 80) return resolver();
    if (dice < 87) return service();
    if (dice < 92) return endpoints();
    if (dice < 95) return slice();
    if (dice < 96) return ns();
    return module();
  }

  std::string mapping() {
    static constexpr const char* kPrefix[] = {
        "/", "/a/", "/a/", "/a/c", "/a/b/", "/A/", "/b/", "/.well-known/acme-challenge/", "\"/x.*\""};
    static constexpr const char* kHostname[] = {"",      "\"*\"",     "\"*\"", "a.com",          "a.com",
                                                "b.com", "\"*.com\"", "A.com", "\"a.com:8080\"", "\"x.*\""};
    static constexpr const char* kService[] = {"one",
                                               "one:80",
                                               "http://one",
                                               "https://one",
                                               "two.edge:8080",
                                               "pay.edge",
                                               "pay-edge",
                                               "10.1.2.3:99",
                                               "one:99999",
                                               "127.0.0.1:8877",
                                               "three",
                                               "example.com",
                                               "one.default.svc.cluster.local:80"};
    static constexpr const char* kWeight[] = {"", "", "10", "60", "0", "100", "150", "-1"};
    static constexpr const char* kResolver[] = {"", "", "", "endpoint", "kubernetes-endpoint", "mine", "mine.edge", "nope"};
    static constexpr const char* kBool[] = {"", "", "true", "false"};
    static constexpr const char* kTimeout[] = {"", "", "1000", "0", "-5"};
    static constexpr const char* kHeaders[] = {"", "", "{x-a: b}", "{x-forwarded-proto: https}", "{\":authority\": b.com}"};
    static constexpr const char* kMethod[] = {"", "", "GET", "POST"};
    static constexpr const char* kPrecedence[] = {"", "", "", "1", "-1"};
    static constexpr const char* kSwitch[] = {"", "", "", "", "true"};
    static constexpr const char* kHeadersAdded[] = {"",   "",         "",
                                                    "{}", "{x-b: b}", "{x-b: {value: \"%REQ(x-a)%\", append: false}, host: c}"};
    static constexpr const char* kHeadersRemoved[] = {"", "", "", "[]", "[x-b]"};
    static constexpr const char* kPath[] = {"", "", "", "/there"};
    static constexpr const char* kCors[] = {"", "", "", "{origins: [\"*\"]}", "{origins: \"https://*.com\", max_age: x}"};
    static constexpr const char* kRetry[] = {
        "", "", "", "{retry_on: 5xx}", "{retry_on: \"5xx,reset\", num_retries: 2}", "{retry_on: x}"};
    static constexpr const char* kPriority[] = {"", "", "", "high", "low"};
    std::string out = ours("Mapping", name("m", 10)) + "  prefix: " + pick(kPrefix) + "\n  service: " + pick(kService) + "\n";
    out += maybe("hostname", kHostname) + maybe("weight", kWeight) + maybe("resolver", kResolver) + maybe("prefix_regex", kBool) +
           maybe("prefix_exact", kBool) + maybe("case_sensitive", kBool) + maybe("grpc", kBool) + maybe("timeout_ms", kTimeout) +
           maybe("headers", kHeaders) + maybe("method", kMethod) + maybe("precedence", kPrecedence);
    out += maybe("shadow", kSwitch) + maybe("host_redirect", kSwitch) + maybe("path_redirect", kPath) +
           maybe("add_request_headers", kHeadersAdded) + maybe("add_response_headers", kHeadersAdded) +
           maybe("remove_request_headers", kHeadersRemoved) + maybe("add_linkerd_headers", kSwitch) + maybe("cors", kCors) +
           maybe("retry_policy", kRetry) + maybe("priority", kPriority);
    if (chance(5)) out += "  host_regex: true\n  host: \"a.*\"\n";
    if (chance(5)) out += "  host: b.com\n";
    if (chance(3)) out += "  prefix: 3\n";  // wrong type
    out += upstreamSettings();
    return chance(10) ? older(out, "\n  hostname: ", "\n  host: ") + (chance(50) ? "  tls: true\n" : "") : out;
  }

  /// The same written as v2, where a field has another name.
  static std::string older(std::string text, const std::string& name, const std::string& older_name) {
    const auto replace = [&text](const std::string& from, const std::string& to) {
      if (const size_t at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
    };
    replace("/v3alpha1", "/v2");
    replace(name, older_name);
    return text;
  }

  /// Objects in an annotation, of the names that objects of their own have.
  std::string annotation() {
    std::string text, out;
    do text += "---\n" + (chance(70) ? mapping() : chance(70) ? host() : resolver());
    while (chance(40));
    if (chance(5)) text += "---\nno kind: here\n";
    for (const char c : text) {
      if (c == '"' || c == '\\') out += '\\';
      if (c == '\n') out += "\\n";
      else out += c;
    }
    return ", annotations: {getambassador.io/config: \"" + out + "\"}}\n";
  }

  /// What a Module says of routes, and of names of Secrets.
  std::string routeDefaults() {
    static constexpr const char* kConfig[] = {
        "{}",
        "{cors: {origins: [\"*\"]}, add_linkerd_headers: true}",
        "{retry_policy: {retry_on: 5xx}}",
        "{retry_policy: {retry_on: x}, cluster_request_timeout_ms: 7000}",
        "{defaults: {add_request_headers: {x-c: c}, httpmapping: {add_response_headers: {x-c: d}}}}",
        "{defaults: {remove_request_headers: [x-b], remove_response_headers: [x-b]}}",
        "{defaults: {tls_secret_namespacing: false}}"};
    return ours("Module", "ambassador") + "  config: " + pick(kConfig) + "\n";
  }

  // Of a Mapping: what shapes its cluster.
  std::string upstreamSettings() {
    static constexpr const char* kTls[] = {"tls", "tls", "h0-context.edge", "gone"};
    static constexpr const char* kBreakers[] = {"[]", "[{max_connections: 3, priority: high}, {max_requests: 7}]",
                                                "[{priority: low}]"};
    static constexpr const char* kBalancer[] = {"{policy: least_request}", "{policy: ring_hash, cookie: {name: seat}}",
                                                "{policy: maglev, header: x-user}", "{policy: maglev}"};
    static constexpr const char* kKeepalive[] = {"{}", "{time: 7}", "{idle_time: 7, probes: 3}", "{time: 0}"};
    static constexpr const char* kMs[] = {"0", "5000"};
    static constexpr const char* kChecks[] = {"[{health_check: {http: {path: /ok, expected_statuses: [{min: 200, max: 299}]}}}]",
                                              "[{health_check: {grpc: {}}}, {interval: soon}]"};
    static constexpr const char* kOutliers[] = {"x", "{consecutive_5xx: 3}", "{max_ejection_time: 1s}"};
    static constexpr const char* kDns[] = {"strict_dns", "logical_dns", "bogus"};
    static constexpr const char* kBool[] = {"true", "false"};
    static constexpr const char* kNames[] = {"a.com", "b.com"};
    std::string out;
    const auto rarely = [&](const std::string& field, const auto& pool) {
      if (chance(8)) out += maybe(field, pool);
    };
    rarely("tls", kTls);
    rarely("circuit_breakers", kBreakers);
    if (chance(8)) out += "  resolver: endpoint\n  load_balancer: " + pick(kBalancer) + "\n";
    rarely("keepalive", kKeepalive);
    rarely("cluster_idle_timeout_ms", kMs);
    rarely("cluster_max_connection_lifetime_ms", kMs);
    rarely("health_checks", kChecks);
    rarely("outlier_detection", kOutliers);
    rarely("dns_type", kDns);
    rarely("respect_dns_ttl", kBool);
    rarely("enable_ipv4", kBool);
    rarely("enable_ipv6", kBool);
    rarely("host_rewrite", kNames);
    rarely("stats_name", kNames);
    rarely("cluster_tag", kNames);
    return out;
  }

  std::string tcpMapping() {
    static constexpr const char* kPort[] = {"8443", "8443", "8444", "8080", "9000", "9001", "0"};
    static constexpr const char* kHost[] = {"", "a.com", "a.com", "b.com", "A.com", "\"*.com\"", "\"*\"", "\"a.com:1\""};
    static constexpr const char* kService[] = {"one:80",      "two.edge:8080", "https://one",    "pay.edge", "pay-edge",
                                               "10.1.2.3:99", "one:99999",     "127.0.0.1:8877", "three"};
    static constexpr const char* kWeight[] = {"", "", "10", "60", "0", "100", "150", "-1"};
    static constexpr const char* kAddress[] = {"", "", "", "0.0.0.0", "10.0.0.9", "\"::\"", "x"};
    static constexpr const char* kResolver[] = {"", "", "", "endpoint", "mine", "nope"};
    static constexpr const char* kIdle[] = {"", "", "\"1000\"", "1000", "3s"};
    static constexpr const char* kTls[] = {"", "", "", "tls", "gone"};
    std::string out = ours("TCPMapping", name("t", 7)) + "  port: " + pick(kPort) + "\n  service: " + pick(kService) + "\n" +
                      maybe("host", kHost) + maybe("weight", kWeight) + maybe("address", kAddress) + maybe("resolver", kResolver) +
                      maybe("idle_timeout_ms", kIdle) + maybe("tls", kTls);
    if (chance(10))
      out.replace(out.find("metadata: {"), 11, "metadata: {annotations: {getambassador.io/tls-passthrough: \"true\"}, ");
    return out;
  }

  std::string host() {
    static constexpr const char* kHostname[] = {"a.com", "a.com",          "b.com", "c.com",  "\"*.com\"",
                                                "\"*\"", "\"a.com:8080\"", "A.com", "\"x.*\""};
    static constexpr const char* kAction[] = {"Redirect", "Reject", "Route", "Route"};
    static constexpr const char* kSecret[] = {
        "", "", "{name: cert-a}", "{name: cert-a}", "{name: cert-b, namespace: edge}", "{name: cert-b.edge}", "{name: gone}"};
    static constexpr const char* kSelector[] = {"",
                                                "",
                                                "",
                                                "{matchLabels: {app: shop}}",
                                                "{matchLabels: {tier: gold}}",
                                                "{matchExpressions: [{key: app, operator: NotIn, values: [pay]}]}",
                                                "{}"};
    static constexpr const char* kContext[] = {"", "", "", "{name: tls}", "{name: h0-context}", "{name: gone}"};
    std::string out = ours("Host", name("h", 7)) + "  hostname: " + pick(kHostname) +
                      "\n  requestPolicy: {insecure: {action: " + pick(kAction) + "}}\n" + maybe("tlsSecret", kSecret) +
                      maybe("mappingSelector", kSelector) + maybe("tlsContext", kContext);
    if (chance(10)) out += "  tls: {min_tls_version: v1.2, alpn_protocols: \"h2,http/1.1\"}\n";
    if (chance(10)) out += "  tls: {ca_secret: cert-b}\n";
    if (chance(10)) out += "  tls: {ca_secret: ca.edge, crl_secret: crl}\n";
    if (chance(5)) out += "  acmeProvider: {privateKeySecret: {name: cert-a}}\n";
    return chance(10) ? older(out, "\n  mappingSelector: ", "\n  selector: ") : out;
  }

  std::string listener() {
    static constexpr const char* kProtocol[] = {"HTTP", "HTTPS", "HTTPS", "HTTPSPROXY", "TCP", "TLS"};
    static constexpr const char* kModel[] = {"XFP", "XFP", "SECURE", "INSECURE"};
    static constexpr const char* kBinding[] = {"{namespace: {from: ALL}}", "{namespace: {from: ALL}}", "{namespace: {from: SELF}}",
                                               "{namespace: {from: ALL}, selector: {matchLabels: {app: shop}}}",
                                               "{namespace: {from: SELECTOR, selector: {matchLabels: {zone: x}}}}"};
    static constexpr const char* kPort[] = {"8080", "8443", "8444"};
    static constexpr const char* kDepth[] = {"", "", "1"};
    return ours("Listener", name("l", 4)) + "  port: " + pick(kPort) + "\n  protocol: " + pick(kProtocol) +
           "\n  securityModel: " + pick(kModel) + "\n  hostBinding: " + pick(kBinding) + "\n" + maybe("l7Depth", kDepth);
  }

  std::string secret() {
    static constexpr const char* kWhich[] = {"default/cert-a", "edge/cert-a", "edge/cert-b", "default/cert-b",
                                             "default/fallback-self-signed-cert"};
    const auto& forms = certificates_[pick(kWhich)];
    std::string text = forms[random_() % forms.size()];
    if (chance(15)) text.insert(text.size() - 20, "AAAA");  // a key that does not parse
    if (chance(25)) return authority();
    return text;
  }

  // A CA, which may ask for certificates by itself, or what it revoked.
  std::string authority() {
    const std::string& text = certificates_["edge/cert-a"][random_() % 2];
    const size_t at = text.find("tls.crt: ") + 9;
    const std::string certificate = text.substr(at, text.find('\n', at) - at);
    if (chance(40)) {
      static constexpr const char* kList[] = {
          "eA==",
          "LS0tLS1CRUdJTiBYNTA5IENSTC0tLS0tCk1JRytNR2N3Q2dZSUtvWkl6ajBFQXdJd0VqRVFNQTRHQTFVRUF3d0hkR1Z6ZENCallSY05Nall4TV"
          "RJek1EZ3gKTWpJeldoY05Nell4TVRJd01EZ3hNakl6V2pBbk1DVUNGRmlYNmp1T2l5OHNIbHVkRHZLZDlKWExSZUJORncweQpOakV4TWpNd09E"
          "RXlNakphTUFvR0NDcUdTTTQ5QkFNQ0EwY0FNRVFDSUJWaW1ISVpDdDdIT0ZORnVnTmQ2MktWCmkrZ0twZ01ORVNzK0RmK0ZTZ3ZrQWlBMjZ2ZH"
          "JBRGZobVlpelViT1lrekpVVU93NjdIUDlsMUZsV2FtVEd4OE0Ka2c9PQotLS0tLUVORCBYNTA5IENSTC0tLS0tCg=="};
      return "apiVersion: v1\nkind: Secret\nmetadata: {name: crl, namespace: default}\ndata: {crl.pem: " +
             std::string(pick(kList)) + "}\n";
    }
    static constexpr const char* kRequired[] = {"", ", cert_required: dHJ1ZQ=="};
    return "apiVersion: v1\nkind: Secret\nmetadata: {name: ca, namespace: edge}\ndata: {ca.crt: " + certificate + pick(kRequired) +
           "}\n";
  }

  std::string tlsContext() {
    static constexpr const char* kName[] = {"tls", "h0-context", "h1-context"};
    static constexpr const char* kSecret[] = {"", "", "cert-a", "cert-b.edge"};
    static constexpr const char* kHosts[] = {"", "[b.com]", "[a.com, b.com]", "[h0]"};
    static constexpr const char* kVersion[] = {"", "v1.2", "v1.3"};
    static constexpr const char* kCa[] = {"", "", "cert-a", "gone"};
    static constexpr const char* kSni[] = {"", "", "a.com"};
    static constexpr const char* kBool[] = {"", "", "true", "false"};
    return ours("TLSContext", pick(kName)) + "  redirect_cleartext_from: 8080\n" + maybe("secret", kSecret) +
           maybe("hosts", kHosts) + maybe("min_tls_version", kVersion) + maybe("ca_secret", kCa) + maybe("crl_secret", kCa) +
           maybe("sni", kSni) + maybe("secret_namespacing", kBool) + maybe("cert_required", kBool);
  }

  std::string resolver() {
    static constexpr const char* kKind[] = {"KubernetesEndpointResolver", "KubernetesServiceResolver"};
    static constexpr const char* kName[] = {"mine", "mine", "endpoint", "kubernetes-endpoint"};
    const std::string kind = pick(kKind);
    return ours(kind, pick(kName)) + "  ambassador_id: [default]\n";
  }

  std::string service() {
    static constexpr const char* kName[] = {"one", "two", "three", "pay"};
    static constexpr const char* kNamespace[] = {"default", "edge"};
    static constexpr const char* kAddress[] = {"10.9.0.1", "10.9.0.2", "None", "\"\""};
    static constexpr const char* kPorts[] = {"[{port: 80, targetPort: 8080}]",
                                             "[{name: web, port: 80, targetPort: http}, {name: adm, port: 8080}]", "[{port: 443}]",
                                             "[]"};
    static constexpr const char* kExternal[] = {"db.example.com", "localhost", "10.0.0.1"};
    if (chance(15)) {
      return head("Service", pick(kName), pick(kNamespace), "v1") + "spec: {type: ExternalName, externalName: " + pick(kExternal) +
             "}\n";
    }
    std::string text = head("Service", pick(kName), pick(kNamespace), "v1");
    if (chance(40)) text.replace(text.size() - 2, 2, annotation());
    return text + "spec: {clusterIP: " + pick(kAddress) + ", ports: " + pick(kPorts) + "}\n";
  }

  std::string endpoints() {
    static constexpr const char* kName[] = {"one", "two", "three", "pay"};
    static constexpr const char* kNamespace[] = {"default", "edge"};
    static constexpr const char* kSubsets[] = {
        "[]", "[{addresses: [{ip: 10.1.0.1}, {ip: 10.1.0.2}], ports: [{port: 8080}]}]",
        "[{addresses: [{ip: 10.1.0.3}], ports: [{name: http, port: 8080}, {name: adm, port: 8080}]}]"};
    return head("Endpoints", pick(kName), pick(kNamespace), "v1") + "subsets: " + pick(kSubsets) + "\n";
  }

  std::string slice() {
    static constexpr const char* kNamespace[] = {"default", "edge"};
    static constexpr const char* kOwner[] = {"one", "two", "pay"};
    static constexpr const char* kEndpoints[] = {
        "[]", "[{addresses: [10.2.0.1]}, {addresses: [10.2.0.2], conditions: {ready: false}}]",
        "[{addresses: [10.2.0.3], conditions: {ready: false, serving: true, terminating: true}}]"};
    static constexpr const char* kPorts[] = {"[{port: 8080}]", "[{name: web, port: 8080}]"};
    return "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: " + name("s", 4) +
           ", namespace: " + pick(kNamespace) + ", labels: {kubernetes.io/service-name: " + pick(kOwner) +
           "}}\naddressType: IPv4\nendpoints: " + pick(kEndpoints) + "\nports: " + pick(kPorts) + "\n";
  }

  std::string module() {
    static constexpr const char* kName[] = {"ambassador", "ambassador", "ambassador", "tls"};
    static constexpr const char* kSettings[] = {
        "",
        "",
        "{use_remote_address: false}",
        "{gzip: {}, lua_scripts: x = 1}",
        "{cluster_request_timeout_ms: 7000}",
        "{resolver: endpoint}",
        "{resolver: mine}",
        "{resolver: mine.edge}",
        "{resolver: nope}",
        "{regex_max_size: 3}",
        "{diagnostics: {}}",
        "{diagnostics: {enabled: true, service: one}, debug_mode: true}",
        "{liveness_probe: {enabled: true, prefix: /a/, service: \"127.0.0.1:8001\"}}",
        "{readiness_probe: {enabled: true, service: \"no good\"}, server_name: x}",
        "{defaults: {tls_secret_namespacing: false}}",
        "{header_case_overrides: [X-A]}",
        "{keepalive: {time: 7}, cluster_idle_timeout_ms: 5000}",
        "{circuit_breakers: [{max_requests: 7}], enable_ipv6: true}",
        "{load_balancer: {policy: ring_hash, cookie: {name: seat}}, enable_ipv4: false}",
        "{load_balancer: {policy: nope}, use_ambassador_namespace_for_service_resolution: true}",
        "{defaults: {tls_secret_namespacing: false, httpmapping: {stats_name: all}}}",
        "{gzip: 3}"};
    const std::string kind = pick(kName);
    const std::string settings = pick(kSettings);
    return ours("Module", kind) + "  config: " + (settings.empty() ? "{}" : settings) + "\n";
  }

  std::string ns() {
    static constexpr const char* kName[] = {"default", "edge"};
    static constexpr const char* kLabels[] = {"{}", "{zone: x}", "{zone: y}"};
    return "apiVersion: v1\nkind: Namespace\nmetadata: {name: " + pick(kName) + ", labels: " + pick(kLabels) + "}\n";
  }

  std::mt19937 random_;
  std::map<std::string, std::vector<std::string>> certificates_;
  std::map<ObjectRef, ObjectPtr> objects_;
};

std::map<serve::ResourceKey, std::string> versions(const Engine& engine) {
  std::map<serve::ResourceKey, std::string> out;
  for (const auto& [key, resource] : engine.resources()) {
    std::string clusters;
    for (const std::string& cluster : resource->clusters) clusters += cluster + ",";
    out[key] = resource->version + " " + clusters + " " + resource->endpoints;
  }
  return out;
}

std::string describe(const serve::ResourceKey& key) { return std::string(serve::typeLabel(key.type)) + " " + key.name; }

void expectSameView(const View& a, const View& b) {
  EXPECT_TRUE(a.groups == b.groups);
  EXPECT_TRUE(a.clusters == b.clusters);
  EXPECT_TRUE(a.resolvers == b.resolvers);
  EXPECT_TRUE(a.hosts == b.hosts);
  EXPECT_TRUE(a.listeners == b.listeners);
  EXPECT_TRUE(std::equal(a.objects.begin(), a.objects.end(), b.objects.begin(), b.objects.end(),
                         [](const ObjectPtr& x, const ObjectPtr& y) { return x->ref == y->ref && x->source == y->source; }));
  EXPECT_EQ(a.resources.size(), b.resources.size());
}

void expectSame(const Engine& incremental, const Engine& fresh) {
  const auto a = versions(incremental), b = versions(fresh);
  for (const auto& [key, version] : b) {
    if (!a.contains(key)) ADD_FAILURE() << "missing: " << describe(key);
    else if (a.at(key) != version) ADD_FAILURE() << "differs: " << describe(key) << "\n" << a.at(key) << "\n" << version;
    EXPECT_EQ(incremental.provenance(key), fresh.provenance(key)) << describe(key);
  }
  for (const auto& [key, version] : a) {
    if (!b.contains(key)) ADD_FAILURE() << "left over: " << describe(key);
  }
  const auto x = incremental.findings(), y = fresh.findings();
  EXPECT_EQ(x.size(), y.size());
  for (size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
    EXPECT_EQ(x[i], y[i]) << x[i].object.text() << " " << x[i].message << "\n" << y[i].object.text() << " " << y[i].message;
  }
  const auto counts = incremental.objectCounts(), expected = fresh.objectCounts();
  for (const auto& [kind, count] : expected) {
    const auto it = counts.find(kind);
    ASSERT_NE(it, counts.end());
    EXPECT_EQ(it->second.accepted, count.accepted) << kindName(kind);
    EXPECT_EQ(it->second.rejected, count.rejected) << kindName(kind);
  }
  expectSameView(*incremental.view(), *fresh.view());
}

/// What somebody knows who asks for no more than what moved.
void follow(Engine& engine, std::map<ObjectRef, bool>& used) {
  for (const ObjectRef& ref : engine.takeMoved()) {
    const Engine::Standing standing = engine.standing(ref);
    if (standing.object) used[ref] = standing.used;
    else used.erase(ref);
  }
}

/// All but what is told of Secrets themselves.
void expectSameWithoutSecrets(const Engine& all, const Engine& named) {
  EXPECT_EQ(versions(all), versions(named));
  const auto told = [](const Engine& engine) {
    std::vector<Finding> out = engine.findings();
    std::erase_if(out, [](const Finding& finding) { return finding.object.kind == Kind::Secret; });
    return out;
  };
  EXPECT_EQ(told(all), told(named));
}

class EngineProperty : public ::testing::TestWithParam<uint32_t> {};

TEST_P(EngineProperty, IncrementalEqualsFresh) {
  const char* wanted = std::getenv("EMISSARY_PROPERTY_EDITS");
  const int edits = wanted ? std::atoi(wanted) : 400;
  World world(GetParam());
  Options options;
  options.strict_labels = GetParam() % 4 != 0;
  options.route_list_limit = GetParam() % 2 == 0 ? 64 : 1;  // lists, and match trees
  options.forbidden_upstreams = {"127.0.0.1:8877", "127.0.0.1:8001"};
  Engine engine(options);
  std::map<serve::ResourceKey, std::string> published;
  std::map<ObjectRef, bool> used;
  int trees = 0;
  for (int i = 0; i < edits; ++i) {
    std::vector<Change> changes;
    do changes.push_back(world.edit());
    while (world.chance(25));
    if (world.chance(3)) engine.setEnvoy(options.envoy = world.envoy());
    const serve::Update update = engine.apply(changes);
    for (const auto& key : update.removals) EXPECT_EQ(published.erase(key), 1u) << describe(key);
    for (const auto& resource : update.upserts) {
      std::string& version = published[{resource->type, resource->name}];
      EXPECT_NE(version, resource->version) << "sent again unchanged: " << resource->name;
      version = resource->version;
      trees += resource->wire.find("RouteList") != std::string::npos;
    }
    Engine fresh(options);
    fresh.apply(world.shuffled());
    expectSame(engine, fresh);
    if (i % 8 == 0) {
      Engine named(options);
      named.apply(world.named());
      expectSameWithoutSecrets(engine, named);
    }
    follow(engine, used);
    std::map<ObjectRef, bool> expected;
    follow(fresh, expected);
    EXPECT_EQ(used, expected);
    EXPECT_EQ(published.size(), engine.resources().size());
    for (const auto& [key, version] : published) EXPECT_EQ(engine.resources().at(key)->version, version);
    if (::testing::Test::HasFailure()) {
      FAIL() << "after edit " << i << ": " << changes.back().ref.text() << (changes.back().object ? " written" : " removed") << " ("
             << changes.size() << " changes)";
    }
  }
  if (edits >= 400) {
    EXPECT_EQ(trees > 0, options.route_list_limit == 1);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, EngineProperty, ::testing::Range(1u, 13u));

}  // namespace
}  // namespace emissary::engine
