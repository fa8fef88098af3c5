// What shapes a cluster: circuit_breakers, load_balancer, keepalive, health_checks, outlier_detection, DNS.

#include "model/testing.h"

namespace emissary::model {
namespace {

MappingPolicy policyOf(const std::string& field) {
  const ObjectPtr object = ours("Mapping", "{prefix: /, service: a, " + field + "}");
  EXPECT_TRUE(object->usable) << all(*object);
  const auto* mapping = std::get_if<Mapping>(&object->spec);
  return mapping ? *mapping->policy : MappingPolicy{};
}

void expect(const std::string& field, const std::string& finding, bool usable) {
  expectCase("Mapping", {"{prefix: /, service: a, " + field + "}", finding, usable});
}

TEST(ModelCircuitBreakers, Cases) {
  const auto breakers =
      *policyOf("circuit_breakers: [{priority: HIGH, max_connections: 3}, {max_requests: 7.0, max_retries: 0}]").circuit_breakers;
  ASSERT_EQ(breakers.size(), 2u);
  EXPECT_EQ(breakers[0], (CircuitBreaker{CircuitBreaker::Priority::High, 3, {}, {}, {}}));
  EXPECT_EQ(breakers[1], (CircuitBreaker{CircuitBreaker::Priority::Unset, {}, {}, 7, 0}));
  EXPECT_TRUE(policyOf("circuit_breakers: []").circuit_breakers->empty()) << "none, whatever the Module says";
  expect("circuit_breakers: {}", "error spec.circuit_breakers: must be a list, but is a map", false);
  expect("circuit_breakers: [{priority: low}]", "error spec.circuit_breakers[0].priority: must be one of default, high", false);
  expect("circuit_breakers: [{max_connections: many}]", "error spec.circuit_breakers[0].max_connections: must be a whole number",
         false);
  expect("circuit_breakers: [{max_connections: 4294967296}]", "error spec.circuit_breakers[0].max_connections: must be from 0",
         false);
  expect("circuit_breakers: [{max_connections: -1}]", "error spec.circuit_breakers[0].max_connections: must be from 0", false);
  expect("circuit_breakers: [{max_conn: 1}]", "warning spec.circuit_breakers[0].max_conn: is not a known field", true);
  expect("circuit_breakers: [{max_requests: 1}, {priority: default}]",
         "warning spec.circuit_breakers[1].priority: an earlier entry", true);
}

TEST(ModelLoadBalancer, Cases) {
  using Policy = LoadBalancer::Policy;
  using HashBy = LoadBalancer::HashBy;
  EXPECT_EQ(policyOf("load_balancer: {policy: least_request}").load_balancer->policy, Policy::LeastRequest);
  EXPECT_EQ(*policyOf("load_balancer: {policy: ring_hash, cookie: {name: seat, path: /x, ttl: 1m30s}}").load_balancer,
            (LoadBalancer{Policy::RingHash, HashBy::Cookie, "seat", "/x", 90000}));
  EXPECT_EQ(*policyOf("load_balancer: {policy: maglev, cookie: {name: seat, ttl: 0s}}").load_balancer,
            (LoadBalancer{Policy::Maglev, HashBy::Cookie, "seat", "", 0}));
  EXPECT_EQ(*policyOf("load_balancer: {policy: maglev, header: x-user}").load_balancer,
            (LoadBalancer{Policy::Maglev, HashBy::Header, "x-user", "", {}}));
  EXPECT_EQ(policyOf("load_balancer: {policy: ring_hash, source_ip: true}").load_balancer->hash_by, HashBy::SourceIp);
  for (const char* bad : {"{}", "{policy: random}", "{policy: ring_hash}", "{policy: ring_hash, source_ip: false}",
                          "{policy: ring_hash, header: a, source_ip: true}", "{policy: ring_hash, cookie: {}}",
                          "{policy: ring_hash, cookie: {name: 'a b'}}", "{policy: ring_hash, cookie: {name: a, path: 'x;y'}}",
                          "{policy: ring_hash, cookie: {name: a, ttl: soon}}", "{policy: ring_hash, header: 'a:b'}",
                          "{policy: round_robin, header: a}", "{policy: least_request, source_ip: true}", "maglev"}) {
    expect("load_balancer: " + std::string(bad), "error spec.load_balancer", false);
  }
}

TEST(ModelKeepalive, Cases) {
  EXPECT_EQ(*policyOf("keepalive: {idle_time: 10, interval: 5, probes: 3}").keepalive, (Keepalive{10, 5, 3}));
  EXPECT_EQ(*policyOf("keepalive: {time: 10}").keepalive, (Keepalive{10, {}, {}}));
  EXPECT_EQ(*policyOf("keepalive: {}").keepalive, Keepalive{});
  expect("keepalive: {time: 0}", "error spec.keepalive.time: must be from 1 to 32767, but is 0; it is left out", true);
  expect("keepalive: {probes: 128}", "error spec.keepalive.probes: must be from 1 to 127", true);
  expect("keepalive: {probes: x}", "error spec.keepalive.probes: must be a whole number", false);
  expect("keepalive: [1]", "error spec.keepalive: must be a map", false);
}

TEST(ModelHealthChecks, EachKind) {
  const auto checks =
      policyOf(R"(health_checks: [{timeout: 500ms, interval: 1m, healthy_threshold: 2, unhealthy_threshold: 3, health_check: {http:
      {path: /ok, hostname: h.x, add_request_headers: {x-b: {value: "1%", append: false}, x-a: plain}, remove_request_headers: [user-agent],
      expected_statuses: [{min: 200, max: 299}, {min: 404, max: 404}]}}}, {health_check: {grpc: {upstream_name: pay, authority: p.x}}}])")
          .health_checks;
  ASSERT_EQ(checks.size(), 2u);
  EXPECT_EQ(checks[0].timeout_ms, 500);
  EXPECT_EQ(checks[0].interval_ms, 60000);
  EXPECT_EQ(checks[0].healthy_threshold, 2u);
  EXPECT_EQ(checks[0].unhealthy_threshold, 3u);
  EXPECT_EQ(checks[0].path, "/ok");
  EXPECT_EQ(checks[0].hostname, "h.x");
  EXPECT_EQ(checks[0].add_request_headers, (std::vector<HeaderValue>{{"x-a", "plain", true}, {"x-b", "1%%", false}}));
  EXPECT_EQ(checks[0].remove_request_headers, std::vector<std::string>{"user-agent"});
  EXPECT_EQ(checks[0].expected_statuses, (std::vector<HealthCheck::StatusRange>{{200, 299}, {404, 404}}));
  EXPECT_TRUE(checks[1].grpc);
  EXPECT_EQ(checks[1].grpc_name, "pay");
  EXPECT_EQ(checks[1].hostname, "p.x");
  EXPECT_EQ(checks[1].timeout_ms, 3000);
  EXPECT_EQ(checks[1].interval_ms, 5000);
}

