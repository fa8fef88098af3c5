// What an Envoy lacks is in nothing that it is sent, is told, and costs nothing else.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "engine/engine.h"
#include "engine/testing.h"

namespace emissary::engine {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Asks for everything that an Envoy may lack.
const std::string kEverything = testing::kListenerAndHost + R"(
apiVersion: getambassador.io/v3alpha1
kind: Module
metadata: {name: ambassador, namespace: default}
spec:
  config:
    lua_scripts: "function envoy_on_request(h) end"
    gzip: {}
    buffer: {max_request_bytes: 1000}
    ip_deny: [{peer: 10.9.9.9}]
    enable_grpc_http11_bridge: true
    enable_grpc_web: true
    grpc_stats: {all_methods: true}
    header_case_overrides: [X-Foo]
    envoy_log_path: /tmp/access.log
    cors: {origins: ["https://a.com"]}
    load_balancer: {policy: least_request}
---
apiVersion: getambassador.io/v3alpha1
kind: Listener
metadata: {name: proxied, namespace: default}
spec: {port: 8081, protocol: HTTPPROXY, securityModel: XFP, hostBinding: {namespace: {from: ALL}}}
---
apiVersion: getambassador.io/v3alpha1
kind: Listener
metadata: {name: tls, namespace: default}
spec: {port: 8443, protocol: HTTPS, securityModel: XFP, hostBinding: {namespace: {from: ALL}}}
---
apiVersion: getambassador.io/v3alpha1
kind: TCPMapping
metadata: {name: mail, namespace: default}
spec: {port: 8025, service: "10.0.0.1:25"}
---
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: ring, namespace: default}
spec: {hostname: "*", prefix: /ring/, service: "shop:81", resolver: endpoint, load_balancer: {policy: ring_hash, source_ip: true},
       health_checks: [{health_check: {http: {path: /}}}]}
---
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: maglev, namespace: default}
spec: {hostname: "*", prefix: /maglev/, service: "shop:82", resolver: endpoint, load_balancer: {policy: maglev, source_ip: true}, grpc: true,
       health_checks: [{health_check: {grpc: {upstream_name: x}}}]}
---
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: plain, namespace: default}
spec: {hostname: "*", prefix: /plain/, service: "10.0.0.1:83", cors: {origins: ["https://b.com"]}}
---
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: name, namespace: default}
spec: {hostname: "*", prefix: /name/, service: "db.example:84", dns_type: logical_dns, respect_dns_ttl: true}
)";

/// Hosts enough for scoped routes, and a table long enough for a tree.
std::string manyHosts() {
  std::string out = testing::kListenerAndHost;
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    out += "apiVersion: getambassador.io/v3alpha1\nkind: Host\nmetadata: {name: " + std::string(name) + ", namespace: default}\n" +
           "spec: {hostname: " + name + ".com, requestPolicy: {insecure: {action: Route}}}\n---\n";
  }
  for (const char* name : {"a", "b", "c"}) {
    out += "apiVersion: getambassador.io/v3alpha1\nkind: Mapping\nmetadata: {name: " + std::string(name) +
           ", namespace: default}\n" + "spec: {hostname: \"*\", prefix: /" + name + "/, service: \"10.0.0.1:81\"}\n---\n";
  }
  return out;
}

struct Result {
  /// What is sent, one after another.
  std::string wire;
  size_t listeners = 0;
  size_t clusters = 0;
  std::vector<std::string> told;
};

Result compiled(const std::string& manifests, ir::EnvoyBuild envoy, size_t route_list_limit = 64) {
  Options options;
  options.envoy = std::move(envoy);
  options.route_list_limit = route_list_limit;
  Engine engine(options);
  engine.apply(testing::changes(manifests));
  Result out;
  for (const auto& [key, resource] : engine.resources()) {
    out.wire += resource->wire;
    out.listeners += key.type == serve::Type::Listener;
    out.clusters += key.type == serve::Type::Cluster;
  }
  for (const Finding& finding : engine.findings()) {
    if (finding.message.find("this Envoy (") == std::string::npos) continue;
    out.told.push_back(finding.object.name + " " + finding.field + ": " + finding.message);
  }
  return out;
}

Result compiled(const std::string& manifests, uint32_t missing, size_t route_list_limit = 64) {
  return compiled(manifests, ir::EnvoyBuild{missing == 0 ? "" : "1.40.0-acme", missing}, route_list_limit);
}

bool holds(const std::string& wire, const std::string& trace) { return wire.find(trace) != std::string::npos; }

std::string bare(ir::Extension extension) {
  const std::string name(ir::extensionName(extension));
  return name.substr(name.find('/') + 1);
}

uint32_t bit(ir::Extension extension) { return 1u << static_cast<unsigned>(extension); }

struct Case {
  ir::Extension missing;
  /// In the wire where it is not missing; "" where only a number there tells.
  std::string trace;
  /// Who is told, and of what.
  std::vector<std::string> told;
  /// Of the four Listeners, how many are open.
  size_t listeners = 4;
};

