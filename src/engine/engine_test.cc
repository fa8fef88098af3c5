// What one change costs, and what it says. Each of these fails when a dirtying edge is cut or added.

#include "engine/engine.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "engine/testing.h"

namespace emissary::engine {
namespace {

using testing::changes;

constexpr int kHosts = 10;
constexpr int kMappingsPerHost = 30;

std::string mapping(int index, const std::string& extra = "") {
  return fmt::format(
      "---\napiVersion: getambassador.io/v3alpha1\nkind: Mapping\nmetadata: {{name: m{0}, namespace: default}}\n"
      "spec: {{hostname: h{1}.example.com, prefix: /p{0}/, service: s{0}:80, resolver: endpoint{2}}}\n",
      index, index % kHosts, extra.empty() ? "" : ", " + extra);
}

std::string service(int index) {
  return fmt::format(
      "---\napiVersion: v1\nkind: Service\nmetadata: {{name: s{}, namespace: default}}\nspec: {{clusterIP: 10.0.0.9, ports: "
      "[{{port: 80, "
      "targetPort: 8080}}]}}\n",
      index);
}

std::string slice(int index, const std::string& addresses) {
  return fmt::format(
      "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {{name: s{0}-x, namespace: default, labels: "
      "{{kubernetes.io/service-name: s{0}}}}}\naddressType: IPv4\nendpoints: [{{addresses: [{1}]}}]\nports: [{{port: 8080}}]\n",
      index, addresses);
}

std::string host(const std::string& name, const std::string& hostname, const std::string& extra = "") {
  return fmt::format(
      "---\napiVersion: getambassador.io/v3alpha1\nkind: Host\nmetadata: {{name: {}, namespace: default}}\n"
      "spec: {{hostname: \"{}\", requestPolicy: {{insecure: {{action: Route}}}}{}}}\n",
      name, hostname, extra);
}

const std::string kListener =
    "---\napiVersion: getambassador.io/v3alpha1\nkind: Listener\nmetadata: {name: web, namespace: default}\n"
    "spec: {port: 8080, protocol: HTTP, securityModel: XFP, hostBinding: {namespace: {from: ALL}}}\n";

using Sent = std::vector<std::string>;

class EngineTest : public ::testing::Test {
 protected:
  serve::Update apply(const std::string& text) {
    before_ = engine_.evaluations();
    return engine_.apply(changes(text));
  }
  serve::Update remove(Kind kind, const std::string& name) {
    before_ = engine_.evaluations();
    return engine_.apply({{{kind, "default", name}, nullptr}});
  }
  /// Functions evaluated by the last change.
  uint64_t evaluated(Table table) const {
    return engine_.evaluations()[static_cast<size_t>(table)] - before_[static_cast<size_t>(table)];
  }
  uint64_t evaluated() const {
    uint64_t sum = 0;
    for (size_t i = 0; i < kTables; ++i) sum += engine_.evaluations()[i] - before_[i];
    return sum;
  }

  std::vector<std::string> sent(const serve::Update& update) {
    std::vector<std::string> out;
    for (const auto& resource : update.upserts)
      out.push_back(fmt::format("{} {}", serve::typeLabel(resource->type), resource->name));
    for (const auto& key : update.removals) out.push_back(fmt::format("-{} {}", serve::typeLabel(key.type), key.name));
    return out;
  }

  /// The fields that findings on `name` are about.
  std::vector<std::string> about(const std::string& name) {
    std::vector<std::string> out;
    for (const Finding& finding : engine_.findings()) {
      if (finding.object.name == name) out.push_back(finding.field);
    }
    return out;
  }

  void fill() {
    std::string text = kListener;
    for (int i = 0; i < kHosts; ++i) text += host(fmt::format("h{}", i), fmt::format("h{}.example.com", i));
    for (int i = 0; i < kHosts * kMappingsPerHost; ++i) text += mapping(i) + service(i) + slice(i, "10.1.0.1");
    apply(text);
  }