TEST(ModelHealthChecks, AWrongOneCostsItselfAlone) {
  const std::string good = "{health_check: {http: {path: /good}}}";
  for (const char* bad : {"3", "{}", "{health_check: {}}", "{health_check: {http: {}}}", "{health_check: {http: {path: ok}}}",
                          "{health_check: {http: {path: /}, grpc: {}}}", "{timeout: soon, health_check: {http: {path: /}}}",
                          "{timeout: 0s, health_check: {http: {path: /}}}", "{interval: 3, health_check: {http: {path: /}}}",
                          "{healthy_threshold: 0, health_check: {http: {path: /}}}",
                          "{health_check: {http: {path: /, add_request_headers: {':path': x}}}}",
                          "{health_check: {http: {path: /, add_request_headers: {host: x}}}}",
                          "{health_check: {http: {path: /, remove_request_headers: [Host]}}}",
                          "{health_check: {http: {path: /, expected_statuses: 200}}}", "{health_check: {tcp: {}}}"}) {
    SCOPED_TRACE(bad);
    const ObjectPtr object = ours("Mapping", "{prefix: /, service: a, health_checks: [" + std::string(bad) + ", " + good + "]}");
    ASSERT_TRUE(object->usable) << all(*object);
    EXPECT_TRUE(all(*object).starts_with("error spec.health_checks[0]")) << all(*object);
    const auto& checks = std::get<Mapping>(object->spec).policy->health_checks;
    ASSERT_EQ(checks.size(), 1u);
    EXPECT_EQ(checks[0].path, "/good");
  }
  for (const char* bad : {"{min: 300, max: 200}", "{min: 200}", "{min: 0, max: 200}", "{min: 200, max: 600}", "200"}) {
    SCOPED_TRACE(bad);
    const std::string field =
        "health_checks: [{health_check: {http: {path: /, expected_statuses: [" + std::string(bad) + ", {min: 204, max: 204}]}}}]";
    EXPECT_EQ(policyOf(field).health_checks.at(0).expected_statuses, (std::vector<HealthCheck::StatusRange>{{204, 204}}));
    const std::string told = all(*ours("Mapping", "{prefix: /, service: a, " + field + "}"));
    EXPECT_EQ(told.find("known field"), std::string::npos) << told;
  }
  std::string many = good;
  for (int i = 0; i < 7; ++i) many.append(", {}, ").append(good);
  EXPECT_EQ(policyOf("health_checks: [" + many + "]").health_checks.size(), 8u);
  const ObjectPtr nine = ours("Mapping", "{prefix: /, service: a, health_checks: [" + many + ", " + good + "]}");
  EXPECT_EQ(std::get<Mapping>(nine->spec).policy->health_checks.size(), 8u);
  EXPECT_NE(all(*nine).find("error spec.health_checks: has more than 8 checks"), std::string::npos) << all(*nine);
  expect("health_checks: {}", "error spec.health_checks: must be a list, but is a map; it is left out", true);
}