const Case kCases[] = {
    {ir::Extension::Buffer, "http.buffer.v3.Buffer", {"ambassador spec.config.buffer"}},
    {ir::Extension::Compressor, "compressor.v3.Compressor", {"ambassador spec.config.gzip"}},
    {ir::Extension::Cors, "cors.v3.Cors", {"ambassador spec.config.cors", "plain spec.cors"}},
    {ir::Extension::DnsCluster, "dns.v3.DnsCluster", {"name spec.respect_dns_ttl"}},
    {ir::Extension::FileLog, "FileAccessLog", {"ambassador spec.config.envoy_log_path"}},
    {ir::Extension::GrpcHealthCheck, "", {"maglev spec.health_checks"}},
    {ir::Extension::GrpcHttp1Bridge, "grpc_http1_bridge", {"ambassador spec.config.enable_grpc_http11_bridge"}},
    {ir::Extension::GrpcStats, "grpc_stats.v3", {"ambassador spec.config.grpc_stats"}},
    {ir::Extension::GrpcWeb, "grpc_web.v3", {"ambassador spec.config.enable_grpc_web"}},
    {ir::Extension::Gzip, "compressor.v3.Gzip", {"ambassador spec.config.gzip"}},
    {ir::Extension::HttpHealthCheck, "", {"ring spec.health_checks"}},
    {ir::Extension::LeastRequest, "", {"ambassador spec.config.load_balancer"}},
    {ir::Extension::Lua, "lua.v3.Lua", {"ambassador spec.config.lua_scripts"}},
    {ir::Extension::Maglev, "", {"maglev spec.load_balancer"}},
    {ir::Extension::PreserveCase, "PreserveCaseFormatterConfig", {"ambassador spec.config.header_case_overrides"}},
    {ir::Extension::ProxyProtocol, "proxy_protocol.v3.ProxyProtocol", {"proxied spec.protocolStack"}, 3},
    {ir::Extension::Rbac, "rbac.v3.RBAC", {"ambassador spec.config.ip_deny", "http ", "proxied ", "tls "}, 1},
    {ir::Extension::RingHash, "", {"ring spec.load_balancer"}},
    {ir::Extension::TcpProxy, "tcp_proxy.v3", {"mail "}, 3},
    {ir::Extension::TlsInspector, "tls_inspector.v3", {"tls spec.protocolStack"}, 3},
};

TEST(Withheld, WhatIsMissingIsNotSentAndTold) {
  const Result all = compiled(kEverything, 0);
  EXPECT_EQ(all.listeners, 4u);
  EXPECT_TRUE(all.told.empty());
  for (const Case& c : kCases) {
    SCOPED_TRACE(bare(c.missing));
    const Result less = compiled(kEverything, bit(c.missing));
    if (!c.trace.empty()) {
      EXPECT_TRUE(holds(all.wire, c.trace));
      EXPECT_FALSE(holds(less.wire, c.trace));
    } else {
      EXPECT_TRUE(less.wire != all.wire);
    }
    EXPECT_EQ(less.listeners, c.listeners);
    // The cluster of a TCPMapping goes with it.
    EXPECT_EQ(less.clusters, all.clusters - (c.missing == ir::Extension::TcpProxy ? 1 : 0));
    ASSERT_EQ(less.told.size(), c.told.size()) << ::testing::PrintToString(less.told);
    for (const std::string& told : c.told) {
      EXPECT_THAT(less.told, Contains(AllOf(StartsWith(told), HasSubstr("this Envoy (1.40.0-acme) has no " + bare(c.missing)))));
    }
  }
}

TEST(Withheld, AnOldEnvoyMakesTheFirstHealthCheck) {
  const auto manifests = [](const std::string& more) {
    return testing::kListenerAndHost + R"(
---
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: checked}
spec:
  hostname: "*"
  prefix: /
  service: shop
  resolver: endpoint
  health_checks:
  - {health_check: {http: {path: /fit}}}
)" + more + R"(
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {ports: [{port: 80}]}
)";
  };
  const std::string several = manifests("  - {health_check: {http: {path: /also}}}\n");
  const ir::EnvoyBuild old{"1.39.3", 0, true};
  const Result less = compiled(several, old);
  EXPECT_TRUE(holds(compiled(several, 0).wire, "/also"));
  EXPECT_EQ(less.wire, compiled(manifests(""), 0).wire);
  EXPECT_THAT(less.told, ::testing::ElementsAre(
                             "checked spec.health_checks: this Envoy (1.39.3) takes one check only, so the first is made; run "
                             "Envoy 1.40 or newer, or remove the others"));
  EXPECT_TRUE(compiled(manifests(""), old).told.empty());
}

TEST(Withheld, RoutesAreFoundWithoutScopesAndTrees) {
  const std::string manifests = manyHosts();
  const std::string all = compiled(manifests, 0, 1).wire;
  EXPECT_TRUE(holds(all, "lua.v3.Lua"));
  EXPECT_TRUE(holds(all, "RouteList"));
  for (const auto missing :
       {ir::Extension::EarlyHeaderMutation, ir::Extension::HeaderInput, ir::Extension::Lua, ir::Extension::MatchDelegate}) {
    SCOPED_TRACE(ir::extensionName(missing));
    const Result less = compiled(manifests, bit(missing), 1);
    for (const char* trace : {"lua.v3.Lua", "HeaderMutation", "ExtensionWithMatcher", "ScopedRouteConfiguration"}) {
      EXPECT_FALSE(holds(less.wire, trace)) << trace;
    }
    const bool tree = missing != ir::Extension::HeaderInput;
    EXPECT_EQ(holds(less.wire, "RouteList"), tree);
    EXPECT_EQ(holds(less.wire, "HttpRequestHeaderMatchInput"), tree);
    EXPECT_TRUE(less.told.empty());
  }
}

}  // namespace
}  // namespace emissary::engine
