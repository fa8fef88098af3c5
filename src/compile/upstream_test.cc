// What a Mapping asks of its upstream: the cluster's name, TLS, what the Module adds.

#include "compile/upstream.h"

#include "compile/mapping.h"
#include "model/testing.h"

namespace emissary::compile {
namespace {

class UpstreamTest : public ::testing::Test {
 protected:
  UpstreamResult compile(const std::string& fields, const std::string& ns = "edge") {
    objects_.push_back(model::parsedObject("apiVersion: getambassador.io/v3alpha1\nkind: Mapping\nmetadata: {name: m, namespace: " +
                                           ns + "}\nspec: {prefix: /, " + fields + "}\n"));
    const Object& object = *objects_.back();
    EXPECT_TRUE(object.usable) << model::all(object);
    const MappingContext context{installation,
                                 module,
                                 keys_,
                                 [](std::string_view name, std::string_view) -> std::optional<Kind> {
                                   if (name == "kubernetes-service") return Kind::KubernetesServiceResolver;
                                   if (name == "endpoint") return Kind::KubernetesEndpointResolver;
                                   return std::nullopt;
                                 },
                                 [this](std::string_view, std::string_view name) { return secrets[std::string(name)]; },
                                 [this](std::string_view name, std::string_view) { return contexts[std::string(name)]; }};
    return compileUpstream(object, upstreamRequest(std::get<model::Mapping>(object.spec)), context);
  }

  /// Its base name; with "-" at the end where a hash follows.
  std::string name(const std::string& fields, const std::string& ns = "edge") {
    const UpstreamResult result = compile(fields, ns);
    if (!result.upstream) return "none: " + told(result);
    return result.upstream->base_name + (result.upstream->tagged ? "-" : "");
  }

  std::string hash(const std::string& fields) { return compile(fields).upstream.value().name_hash; }

  static std::string told(const UpstreamResult& result) {
    std::string out;
    for (const std::string& text : model::told(result.findings)) out += text + "\n";
    return out;
  }

  void context(const std::string& name, const std::string& fields) {
    contexts[name] = model::parsedObject("apiVersion: getambassador.io/v3alpha1\nkind: TLSContext\nmetadata: {name: " + name +
                                         ", namespace: edge}\nspec: {" + fields + "}\n");
    ASSERT_TRUE(contexts[name]->usable) << model::all(*contexts[name]);
  }

  Installation installation;
  model::Module module;
  std::map<std::string, SecretState> secrets;
  std::map<std::string, ObjectPtr> contexts;

