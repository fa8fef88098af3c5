#include "generate/constraints.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <thread>

#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/listener/v3/listener.pb.h"
#include "envoy/config/route/v3/route.pb.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"
#include "envoy/extensions/transport_sockets/tls/v3/secret.pb.h"

namespace emissary::generate {
namespace {

using envoy::config::cluster::v3::Cluster;
using envoy::config::listener::v3::Listener;
using envoy::config::route::v3::RouteConfiguration;
using envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;

template <typename M>
std::string check(const std::string& text) {
  M message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return violation(message);
}

std::string route(const std::string& inside) {
  return check<RouteConfiguration>("virtual_hosts { name: 'v' domains: '*' routes { match { prefix: '/' } " + inside + " } }");
}

TEST(ConstraintsTest, GoodMessagesHaveNone) {
  EXPECT_EQ(check<Cluster>("name: 'a' type: EDS connect_timeout { seconds: 1 }"), "");
  EXPECT_EQ(route("route { cluster: 'a' retry_policy { num_retries { value: 3 } } } "
                  "request_headers_to_add { header { key: 'x-y' value: 'z' } }"),
            "");
  EXPECT_EQ(check<Listener>("name: 'l' address { socket_address { address: '0.0.0.0' port_value: 8080 } }"), "");
}

TEST(ConstraintsTest, StringsHaveLengthsPatternsAndSets) {
  EXPECT_EQ(check<Cluster>("type: EDS"), "name: must have at least 1 characters");
  EXPECT_EQ(check<RouteConfiguration>("virtual_hosts { name: 'v' }"), "virtual_hosts[0].domains: must have at least 1 items");
  EXPECT_EQ(check<RouteConfiguration>("virtual_hosts { name: 'v' domains: '*' domains: 'a\\nb' }"),
            "virtual_hosts[0].domains[1]: must match ^[^\\x00\\x0A\\x0D]*$");
  EXPECT_EQ(route("redirect { host_redirect: 'a\\nb' }"),
            "virtual_hosts[0].routes[0].redirect.host_redirect: must match ^[^\\x00\\x0A\\x0D]*$");
  EXPECT_EQ(check<HttpConnectionManager>("stat_prefix: 's' rds { config_source { ads {} } route_config_name: 'r' } "
                                         "scheme_header_transformation { scheme_to_overwrite: 'gopher' }"),
            "scheme_header_transformation.scheme_to_overwrite: must be one of http, https");
}

TEST(ConstraintsTest, HeadersAreLooseOrStrict) {
  EXPECT_EQ(route("route { cluster: 'a' host_rewrite_header: 'no:colon' }"), "");
  EXPECT_NE(route("route { cluster_header: 'a\\nb' }").find("cluster_header"), std::string::npos);
  EXPECT_NE(route("route { cluster: 'a' } request_headers_to_add { header { key: 'a\\nb' } }").find("header.key"),
            std::string::npos);
  EXPECT_NE(route("route { cluster: 'a' } request_headers_to_remove: ''").find("request_headers_to_remove[0]"), std::string::npos);
}

TEST(ConstraintsTest, NumbersHaveRanges) {
  EXPECT_NE(
      check<Listener>("address { socket_address { address: 'a' port_value: 70000 } }").find("port_value: must be at most 65535"),
      std::string::npos);
  EXPECT_EQ(check<Cluster>("name: 'a' per_connection_buffer_limit_bytes { value: 0 } max_requests_per_connection { value: 5 }"),
            "");
  EXPECT_EQ(check<Cluster>("name: 'a' ring_hash_lb_config { minimum_ring_size { value: 9000000 } }"),
            "ring_hash_lb_config.minimum_ring_size: must be at most 8388608");
  EXPECT_EQ(check<Cluster>("name: 'a' preconnect_policy { per_upstream_preconnect_ratio { value: 0.5 } }"),
            "preconnect_policy.per_upstream_preconnect_ratio: must be at least 1");
  EXPECT_EQ(check<Cluster>("name: 'a' outlier_detection { max_ejection_percent { value: 101 } }"),
            "outlier_detection.max_ejection_percent: must be at most 100");
}

TEST(ConstraintsTest, DurationsHaveRangesAndMayBeRequired) {
  EXPECT_EQ(check<Cluster>("name: 'a' connect_timeout { seconds: 0 }"), "connect_timeout: must be greater than 0");
  EXPECT_EQ(check<Cluster>("name: 'a' dns_refresh_rate { nanos: 1000000 }"), "dns_refresh_rate: must be greater than 1000000");
  EXPECT_EQ(check<Cluster>("name: 'a' health_checks { interval { seconds: 1 } unhealthy_threshold { value: 1 } healthy_threshold "
                           "{ value: 1 } tcp_health_check {} }"),
            "health_checks[0].timeout: is required");
}

TEST(ConstraintsTest, EnumsMustBeDefined) {
  Cluster cluster;
  cluster.set_name("a");
  cluster.set_lb_policy(static_cast<Cluster::LbPolicy>(77));
  EXPECT_EQ(violation(cluster), "lb_policy: is not a value of LbPolicy");
  cluster.set_lb_policy(static_cast<Cluster::LbPolicy>(4));
  EXPECT_EQ(violation(cluster), "lb_policy: is not a value of LbPolicy") << "a number that was taken back";
}

TEST(ConstraintsTest, MessagesAndOneofsMayBeRequired) {
  EXPECT_EQ(check<RouteConfiguration>("virtual_hosts { name: 'v' domains: '*' routes { route { cluster: 'a' } } }"),
            "virtual_hosts[0].routes[0].match: is required");
  EXPECT_EQ(check<RouteConfiguration>("virtual_hosts { name: 'v' domains: '*' routes { match {} route { cluster: 'a' } } }"),
            "virtual_hosts[0].routes[0].match.path_specifier: one of its fields is required");
  EXPECT_EQ(route(""), "virtual_hosts[0].routes[0].action: one of its fields is required");
}

TEST(ConstraintsTest, MapsHaveRulesForKeysAndValues) {
  EXPECT_NE(
      check<Cluster>("name: 'a' typed_extension_protocol_options { key: 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions' "
                     "value { [type.googleapis.com/envoy.config.cluster.v3.Cluster] { } } }")
          .find("typed_extension_protocol_options[envoy.extensions.upstreams.http.v3.HttpProtocolOptions].name"),
      std::string::npos);
}

TEST(ConstraintsTest, PackedMessagesAreChecked) {
  const std::string listener =
      "name: 'l' filter_chains { filters { name: 'hcm' typed_config { "
      "[type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager] { ";
  EXPECT_EQ(check<Listener>(listener + "stat_prefix: 's' route_config {} } } } }"), "");
  EXPECT_EQ(check<Listener>(listener + "route_config {} } } } }"),
            "filter_chains[0].filters[0].typed_config.stat_prefix: must have at least 1 characters");
  Listener broken;
  auto* any = broken.add_filter_chains()->add_filters();
  any->set_name("x");
  any->mutable_typed_config()->set_type_url("type.googleapis.com/envoy.config.cluster.v3.Cluster");
  any->mutable_typed_config()->set_value("\xff");
  EXPECT_NE(violation(broken).find("does not parse"), std::string::npos);
  any->mutable_typed_config()->set_type_url("type.googleapis.com/nobody.knows.This");
  EXPECT_EQ(violation(broken), "");
}

TEST(ConstraintsTest, SecretsAreCheckedAndReasonsHoldNoValues) {
  using envoy::extensions::transport_sockets::tls::v3::Secret;
  EXPECT_EQ(check<Secret>("tls_certificate { private_key { inline_string: 'KEY' } certificate_chain { filename: '' } }"),
            "tls_certificate.certificate_chain.filename: must have at least 1 characters");
  EXPECT_EQ(route("route { cluster: 'a' } request_headers_to_add { header { key: 'x' value: 'KEY\\n' } }").find("KEY"),
            std::string::npos);
}

TEST(ConstraintsTest, AllRulesOfTheApiAreKnown) {
  for (const auto* type :
       {Cluster::descriptor(), Listener::descriptor(), RouteConfiguration::descriptor(), HttpConnectionManager::descriptor(),
        envoy::extensions::transport_sockets::tls::v3::Secret::descriptor()}) {
    EXPECT_EQ(unknownRules(*type), std::vector<std::string>{}) << type->full_name();
  }
}

TEST(ConstraintsTest, ManyThreadsMayCheckAtOnce) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 200; ++i) {
        EXPECT_NE(check<Cluster>("type: EDS"), "");
        EXPECT_EQ(route("route { cluster: 'a' }"), "");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace emissary::generate