  Engine engine_{Options{}};
  std::array<uint64_t, kTables> before_{};
};

TEST_F(EngineTest, AnEndpointChangeSendsOneAssignmentAndCompilesNothing) {
  fill();
  const serve::Update update = apply(slice(7, "10.1.0.2, 10.1.0.3"));
  EXPECT_EQ(sent(update), (Sent{"endpoints k8s/default/s7/80"}));
  EXPECT_EQ(evaluated(Table::Service), 1u);
  EXPECT_EQ(evaluated(Table::Endpoints), 1u);
  EXPECT_EQ(evaluated(), 2u);
}

// Else Envoy would be sent routes whose copies go to a cluster that it does not have yet.
TEST_F(EngineTest, RoutesWaitForTheirShadowsCluster) {
  apply(kListener + host("h0", "h0.example.com") + mapping(0));
  const auto waitsFor = [&] {
    std::vector<std::string> out;
    for (const auto& [key, resource] : engine_.resources()) {
      if (key.type == serve::Type::Routes) out.insert(out.end(), resource->clusters.begin(), resource->clusters.end());
    }
    std::erase(out, "cluster_127_0_0_1_8877_default");  // the built-in Mappings'
    return out;
  };
  ASSERT_EQ(waitsFor().size(), 1u);
  apply(
      "---\napiVersion: getambassador.io/v3alpha1\nkind: Mapping\nmetadata: {name: copy, namespace: default}\n"
      "spec: {hostname: h0.example.com, prefix: /p0/, service: copies, shadow: true}\n");
  ASSERT_EQ(waitsFor().size(), 2u);
  EXPECT_EQ(waitsFor()[1], "cluster_shadow_copies_default");
  remove(Kind::Mapping, "copy");
  EXPECT_EQ(waitsFor().size(), 1u);
}

TEST_F(EngineTest, AChangedMappingEvaluatesAndSendsAboutOneThing) {
  fill();
  const serve::Update update = apply(mapping(42, "timeout_ms: 1234"));
  EXPECT_EQ(sent(update), (Sent{"routes host/default/h2/route"}));
  EXPECT_EQ(evaluated(Table::Mapping), 1u);
  EXPECT_EQ(evaluated(Table::Group), 1u);
  EXPECT_EQ(evaluated(Table::HostRoutes), 1u);
  EXPECT_EQ(evaluated(Table::Resource), 1u);
  EXPECT_EQ(evaluated(), 4u);
}

TEST_F(EngineTest, AnAddedMappingEvaluatesItsClusterToo) {
  fill();
  const serve::Update update = apply(mapping(1000));
  EXPECT_EQ(sent(update).size(), 3u);  // cluster, assignment, routes
  EXPECT_EQ(evaluated(Table::Cluster), 1u);
  EXPECT_EQ(evaluated(Table::Endpoints), 1u);
  EXPECT_EQ(evaluated(), 6u);
  EXPECT_EQ(remove(Kind::Mapping, "m1000").removals.size(), 2u);
  EXPECT_LE(evaluated(), 3u);
}

TEST_F(EngineTest, TheSameContentAgainDoesNothing) {
  fill();
  const serve::Update update = apply(mapping(42) + service(3) + slice(4, "10.1.0.1") + kListener + host("h1", "h1.example.com"));
  EXPECT_TRUE(sent(update).empty());
  EXPECT_EQ(evaluated(Table::Mapping), 0u);
  EXPECT_EQ(evaluated(Table::Listener), 0u);
}

TEST_F(EngineTest, ACertificateRotatesBySdsAlone) {
  apply(kListener + "---\n" + testing::secretManifest("default", "cert", "a.com") +
        "---\napiVersion: getambassador.io/v3alpha1\nkind: Listener\nmetadata: {name: tls, namespace: default}\n"
        "spec: {port: 8443, protocol: HTTPS, securityModel: XFP, hostBinding: {namespace: {from: ALL}}}\n" +
        host("a", "a.com", ", tlsSecret: {name: cert}") + mapping(1));
  const serve::Update update = apply(testing::secretManifest("default", "cert", "a.com"));
  EXPECT_EQ(sent(update), (Sent{"secret certificate/default/cert"}));
  EXPECT_EQ(evaluated(Table::Host), 0u);
  EXPECT_EQ(evaluated(Table::Listener), 0u);

  const serve::Update gone = remove(Kind::Secret, "cert");
  EXPECT_EQ(evaluated(Table::Host), 1u);
  EXPECT_EQ(about("a"), (Sent{"spec.tlsSecret"}));
  EXPECT_EQ(about("web"), (Sent{"spec.hostBinding"}));
  EXPECT_FALSE(gone.removals.empty());
}

TEST_F(EngineTest, AServiceThatAppearsTakesItsClusterFromDnsToItsAddress) {
  apply(kListener + host("a", "h1.example.com") +
        "---\napiVersion: getambassador.io/v3alpha1\nkind: Mapping\nmetadata: {name: m, namespace: default}\n"
        "spec: {hostname: h1.example.com, prefix: /, service: \"s1:80\"}\n");
  EXPECT_EQ(engine_.resources().count({serve::Type::Endpoints, "clusterip/default/s1/80"}), 0u);
  EXPECT_EQ(sent(apply(service(1))), (Sent{"cluster cluster_s1_80_default", "endpoints clusterip/default/s1/80"}));
  EXPECT_EQ(evaluated(Table::Mapping), 0u);
  EXPECT_EQ(sent(remove(Kind::Service, "s1")), (Sent{"cluster cluster_s1_80_default", "-endpoints clusterip/default/s1/80"}));
}

TEST_F(EngineTest, AHostIsAddedWithoutTouchingOthers) {
  fill();
  const serve::Update update = apply(host("new", "new.example.com"));
  // The chain routes by scopes: a new one and its RouteConfiguration, and no Listener that would drain.
  EXPECT_EQ(sent(update), (Sent{"scoped_routes web.default:8080/new.example.com", "routes host/default/new/route"}));
  EXPECT_EQ(evaluated(Table::Mapping), 0u);
  EXPECT_EQ(evaluated(Table::Group), 0u);
}

TEST_F(EngineTest, NamesOfDifferentUpstreamsNeverMeet) {
  const auto two = [](const std::string& first, const std::string& second) {
    return fmt::format(
        "---\napiVersion: getambassador.io/v3alpha1\nkind: Mapping\nmetadata: {{name: a, namespace: default}}\n"
        "spec: {{hostname: \"*\", prefix: /a/, service: \"{}\"}}\n---\napiVersion: getambassador.io/v3alpha1\nkind: Mapping\n"
        "metadata: {{name: b, namespace: default}}\nspec: {{hostname: \"*\", prefix: /b/, service: \"{}\"}}\n",
        first, second);
  };
  apply(two("pay.edge", "pay-edge"));
  size_t clusters = 0;
  for (const auto& [key, resource] : engine_.resources()) clusters += key.type == serve::Type::Cluster;
  EXPECT_EQ(clusters, 3u);  // and the administration server's
  EXPECT_EQ(engine_.resources().count({serve::Type::Cluster, "cluster_pay_edge_default"}), 1u);
}

TEST_F(EngineTest, AnotherInstallationsObjectsAreNotThere) {
  apply(
      "---\napiVersion: getambassador.io/v3alpha1\nkind: Mapping\nmetadata: {name: a, namespace: default}\n"
      "spec: {ambassador_id: [blue], hostname: \"*\", prefix: /a/, service: a, weight: -1}\n");
  EXPECT_TRUE(engine_.findings().empty());
  EXPECT_TRUE(engine_.objectCounts().empty());
}

TEST_F(EngineTest, AMappingWithoutAHostIsToldWhatIsNear) {
  const auto message = [&](const std::string& name) {
    for (const Finding& finding : engine_.findings()) {
      if (finding.object.name == name && finding.field != "spec.service") return finding.message;
    }
    return std::string();
  };
  apply(kListener + host("a", "a.com") + host("example", "h2.example.com") + mapping(1));
  EXPECT_EQ(
      message("m1"),
      "no Host serves \"h1.example.com\", so it gets no requests; add a Host with spec: {hostname: \"h1.example.com\"}, or write "
      "a name that exists. Similar: h2.example.com (Host default/example)");
  apply(host("example", "h1.example.com", ", mappingSelector: {matchLabels: {app: shop}}"));
  EXPECT_EQ(
      message("m1"),
      "Host default/example serves \"h1.example.com\", but its mappingSelector does not match this Mapping's labels, so it gets "
      "no requests; write metadata: {labels: {app: shop}}");
  EXPECT_NE(message("a").find("no Mapping is for \"a.com\""), std::string::npos) << message("a");
  EXPECT_NE(message("example").find("write metadata: {labels: {app: shop}} in a Mapping"), std::string::npos) << message("example");
  apply(host("example", "*.example.com"));
  EXPECT_EQ(message("m1"), "");
  EXPECT_EQ(message("example"), "");
}

TEST_F(EngineTest, ATlsContextThatNobodyUses) {
  const std::string context =
      "---\napiVersion: getambassador.io/v3alpha1\nkind: TLSContext\nmetadata: {name: strict, namespace: default}\n"
      "spec: {hosts: [a.com], secret: cert}\n";
  const auto message = [&] {
    for (const Finding& finding : engine_.findings()) {
      if (finding.object.kind == Kind::TLSContext) return finding.message;
    }
    return std::string();
  };
  apply(context);
  EXPECT_TRUE(
      message().starts_with("No Hosts defined, but TLSContexts exist that terminate TLS. The TLSContexts are being ignored."));
  EXPECT_NE(message().find("{hostname: \"a.com\", tlsSecret: {name: cert}, tlsContext: {name: strict}}"), std::string::npos);
  apply(host("a", "a.com"));
  EXPECT_TRUE(message().starts_with("names Secret default/cert, which does not exist")) << message();
  EXPECT_EQ(about("strict"), (Sent{"spec.secret", ""}));
  apply(testing::secretManifest("default", "cert", "a"));
  EXPECT_TRUE(message().starts_with("nothing uses this TLSContext")) << message();
  apply(host("a", "a.com", ", tlsSecret: {name: cert}, tlsContext: {name: strict}") + "---\n" +
        testing::secretManifest("default", "cert", "a"));
  EXPECT_EQ(message(), "");
}

TEST_F(EngineTest, CertificatesInUseAndTheirTime) {
  apply(kListener + "---\n" + testing::secretManifest("default", "cert", "a.com") + "---\n" +
        testing::secretManifest("default", "other", "b.com") +
        "---\napiVersion: getambassador.io/v3alpha1\nkind: Listener\nmetadata: {name: tls, namespace: default}\n"
        "spec: {port: 8443, protocol: HTTPS, securityModel: XFP, hostBinding: {namespace: {from: ALL}}}\n" +
        host("a", "a.com", ", tlsSecret: {name: cert}"));
  const auto uses = engine_.certificates();
  ASSERT_EQ(uses.size(), 1u) << "only what a Listener shows";
  EXPECT_EQ(uses[0].secret.name, "cert");
  EXPECT_EQ(uses[0].hosts.at(0).name, "a");
  const auto said = [&](int64_t now) {
    for (const Finding& finding : engine_.findings(now)) {
      if (finding.object.kind == Kind::Secret) return finding.message;
    }
    return std::string();
  };
  EXPECT_EQ(said(0), "");
  EXPECT_EQ(said(uses[0].not_after), "");
  EXPECT_NE(said(uses[0].not_after + 1).find("has expired at "), std::string::npos);
  EXPECT_EQ(said(uses[0].not_before), "");
  EXPECT_NE(said(uses[0].not_before - 1).find("is not valid before "), std::string::npos);
}

TEST_F(EngineTest, FindingsStandAtTheirField) {
  apply(
      "---\napiVersion: getambassador.io/v3alpha1\nkind: Host\nmetadata: {name: a, namespace: default}\nspec:\n  hostname: a.com\n"
      "  tlsSecret: {name: gone}\n");
  int line = 0;
  for (const Finding& finding : engine_.findings()) {
    if (finding.field == "spec.tlsSecret") line = finding.line;
  }
  EXPECT_EQ(line, 7);
}

std::string module(const std::string& config, const std::string& ns = "default") {
  return fmt::format(
      "---\napiVersion: getambassador.io/v3alpha1\nkind: Module\nmetadata: {{name: ambassador, namespace: {}}}\nspec: {{config: "
      "{}}}\n",
      ns, config);
}

TEST_F(EngineTest, TheModulesHttpSettingsTouchListenersAlone) {
  fill();
  EXPECT_EQ(sent(apply(module("{server_name: x}"))), (Sent{"listener web.default:8080"}));
  EXPECT_EQ(evaluated(Table::Listener), 1u);
  EXPECT_EQ(evaluated(Table::Mapping), 0u);
  EXPECT_EQ(evaluated(Table::Host), 0u);
  EXPECT_EQ(evaluated(Table::HostRoutes), 0u);
}

TEST_F(EngineTest, TheModulesDefaultsTouchMappingsAlone) {
  fill();
  const serve::Update update = apply(module("{cluster_request_timeout_ms: 1234}"));
  EXPECT_EQ(evaluated(Table::Mapping), static_cast<uint64_t>(kHosts * kMappingsPerHost) + 3);
  EXPECT_EQ(evaluated(Table::Listener), 0u);
  EXPECT_EQ(update.upserts.size(), static_cast<size_t>(kHosts)) << "the routes of each Host";
}

TEST_F(EngineTest, WhatOnlyPagesShowTouchesNothing) {
  fill();
  EXPECT_TRUE(sent(apply(module("{debug_mode: true}"))).empty());
  EXPECT_EQ(evaluated(), 0u);
  EXPECT_TRUE(engine_.module().debug_mode);
}

TEST_F(EngineTest, BuiltInMappingsAreOnEveryHostUntilSwitchedOff) {
  apply(kListener + host("a", "a.com", ", mappingSelector: {matchLabels: {app: shop}}"));
  const auto routes = [&] { return engine_.resources().at({serve::Type::Routes, "listener/default/web"})->wire; };
  const auto cluster = [&] { return engine_.resources().count({serve::Type::Cluster, "cluster_127_0_0_1_8877_default"}); };
  EXPECT_NE(routes().find("/ambassador/v0/check_alive"), std::string::npos);
  EXPECT_NE(routes().find("/ambassador/v0/check_ready"), std::string::npos);
  EXPECT_EQ(cluster(), 1u);
  EXPECT_EQ(about("a"), (Sent{"spec.mappingSelector"})) << "no Mapping of a user's is for it";
  EXPECT_EQ(engine_.findings().size(), 1u);
  EXPECT_EQ(engine_.objectCounts().count(Kind::Mapping), 0u);
  EXPECT_EQ(engine_.provenance({serve::Type::Cluster, "cluster_127_0_0_1_8877_default"}), std::vector<ObjectRef>{});

  apply(module("{liveness_probe: {enabled: false}, readiness_probe: {}, diagnostics: {enabled: false}}"));
  EXPECT_EQ(routes().find("/ambassador/v0/"), std::string::npos);
  EXPECT_EQ(cluster(), 0u);
  EXPECT_EQ(evaluated(Table::Listener), 0u);

  apply(module("{readiness_probe: {enabled: true, prefix: /up, service: \"bad:port\"}}"));
  EXPECT_NE(routes().find("/up"), std::string::npos);
  EXPECT_EQ(about("ambassador"), (Sent{"spec.config.readiness_probe"}));
}

TEST(EngineOptions, BuiltInMappingsMayLeadWhereOthersMayNot) {
  Options options;
  options.forbidden_upstreams = {"127.0.0.1:9877", "127.0.0.1:8001"};
  options.administration = "127.0.0.1:9877";
  Engine engine(options);
  engine.apply({});
  EXPECT_EQ(engine.resources().count({serve::Type::Cluster, "cluster_127_0_0_1_9877_default"}), 1u);
  engine.apply(changes(module("{diagnostics: {enabled: true, service: \"127.0.0.1:8001\"}}")));
  EXPECT_EQ(engine.resources().count({serve::Type::Cluster, "cluster_127_0_0_1_8001_default"}), 0u);
  ASSERT_EQ(engine.findings().size(), 1u);
  EXPECT_EQ(engine.findings()[0].field, "spec.config.diagnostics");
}

TEST(EngineOptions, ALogThatCannotBeOpenedGoesToTheStandardOutput) {
  Options options;
  options.log_problem = [](const std::string& path) { return path == "/no/log" ? "No such file or directory" : ""; };
  Engine engine(options);
  const auto wire = [&] { return engine.resources().at({serve::Type::Listener, "web.default:8080"})->wire; };
  engine.apply(changes(kListener + host("a", "a.com") + module("{envoy_log_path: /no/log, server_name: kept}")));
  EXPECT_EQ(wire().find("/no/log"), std::string::npos);
  EXPECT_NE(wire().find("StdoutAccessLog"), std::string::npos);
  EXPECT_NE(wire().find("kept"), std::string::npos);
  ASSERT_EQ(engine.findings().size(), 2u);  // and the Host has no Mapping
  EXPECT_EQ(engine.findings()[0].field, "spec.config.envoy_log_path");
  EXPECT_TRUE(engine.findings()[0].message.starts_with("/no/log cannot be opened: No such file or directory; the log goes to"));
  engine.apply(changes(module("{envoy_log_path: /a/log}")));
  EXPECT_NE(wire().find("/a/log"), std::string::npos);
  EXPECT_EQ(engine.findings().size(), 1u);
}

TEST(EngineOptions, SecretsOfOtherNamespacesMayBeIgnored) {
  Options options;
  options.secrets_single_namespace = true;
  Engine engine(options);
  engine.apply(changes(testing::secretManifest("default", "ours", "a.com") + "---\n" +
                       testing::secretManifest("edge", "theirs", "a.com") +
                       "---\napiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: edge}\nspec: {clusterIP: 10.0.0.9}\n"));
  EXPECT_EQ(engine.objectCounts().at(Kind::Secret).accepted, 1u);
  EXPECT_EQ(engine.objectCounts().at(Kind::Service).accepted, 1u);
}

TEST_F(EngineTest, WhatMovedIsToldOnceAndWhetherItIsUsed) {
  const ObjectRef host_ref{Kind::Host, "default", "a"}, web{Kind::Listener, "default", "web"};
  apply(kListener);
  apply(host("a", "a.com", ", tlsSecret: {name: cert}"));
  EXPECT_EQ(engine_.takeMoved(), (std::set<ObjectRef>{host_ref, web}));
  EXPECT_EQ(engine_.takeMoved(), std::set<ObjectRef>{});
  EXPECT_FALSE(engine_.standing(host_ref).used);
  EXPECT_FALSE(engine_.standing(web).used) << "it has nothing to serve";
  apply(service(1));
  EXPECT_EQ(engine_.takeMoved(), std::set<ObjectRef>{}) << "not of ours";

  apply(testing::secretManifest("default", "cert", "a.com"));
  EXPECT_EQ(engine_.takeMoved(), (std::set<ObjectRef>{host_ref, web}));
  EXPECT_TRUE(engine_.standing(host_ref).used);
  EXPECT_TRUE(engine_.standing(web).used);

  remove(Kind::Host, "a");
  EXPECT_TRUE(engine_.takeMoved().contains(host_ref));
  EXPECT_EQ(engine_.standing(host_ref).object, nullptr);

  apply(
      "---\napiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: default, annotations: {getambassador.io/config: "
      "\"{apiVersion: getambassador.io/v3alpha1, kind: Mapping, name: inner, prefix: /, service: a}\"}}\nspec: {}\n");
  EXPECT_EQ(engine_.standing({Kind::Mapping, "default", "inner"}).object, nullptr) << "it is no object of its own";
}

TEST_F(EngineTest, OfTwoModulesOneIsRejected) {
  apply(module("{}") +
        "---\napiVersion: getambassador.io/v3alpha1\nkind: Module\n"
        "metadata: {name: ambassador, namespace: zoo}\nspec: {config: {}}\n");
  EXPECT_EQ(engine_.objectCounts().at(Kind::Module).rejected, 1u);
  EXPECT_FALSE(engine_.standing({Kind::Module, "zoo", "ambassador"}).used);
  remove(Kind::Module, "ambassador");
  EXPECT_EQ(engine_.objectCounts().at(Kind::Module).rejected, 0u);
  EXPECT_TRUE(engine_.standing({Kind::Module, "zoo", "ambassador"}).used);
}

TEST_F(EngineTest, TheModuleSaysHowLargeARegularExpressionMayBe) {
  const std::string mapping =
      "---\napiVersion: getambassador.io/v3alpha1\nkind: Mapping\nmetadata: {name: big, namespace: default}\n"
      "spec: {hostname: \"*\", prefix: \"/[a-z]{300}\", prefix_regex: true, service: a}\n";
  apply(kListener + host("a", "a.com") + mapping);
  EXPECT_EQ(about("big"), (Sent{"spec.prefix"}));
  EXPECT_EQ(engine_.objectCounts().at(Kind::Mapping).rejected, 1u);
  apply(module("{regex_max_size: 1000}"));
  EXPECT_EQ(about("big"), Sent{});
  apply(module("{regex_max_size: 100}"));
  EXPECT_EQ(about("big"), (Sent{"spec.prefix"}));
}

}  // namespace
}  // namespace emissary::engine