 private:
  SelectorKeys keys_;
  std::vector<ObjectPtr> objects_;
};

TEST_F(UpstreamTest, NamesAreUpstreams) {
  EXPECT_EQ(name("service: a"), "cluster_a_edge_edge");
  EXPECT_EQ(name("service: a", "default"), "cluster_a_default");
  EXPECT_EQ(name("service: 'https://pay:8443'"), "cluster_https___pay_edge_8443_otls_edge");
  EXPECT_EQ(name("service: 'HTTPS://UP.Case'"), "cluster_https___up_case_otls_edge");
  EXPECT_EQ(
      name("service: 'pay:80', cluster_tag: blue, circuit_breakers: [{priority: high, max_connections: 3}, {max_requests: 7}]"),
      "cluster_blue_pay_edge_80_edge_cbhc3_cbnr7");
  EXPECT_EQ(name("service: 'pay:80', resolver: endpoint, load_balancer: {policy: ring_hash, cookie: {name: seat, ttl: 3s}}"),
            "cluster_pay_edge_80_edge_er_ring_hash_cookie_seat");
  EXPECT_EQ(name("service: pay, resolver: endpoint, load_balancer: {policy: maglev, header: x-user}"),
            "cluster_pay_edge_edge_er_maglev_hdr_x_user");
  EXPECT_EQ(name("service: pay, resolver: endpoint, load_balancer: {policy: maglev, source_ip: true}"),
            "cluster_pay_edge_edge_er_maglev_srcip");
  EXPECT_EQ(name("service: '[::1]:80'"), "cluster____1__80_edge");
  EXPECT_EQ(name("service: pay, circuit_breakers: [{priority: default, max_pending_requests: 1, max_retries: 2}]"),
            "cluster_pay_edge_edge_cbdp1t2");
  EXPECT_EQ(name("service: 'https://pay', host_rewrite: a.b"), "cluster_https___pay_edge_otls_hr_a_b_edge");
  EXPECT_EQ(name("service: pay, host_rewrite: a.b"), "cluster_pay_edge_edge");
}

TEST_F(UpstreamTest, WhatNamesDoNotTellGetsAHash) {
  for (const char* field : {"grpc: true", "connect_timeout_ms: 1", "stats_name: x", "resolver: endpoint", "keepalive: {time: 7}",
                            "cluster_idle_timeout_ms: 0", "cluster_max_connection_lifetime_ms: 9",
                            "health_checks: [{health_check: {http: {path: /}}}]", "outlier_detection: {}", "dns_type: logical_dns",
                            "dns_type: strict_dns", "respect_dns_ttl: true", "enable_ipv4: false", "enable_ipv6: true"}) {
    EXPECT_EQ(name("service: pay, " + std::string(field)), "cluster_pay_edge_edge-") << field;
    EXPECT_NE(hash("service: pay, " + std::string(field)), hash("service: pay")) << field;
  }
  for (const char* field : {"connect_timeout_ms: 3000", "grpc: false", "enable_ipv4: true", "enable_ipv6: false", "keepalive: {}",
                            "resolver: kubernetes-service", "health_checks: []"}) {
    EXPECT_EQ(name("service: pay, " + std::string(field)), "cluster_pay_edge_edge") << field;
    EXPECT_EQ(compile("service: pay, " + std::string(field)).upstream, compile("service: pay").upstream) << field;
  }
}

TEST_F(UpstreamTest, TheModuleRenamesNothing) {
  const std::string own = "service: pay, keepalive: {time: 7}", before = hash(own);
  module.keepalive = model::Keepalive{9, {}, {}};
  module.cluster_idle_timeout_ms = 5000;
  module.enable_ipv6 = true;
  module.resolver = "endpoint";
  module.stats_name = "all";
  EXPECT_EQ(name("service: pay"), "cluster_pay_edge_edge");
  EXPECT_EQ(hash(own), before);
  const ir::Upstream upstream = *compile("service: pay").upstream;
  EXPECT_EQ(upstream.policy->keepalive, (model::Keepalive{9, {}, {}}));
  EXPECT_EQ(upstream.policy->idle_timeout_ms, 5000);
  EXPECT_TRUE(upstream.policy->ipv6);
  EXPECT_EQ(upstream.resolver, ir::Upstream::Resolver::Endpoint);
  EXPECT_EQ(upstream.stat_name, "all");
  EXPECT_EQ(compile(own).upstream->policy->keepalive, (model::Keepalive{7, {}, {}})) << "the Mapping's own counts";
  EXPECT_EQ(name("service: pay, enable_ipv6: false"), "cluster_pay_edge_edge-") << "not what holds without it";
  EXPECT_EQ(name("service: pay, resolver: kubernetes-service"), "cluster_pay_edge_edge-");
  EXPECT_EQ(compile("service: pay, keepalive: {}").upstream->policy->keepalive, std::nullopt);
  EXPECT_EQ(name("service: pay, keepalive: {}"), "cluster_pay_edge_edge-");
  module.resolver = "nope";
  EXPECT_EQ(
      name("service: pay"),
      "none: error spec.resolver: \"nope\", which the Module names, is unknown; write kubernetes-service, endpoint, or the name of "
      "a resolver object\n");
}

TEST_F(UpstreamTest, BreakersAndBalancersOfTheModule) {
  module.circuit_breakers = {{model::CircuitBreaker::Priority::Unset, {}, {}, 7, {}}};
  module.load_balancer.emplace();
  module.load_balancer->policy = model::LoadBalancer::Policy::LeastRequest;
  EXPECT_EQ(name("service: pay"), "cluster_pay_edge_edge_cbnr7_er_least_request") << "with the service resolver too";
  EXPECT_EQ(name("service: pay, circuit_breakers: []"), "cluster_pay_edge_edge_er_least_request");
  installation.load_balancers = false;
  EXPECT_EQ(name("service: pay"), "cluster_pay_edge_edge_cbnr7");
  const UpstreamResult disabled = compile("service: pay, resolver: endpoint, load_balancer: {policy: maglev, header: x}");
  EXPECT_NE(told(disabled).find("error spec.load_balancer: is not used, because AMBASSADOR_DISABLE_ENDPOINTS is set"),
            std::string::npos);
  EXPECT_FALSE(disabled.upstream->policy->load_balancer);
}

TEST_F(UpstreamTest, ALoadBalancerNeedsEndpoints) {
  const UpstreamResult result = compile("service: pay, load_balancer: {policy: round_robin}");
  EXPECT_TRUE(result.unusable);
  EXPECT_TRUE(told(result).starts_with("error spec.load_balancer: needs the endpoints of its service")) << told(result);
}

TEST_F(UpstreamTest, OriginationByScheme) {
  EXPECT_FALSE(compile("service: pay").upstream->tls);
  EXPECT_FALSE(compile("service: 'http://pay'").upstream->tls);
  const ir::Upstream upstream = *compile("service: 'https://pay'").upstream;
  EXPECT_EQ(upstream.port, 443);
  EXPECT_EQ(upstream.tls->sni, "pay.edge");
  EXPECT_EQ(compile("service: 'https://pay', host_rewrite: 'shop.x:8443'").upstream->tls->sni, "shop.x");
  EXPECT_EQ(compile("service: 'https://example.com.'").upstream->tls->sni, "example.com");
  EXPECT_EQ(compile("service: 'https://10.1.2.3'").upstream->tls->sni, "");
  EXPECT_EQ(compile("service: 'https://pay', host_rewrite: '[2001:db8::1]:8443'").upstream->tls->sni, "");
  EXPECT_EQ(compile("service: 'https://pay', host_rewrite: ':8443'").upstream->tls->sni, "pay.edge");
}

TEST_F(UpstreamTest, OriginationByContext) {
  secrets["cert"] = secrets["ca"] = {};
  secrets["cert"].exists = secrets["cert"].has_certificate = true;
  secrets["ca"].exists = secrets["ca"].has_ca = true;
  context("plain", "min_tls_version: v1.3, alpn_protocols: h2");
  context("full", "secret: cert, ca_secret: ca, sni: pay.x");
  EXPECT_EQ(name("service: pay, tls: plain"), "cluster_pay_edge_otls_plain_edge");
  EXPECT_EQ(name("service: 'http://pay', tls: plain"), "cluster_http___pay_edge_otls_edge-");
  EXPECT_EQ(name("service: 'https://pay:1', tls: plain"), "cluster_https___pay_edge_1_otls_edge-");
  EXPECT_NE(hash("service: 'https://pay', tls: plain"), hash("service: 'https://pay', tls: full"));
  EXPECT_TRUE(told(compile("service: 'http://pay', tls: plain")).starts_with("error spec.service: begins with http:// beside tls"));
  const ir::TlsOrigination plain = *compile("service: pay, tls: plain").upstream->tls;
  EXPECT_EQ(plain.settings.min_version, "v1.3");
  EXPECT_EQ(plain.sni, "pay.edge");
  EXPECT_EQ(plain.verify_name, "");
  EXPECT_EQ(compile("service: pay, tls: plain").upstream->port, 443);
  const ir::TlsOrigination full = *compile("service: pay, tls: full").upstream->tls;
  EXPECT_EQ(full.secret_namespace + "/" + full.secret_name, "edge/cert");
  EXPECT_EQ(full.ca_namespace + "/" + full.ca_name, "edge/ca");
  EXPECT_EQ(full.sni, "pay.x");
  EXPECT_EQ(full.verify_name, "pay.x");
  context("full", "ca_secret: ca");
  EXPECT_EQ(compile("service: pay, tls: full").upstream->tls->verify_name, "pay.edge");
  EXPECT_EQ(compile("service: pay, tls: full, host_rewrite: shop.x").upstream->tls->verify_name, "shop.x");
  EXPECT_EQ(compile("service: '10.1.2.3', tls: full").upstream->tls->verify_name, "10.1.2.3");
  EXPECT_EQ(compile("service: pay, tls: full, host_rewrite: '[2001:db8::1]:8443'").upstream->tls->verify_name, "2001:db8::1");
}

TEST_F(UpstreamTest, AnAuthorityBesideTheCertificate) {
  secrets["mesh"].exists = secrets["mesh"].has_certificate = secrets["mesh"].has_ca = secrets["mesh"].bundles_ca = true;
  context("c", "secret: mesh");
  const ir::TlsOrigination tls = *compile("service: pay, tls: c").upstream->tls;
  EXPECT_EQ(tls.ca_namespace + "/" + tls.ca_name, "edge/mesh");
  EXPECT_EQ(tls.verify_name, "") << "its certificates name identities";
  context("c", "secret: mesh, sni: pay.x");
  EXPECT_EQ(compile("service: pay, tls: c").upstream->tls->verify_name, "pay.x");
  context("c", "secret: mesh, ca_secret: mesh");
  EXPECT_EQ(compile("service: pay, tls: c").upstream->tls->verify_name, "pay.edge");
}

TEST_F(UpstreamTest, RevocationsAndDefaults) {
  secrets["ca"].exists = secrets["ca"].has_ca = secrets["crl"].exists = secrets["crl"].has_crl = true;
  context("c", "ca_secret: ca, crl_secret: crl");
  EXPECT_EQ(compile("service: pay, tls: c").upstream->tls->crl_name, "crl");
  secrets["crl"].has_crl = false;
  EXPECT_NE(told(compile("service: pay, tls: c")).find("as crl_secret, which holds no revocation list"), std::string::npos);
  module.tls_secret_namespacing = false;
  context("c", "ca_secret: a.b");
  EXPECT_NE(told(compile("service: pay, tls: c")).find("Secret edge/a.b as ca_secret"), std::string::npos);
}

TEST_F(UpstreamTest, OriginationFailsClosed) {
  secrets["half"].exists = true;
  secrets["bad"].exists = secrets["bad"].has_certificate = true;
  secrets["bad"].problem = "the key does not belong to the certificate";
  const auto failing = [&](const std::string& fields, const std::string& why) {
    for (const char* scheme : {"", "http://", "https://"}) {
      const UpstreamResult result = compile("service: '" + std::string(scheme) + "pay', " + fields);
      EXPECT_FALSE(result.upstream) << fields;
      EXPECT_FALSE(result.unusable);
      EXPECT_TRUE(told(result).starts_with("error spec.tls: ")) << told(result);
      EXPECT_NE(told(result).find(why), std::string::npos) << told(result);
      EXPECT_NE(told(result).find("answered 503"), std::string::npos) << told(result);
    }
  };
  failing("tls: gone", "does not exist; create it");
  context("c", "secret: gone");
  failing("tls: c", "Secret edge/gone, which does not exist");
  context("c", "secret: half");
  failing("tls: c", "Secret edge/half, which holds no certificate");
  context("c", "secret: bad");
  failing("tls: c", "cannot be used: the key does not belong");
  context("c", "ca_secret: half");
  failing("tls: c", "Secret edge/half as ca_secret, which holds no certificate authority");
  context("c", "secret: a.b.c");
  failing("tls: c", "Secret c/a.b, which");
  context("c", "secret: a.b.c, secret_namespacing: false");
  failing("tls: c", "Secret edge/a.b.c, which");
  contexts["c"] = model::ours("TLSContext", "{secret: 3}");
  failing("tls: c", "which is not usable itself");
}

TEST_F(UpstreamTest, ServerNamesThatTlsCannotCarry) {
  const std::string most(255, 'a');
  EXPECT_EQ(compile("service: 'https://pay', host_rewrite: " + most).upstream->tls->sni, most);
  const UpstreamResult rewritten = compile("service: 'https://pay', host_rewrite: a" + most);
  EXPECT_FALSE(rewritten.upstream);
  EXPECT_TRUE(told(rewritten).starts_with("error spec.host_rewrite: makes the name that TLS asks for 256 bytes"))
      << told(rewritten);
  EXPECT_TRUE(compile("service: pay, host_rewrite: a" + most).upstream);  // no TLS
  context("c", "sni: a" + most);
  EXPECT_TRUE(told(compile("service: pay, tls: c")).starts_with("error spec.tls: makes the name"))
      << told(compile("service: pay, tls: c"));
}

TEST_F(UpstreamTest, ServicesThatAHostCanMean) {
  const auto meant = [&](const std::string& service, const std::string& more = "") {
    const ir::Upstream upstream = compile("service: '" + service + "'" + more).upstream.value();
    return upstream.host + " " + upstream.service_namespace + "/" + upstream.service_name;
  };
  EXPECT_EQ(meant("a"), "a.edge edge/a");
  EXPECT_EQ(meant("a.b"), "a.b b/a");
  EXPECT_EQ(meant("a.b."), "a.b. b/a");
  EXPECT_EQ(meant("a.b.svc"), "a.b.svc b/a");
  EXPECT_EQ(meant("a.b.svc.cluster.local."), "a.b.svc.cluster.local. b/a");
  EXPECT_EQ(meant("www.example.com"), "www.example.com /");
  EXPECT_EQ(meant("www.example.com", ", resolver: endpoint"), "www.example.com example/www");
  EXPECT_EQ(meant("a."), "a. /");
  EXPECT_EQ(meant("localhost"), "localhost /");
  EXPECT_EQ(meant("a%2fb"), "a%2fb.edge edge/a%2fb");
  module.use_ambassador_namespace_for_service_resolution = true;
  EXPECT_EQ(meant("a"), "a default/a");
}

TEST_F(UpstreamTest, ChecksByGrpcNeedGrpc) {
  const std::string checks = "health_checks: [{health_check: {grpc: {}}}, {health_check: {http: {path: /}}}]";
  const UpstreamResult plain = compile("service: a, " + checks);
  EXPECT_EQ(plain.upstream->policy->health_checks.size(), 1u);
  EXPECT_EQ(told(plain), "error spec.health_checks: a check by grpc needs grpc: true beside it; it is left out\n");
  EXPECT_EQ(compile("service: a, grpc: true, " + checks).upstream->policy->health_checks.size(), 2u);
}

}  // namespace
}  // namespace emissary::compile