TEST(ModelOutlierDetection, Cases) {
  const auto out =
      *policyOf("outlier_detection: {consecutive_5xx: 5, interval: 10s, base_ejection_time: 1m, max_ejection_percent: 50}")
           .outlier_detection;
  EXPECT_EQ(out.consecutive_5xx, 5u);
  EXPECT_EQ(out.interval_ms, 10000);
  EXPECT_EQ(out.base_ejection_time_ms, 60000);
  EXPECT_EQ(out.max_ejection_percent, 50u);
  expect("outlier_detection: x",
         "error spec.outlier_detection: must be a map such as {consecutive_5xx: 5, interval: 10s}, but is text", true);
  expect("outlier_detection: {consecutive_5xx: 0}", "error spec.outlier_detection.consecutive_5xx: must be from 1", true);
  expect("outlier_detection: {max_ejection_percent: 101}",
         "error spec.outlier_detection.max_ejection_percent: must be from 1 to 100", true);
  expect("outlier_detection: {max_ejection_time: 5s}", "error spec.outlier_detection.max_ejection_time: must not be below", true);
  EXPECT_FALSE(policyOf("outlier_detection: {max_ejection_time: 5s}").outlier_detection);
}

TEST(ModelUpstreamPolicy, DnsAndTimeouts) {
  const MappingPolicy policy = policyOf(
      "dns_type: Logical_DNS, respect_dns_ttl: true, enable_ipv4: false, enable_ipv6: true, cluster_idle_timeout_ms: 0, "
      "cluster_max_connection_lifetime_ms: 7");
  EXPECT_TRUE(policy.dns_type_given && policy.logical_dns && policy.respect_dns_ttl);
  EXPECT_EQ(policy.enable_ipv4, false);
  EXPECT_EQ(policy.enable_ipv6, true);
  EXPECT_EQ(policy.cluster_idle_timeout_ms, 0);
  EXPECT_EQ(policy.cluster_max_connection_lifetime_ms, 7);
  expect("dns_type: bogus", "error spec.dns_type: must be one of strict_dns, logical_dns, but is text \"bogus\"", true);
  EXPECT_FALSE(policyOf("dns_type: bogus").dns_type_given);
  expect("cluster_idle_timeout_ms: -1", "error spec.cluster_idle_timeout_ms", false);
  expect("enable_ipv6: x", "error spec.enable_ipv6", false);
  expect("respect_dns_ttl: 1", "error spec.respect_dns_ttl", false);
}

}  // namespace
}  // namespace emissary::model
