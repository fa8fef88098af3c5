#include "compile/route_policy.h"

#include <gtest/gtest.h>

#include "compile/mapping.h"

namespace emissary::compile {
namespace {

class RoutePolicy : public ::testing::Test {
 protected:
  MappingResult compiled(const model::Mapping& mapping) {
    Object object;
    object.ref = {Kind::Mapping, "edge", "m"};
    object.spec = mapping;
    return compileMapping(object, {installation_,
                                   module_,
                                   {},
                                   [](auto, auto) { return Kind::KubernetesServiceResolver; },
                                   [](auto, auto) { return SecretState{}; },
                                   [](auto, auto) { return ObjectPtr{}; }});
  }
  static model::Mapping mapping(const std::string& service = "cart") {
    model::Mapping out;
    out.prefix = "/";
    out.service = service;
    return out;
  }

  Installation installation_;
  model::Module module_;
};

TEST_F(RoutePolicy, NothingAskedForIsNothing) { EXPECT_TRUE(compiled(mapping()).leg.policy.untouched()); }

TEST_F(RoutePolicy, TheModulesWhereTheMappingSaysNothing) {
  module_.cors = model::Cors{{"*"}, {}, {}, {}, false, ""};
  module_.retry_policy = model::RetryPolicy{"5xx", {}, {}, {}, {}, {}};
  module_.add_request_headers = {{"x-module", "1", true}};
  module_.remove_response_headers = {"server"};
  model::Mapping own = mapping();
  const MappingResult absent = compiled(own);
  EXPECT_EQ(absent.leg.policy->cors, module_.cors);
  EXPECT_EQ(absent.leg.policy->retry_policy, module_.retry_policy);
  EXPECT_EQ(absent.leg.policy->add_request_headers, *module_.add_request_headers);
  EXPECT_EQ(absent.leg.policy->remove_response_headers, *module_.remove_response_headers);

  own.policy.edit().cors.emplace();
  own.policy.edit().retry_policy = model::RetryPolicy{"reset", {}, {}, {}, {}, {}};
  own.policy.edit().add_request_headers.emplace();
  own.policy.edit().remove_response_headers.emplace();
  const MappingResult given = compiled(own);
  EXPECT_EQ(given.leg.policy->cors, model::Cors{});
  EXPECT_EQ(given.leg.policy->retry_policy->retry_on, "reset");
  EXPECT_TRUE(given.leg.policy->add_request_headers.empty()) << "{} disables the default";
  EXPECT_TRUE(given.leg.policy->remove_response_headers.empty());
}

TEST_F(RoutePolicy, Linkerd) {
  module_.add_linkerd_headers = true;
  using Headers = std::vector<model::HeaderValue>;
  EXPECT_EQ(compiled(mapping("cart:8080")).leg.policy->add_request_headers,
            (Headers{{"l5d-dst-override", "cart.edge:8080", false}}));
  EXPECT_EQ(compiled(mapping("https://[::1]")).leg.policy->add_request_headers,
            (Headers{{"l5d-dst-override", "[::1]:443", false}}));
  EXPECT_EQ(compiled(mapping("a%20b.c")).leg.policy->add_request_headers, (Headers{{"l5d-dst-override", "a%%20b.c:80", false}}));
  model::Mapping own = mapping();
  own.policy.edit().add_request_headers = {{"l5d-dst-override", "mine", true}};
  EXPECT_EQ(compiled(own).leg.policy->add_request_headers, *own.policy->add_request_headers);
  own.policy.edit().add_linkerd_headers = false;
  own.policy.edit().add_request_headers.reset();
  EXPECT_TRUE(compiled(own).leg.policy->add_request_headers.empty());
}

TEST_F(RoutePolicy, WhatIsHashed) {
  using Balancer = model::LoadBalancer;
  module_.load_balancer = Balancer{Balancer::Policy::RingHash, Balancer::HashBy::Header, "x-user", "", {}};
  EXPECT_EQ(compiled(mapping()).leg.policy->hash, module_.load_balancer) << "the Module's too";
  model::Mapping own = mapping();
  own.policy.edit().load_balancer.emplace();
  EXPECT_FALSE(compiled(own).leg.policy->hash) << "round robin hashes nothing";
}

TEST_F(RoutePolicy, RedirectsTakeTheServiceAsWritten) {
  model::Mapping own = mapping("HTTPS://Shop:8443");
  own.policy.edit().host_redirect = true;
  own.policy.edit().redirect_response_code = 308;
  module_.retry_policy.emplace();
  const MappingResult result = compiled(own);
  EXPECT_TRUE(result.usable);
  EXPECT_FALSE(result.leg.upstream);
  const ir::Redirect& redirect = *result.leg.policy->redirect;
  EXPECT_EQ(redirect.scheme, "https");
  EXPECT_EQ(redirect.host, "shop") << "no namespace";
  EXPECT_EQ(redirect.port, 8443);
  EXPECT_EQ(redirect.status, 308u);
  EXPECT_FALSE(result.leg.policy->retry_policy);
  own.service = "a b";
  EXPECT_FALSE(compiled(own).usable);
}

TEST_F(RoutePolicy, AShadowsClusterHasItsName) {
  model::Mapping own = mapping();
  own.cluster_tag = "blue";
  EXPECT_EQ(compiled(own).leg.upstream->base_name, "cluster_blue_cart_edge_edge");
  own.policy.edit().shadow = true;
  EXPECT_EQ(compiled(own).leg.upstream->base_name, "cluster_shadow_cart_edge_edge");
}

}  // namespace
}  // namespace emissary::compile
