// The Server against a real Envoy: what it makes of what Envoy really does.

#include <google/protobuf/util/json_util.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <condition_variable>
#include <mutex>

#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/endpoint/v3/endpoint.pb.h"
#include "envoy/config/listener/v3/listener.pb.h"
#include "envoy/config/route/v3/route.pb.h"
#include "envoy/extensions/filters/http/router/v3/router.pb.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"
#include "envoy/extensions/transport_sockets/tls/v3/secret.pb.h"
#include "envoy/extensions/transport_sockets/tls/v3/tls.pb.h"
#include "envoy/service/discovery/v3/ads.grpc.pb.h"
#include "generate/constraints.h"
#include "serve/envoy_fixture.h"
#include "serve/server.h"

namespace emissary::serve::testing {
namespace {

using namespace std::chrono_literals;
using envoy::config::cluster::v3::Cluster;
using envoy::config::endpoint::v3::ClusterLoadAssignment;
using envoy::config::listener::v3::Listener;
using envoy::config::route::v3::RouteConfiguration;
using envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;

class Recorder final : public Observer {
 public:
  void onSent(uint64_t) override {}
  void onAnswered(uint64_t generation) override {
    set([&] { answered_ = generation; });
  }
  void onRefused(const std::vector<Refusal>& all) override {
    set([&] { refused_ = all; });
  }
  void onResponse(Type type, size_t resources, size_t) override {
    set([&] {
      sent_ += resources;
      order_.append(typeLabel(type)).append(resources ? "+ " : "- ");
    });
  }
  void onNack(Type) override {}
  void onStreams(size_t connected) override {
    set([&] { streams_ = connected; });
  }
  void onHeld(const std::vector<std::string>&) override {}

  uint64_t answered() { return get(answered_); }
  size_t sent() { return get(sent_); }
  size_t streams() { return get(streams_); }
  std::string order() { return get(order_); }
  void forgetOrder() {
    set([&] { order_.clear(); });
  }
  std::vector<Refusal> refused() { return get(refused_); }
  std::string refusedNames() {
    std::string names;
    for (const Refusal& refusal : refused()) names.append(refusal.key.name).append(" ");
    return names;
  }

 private:
  template <typename F>
  void set(F f) {
    std::lock_guard lock(mutex_);
    f();
  }
  template <typename T>
  T get(const T& value) {
    std::lock_guard lock(mutex_);
    return value;
  }

  std::mutex mutex_;
  uint64_t answered_ = 0;
  size_t sent_ = 0, streams_ = 0;
  std::string order_;
  std::vector<Refusal> refused_;
};

struct EnvoyTest : ::testing::Test {
  Folder folder;
  const std::string ads = folder.file("ads");
  const std::string web = folder.file("web");
  const std::string backend = folder.file("back");
  std::unique_ptr<Recorder> recorder;
  std::unique_ptr<Server> server;
  std::unique_ptr<Envoy> envoy;
  ServerOptions options{.address = "unix:" + ads, .answer_bound = 1h};
  uint64_t generation = 0;

  void SetUp() override {
    // Without these, Envoy's packed types are not linked into this program.
    HttpConnectionManager::descriptor();
    envoy::extensions::transport_sockets::tls::v3::DownstreamTlsContext::descriptor();
    envoy::extensions::filters::http::router::v3::Router::descriptor();
  }
  void TearDown() override {
    if (HasFailure() && envoy) ADD_FAILURE() << "Envoy's log:\n" << envoy->log();
  }

  void serve() {
    recorder = std::make_unique<Recorder>();
    server = std::make_unique<Server>(options, *recorder);
    std::string error;
    ASSERT_TRUE(server->start(error)) << error;
  }
  void publish(std::vector<ResourcePtr> upserts, std::vector<ResourceKey> removals = {}) {
    server->publish({++generation, std::move(upserts), std::move(removals), std::chrono::steady_clock::now()});
  }
  void start() { envoy = std::make_unique<Envoy>(folder, ads); }
  bool answered() {
    return eventually([&] { return recorder->answered() == generation; });
  }
  /// The status that a request gets in the end.
  bool serves(const std::string& path, int status) {
    return eventually([&] { return get(web, path).status == status; });
  }
  size_t warming() {
    const std::string stats = envoy->admin("/stats?filter=warming_clusters").body;
    const size_t at = stats.find("cluster_manager.warming_clusters: ");
    return at == stats.npos ? 0 : std::stoul(stats.substr(at + 34));
  }

  /// A cluster with a setting or two, whose endpoints never time out: Envoy waits for ever when they do not come.
  static ResourcePtr eds(const std::string& name, const std::string& more = "") {
    return fromJson(Type::Cluster, name, Cluster(),
                    R"({"name": ")" + name + R"(", "type": "EDS", "eds_cluster_config": {"eds_config": {"ads": {},
                    "resource_api_version": "V3", "initial_fetch_timeout": "0s"}})" +
                        more + "}",
                    {}, name);
  }
  ResourcePtr endpoints(const std::string& name) {
    return fromJson(Type::Endpoints, name, ClusterLoadAssignment(),
                    R"({"cluster_name": ")" + name + R"(", "endpoints": [{"lb_endpoints": [{"endpoint": {"address":
                    {"pipe": {"path": ")" +
                        backend + R"("}}}}]}]})");
  }
  /// "/a" goes to cluster "a".
  static ResourcePtr routes(const std::vector<std::string>& clusters) {
    std::string list;
    for (const std::string& name : clusters) {
      list.append(list.empty() ? "" : ",")
          .append(R"({"match": {"path": "/)" + name + R"("}, "route": {"cluster": ")" + name + R"("}})");
    }
    return fromJson(Type::Routes, "r", RouteConfiguration(),
                    R"({"name": "r", "virtual_hosts": [{"name": "v", "domains": ["*"], "routes": [)" + list + "]}]}", clusters);
  }
  static ResourcePtr listener(const std::string& name, const std::string& path, const std::string& routing) {
    return fromJson(Type::Listener, name, Listener(),
                    R"({"name": ")" + name + R"(", "address": {"pipe": {"path": ")" + path + R"("}}, "filter_chains": [{"filters": [
                    {"name": "hcm", "typed_config": {"@type":
                      "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                      "stat_prefix": "s", "http_filters": [{"name": "router", "typed_config": {"@type":
                        "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}], )" +
                        routing + "}}]}]}");
  }
  /// What all tests begin with: "/a" answers 200.
  std::vector<ResourcePtr> basis() {
    return {
        eds("a"), endpoints("a"), routes({"a"}),
        listener("web", web, R"("rds": {"route_config_name": "r", "config_source": {"ads": {}, "resource_api_version": "V3"}})"),
        listener("backend", backend, R"("route_config": {"virtual_hosts": [{"name": "b", "domains": ["*"], "routes": [
              {"match": {"prefix": "/"}, "direct_response": {"status": 200}}]}]})")};
  }
  void serveBasis() {
    serve();
    publish(basis());
    start();
    ASSERT_TRUE(serves("/a", 200));
    ASSERT_TRUE(answered());
  }
};

/// Accepted by the descriptors' rules, refused by Envoy's code.
constexpr char kUnknownSocket[] = R"(, "transport_socket": {"name": "nobody.knows.this",
  "typed_config": {"@type": "type.googleapis.com/google.protobuf.Struct"}})";

TEST_F(EnvoyTest, ServesTheFirstConfiguration) {
  serveBasis();
  EXPECT_EQ(recorder->refusedNames(), "");
  struct stat file{};
  ASSERT_EQ(::stat(ads.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600u);
}

TEST_F(EnvoyTest, AClientThatIsThereBeforeTheFirstConfigurationGetsIt) {
  serve();
  start();
  ASSERT_TRUE(eventually([&] { return recorder->streams() == 1; }));
  publish(basis());
  EXPECT_TRUE(serves("/a", 200));
  EXPECT_TRUE(answered());
}

TEST_F(EnvoyTest, AnEmptyConfigurationMakesItReady) {
  serve();
  publish({});
  start();
  EXPECT_TRUE(eventually([&] { return envoy->admin("/ready").status == 200; }));
}

TEST_F(EnvoyTest, ARefusedClusterCostsNoOther) {
  serveBasis();
  publish({eds("bad1", kUnknownSocket), eds("good"), endpoints("good"), eds("bad2", R"(, "connect_timeout": "0s")"),
           routes({"a", "bad1", "bad2", "good"})});
  EXPECT_TRUE(serves("/good", 200));
  EXPECT_TRUE(answered());
  EXPECT_EQ(recorder->refusedNames(), "bad1 bad2 ");
  EXPECT_EQ(get(web, "/a").status, 200);
  EXPECT_EQ(get(web, "/bad1").status, 503);
  EXPECT_NE(recorder->refused()[0].detail.find("nobody.knows.this"), std::string::npos) << recorder->refused()[0].detail;

  publish({eds("bad1"), endpoints("bad1")});
  EXPECT_TRUE(serves("/bad1", 200)) << "a better form is tried";
  EXPECT_EQ(recorder->refusedNames(), "bad2 ");
}

TEST_F(EnvoyTest, ARefusedClusterAmongManyCostsNoOther) {
  serve();
  std::vector<ResourcePtr> all = basis();
  std::vector<std::string> names = {"a"};
  for (int i = 0; i < 60; ++i) {
    const std::string name = std::string("c").append(std::to_string(i));
    all.push_back(eds(name, i == 33 ? R"(, "connect_timeout": "0s")" : ""));
    all.push_back(endpoints(name));
    names.push_back(name);
  }
  all[2] = routes(names);
  publish(all);
  start();
  ASSERT_TRUE(answered());
  EXPECT_EQ(recorder->refusedNames(), "c33 ");
  for (const std::string& name : names) EXPECT_TRUE(serves("/" + name, name == "c33" ? 503 : 200)) << name;
}

TEST_F(EnvoyTest, RefusedRoutesListenersAndEndpointsKeepTheirLastForm) {
  serveBasis();
  auto bad_endpoints =
      fromJson(Type::Endpoints, "a", ClusterLoadAssignment(), R"({"cluster_name": "a", "endpoints": [{"priority": 200}]})");
  auto bad_routes = fromJson(Type::Routes, "r", RouteConfiguration(), R"({"name": "r", "virtual_hosts": [{"name": "v"}]})");
  auto bad_listener = listener("web", web, R"("rds": {"route_config_name": "r"})");
  publish({bad_endpoints, bad_routes, bad_listener});
  ASSERT_TRUE(eventually([&] { return recorder->refused().size() == 3; }));
  EXPECT_TRUE(answered());
  EXPECT_EQ(get(web, "/a").status, 200);

  // Another client gets the last forms that were accepted.
  envoy = nullptr;
  start();
  EXPECT_TRUE(serves("/a", 200));
  EXPECT_EQ(recorder->refused().size(), 3u);
}

TEST_F(EnvoyTest, RefusedSecretsAreNamedButNotQuoted) {
  serveBasis();
  const auto secret = [](const std::string& name, const std::string& chain) {
    return fromJson(Type::Secret, name, envoy::extensions::transport_sockets::tls::v3::Secret(),
                    R"({"name": ")" + name + R"(", "tls_certificate": {"private_key": {"inline_string": "CONFIDENTIAL"},
                    "certificate_chain": )" +
                        chain + "}}");
  };
  const auto tls = [&](const std::string& name) {
    return fromJson(Type::Listener, name, Listener(),
                    R"({"name": ")" + name + R"(", "address": {"pipe": {"path": ")" + folder.file(name) +
                        R"("}}, "filter_chains": [{
                    "transport_socket": {"name": "tls", "typed_config": {"@type":
                      "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                      "common_tls_context": {"tls_certificate_sds_secret_configs": [{"name": ")" +
                        name + R"(", "sds_config": {"ads": {}, "resource_api_version": "V3"}}]}}}}]})");
  };
  publish({tls("t1"), tls("t2"), secret("t1", R"({"filename": ""})"), secret("t2", R"({"inline_string": "NONSENSE"})")});
  ASSERT_TRUE(eventually([&] { return recorder->refused().size() == 2; }));
  for (const Refusal& refusal : recorder->refused()) {
    EXPECT_EQ(refusal.key.type, Type::Secret);
    EXPECT_NE(refusal.detail, "");
    EXPECT_EQ(refusal.detail.find("CONFIDENTIAL"), std::string::npos) << refusal.detail;
  }
  EXPECT_EQ(get(web, "/a").status, 200);
}

TEST_F(EnvoyTest, AClusterThatNeverWarmsDelaysNoOther) {
  // No bound helps out here: only what Envoy does show can let the routes pass.
  options.stream.hold_bound = 1h;
  serveBasis();
  BlackHole resolver;
  publish({fromJson(Type::Cluster, "stuck", Cluster(),
                    R"({"name": "stuck", "type": "STRICT_DNS", "load_assignment": {"cluster_name":
    "stuck", "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"socket_address": {"address": "never.example.test",
    "port_value": 80}}}}]}]}, "dns_resolvers": [{"socket_address": {"address": "127.0.0.1", "port_value": )" +
                        std::to_string(resolver.port()) + "}}]}")});
  ASSERT_TRUE(eventually([&] { return warming() == 1; }));
  publish({eds("new"), endpoints("new"), routes({"a", "new"})});
  EXPECT_TRUE(serves("/new", 200));
  EXPECT_EQ(warming(), 1u);
  EXPECT_LT(recorder->answered(), generation - 1) << "the stuck one is not answered";
}

TEST_F(EnvoyTest, AChangedClusterDoesNotWaitForEndpointsItHas) {
  serveBasis();
  publish({eds("a", R"(, "connect_timeout": "3s")")});
  EXPECT_TRUE(answered());
  EXPECT_EQ(warming(), 0u);
  EXPECT_EQ(get(web, "/a").status, 200);
}

TEST_F(EnvoyTest, AReconnectSendsOnlyWhatMoved) {
  serveBasis();
  server = nullptr;
  serve();
  generation = 0;
  publish(basis());
  ASSERT_TRUE(answered());
  EXPECT_EQ(recorder->sent(), 0u) << recorder->order();
  publish({eds("a", R"(, "connect_timeout": "3s")")});
  ASSERT_TRUE(answered());
  EXPECT_EQ(recorder->order(), "cluster+ endpoints+ ");
  EXPECT_EQ(get(web, "/a").status, 200);
}

TEST_F(EnvoyTest, WhatMovedWhileItWasAwayIsSentAfterAReconnect) {
  serveBasis();
  publish({eds("b"), endpoints("b")});
  ASSERT_TRUE(answered());
  options.stream.removal_grace = 50ms;
  server = nullptr;
  serve();
  generation = 0;
  std::vector<ResourcePtr> moved = basis();
  moved[0] = eds("a", R"(, "connect_timeout": "3s")");
  publish(moved);
  ASSERT_TRUE(answered());
  EXPECT_EQ(warming(), 0u);
  EXPECT_EQ(get(web, "/a").status, 200);
  EXPECT_TRUE(eventually([&] { return envoy->admin("/clusters").body.find("b::") == std::string::npos; }));
}

TEST_F(EnvoyTest, ARemovedClusterGoesLast) {
  options.stream.removal_grace = 50ms;
  serveBasis();
  publish({eds("b"), endpoints("b"), routes({"a", "b"})});
  ASSERT_TRUE(serves("/b", 200));
  ASSERT_TRUE(answered());
  recorder->forgetOrder();
  publish({routes({"a"})}, {{Type::Cluster, "b"}, {Type::Endpoints, "b"}});
  EXPECT_TRUE(eventually([&] { return envoy->admin("/clusters").body.find("b::") == std::string::npos; }));
  EXPECT_EQ(recorder->order(), "routes+ cluster- ");
  EXPECT_EQ(get(web, "/b").status, 404);
  EXPECT_EQ(get(web, "/a").status, 200);
}

TEST_F(EnvoyTest, ARenamedListenerTakesOverItsAddress) {
  serveBasis();
  publish(
      {listener("web2", web, R"("rds": {"route_config_name": "r", "config_source": {"ads": {}, "resource_api_version": "V3"}})")},
      {{Type::Listener, "web"}});
  EXPECT_TRUE(answered());
  EXPECT_EQ(recorder->refusedNames(), "");
  EXPECT_TRUE(serves("/a", 200));
}

TEST_F(EnvoyTest, SeveralClientsAreServed) {
  serve();
  publish({eds("a"), endpoints("a")});
  start();
  Envoy second(folder, ads, "second");
  ASSERT_TRUE(eventually([&] { return recorder->streams() == 2; }));
  for (const Envoy* one : {envoy.get(), &second}) {
    EXPECT_TRUE(eventually([&] { return one->admin("/clusters").body.find("a::" + backend) != std::string::npos; }));
  }
}

// The checker is right when Envoy agrees with it.
TEST_F(EnvoyTest, RefusesForItsConstraintsWhatTheCheckerRefuses) {
  const std::vector<std::string> settings = {
      R"("connect_timeout": "0s")",
      R"("connect_timeout": "0.001s")",
      R"("lb_policy": 4)",
      R"("ring_hash_lb_config": {"minimum_ring_size": 8388609})",
      R"("ring_hash_lb_config": {"minimum_ring_size": 8388608})",
      R"("outlier_detection": {"max_ejection_percent": 101})",
      R"("outlier_detection": {"max_ejection_percent": 100})",
      R"("outlier_detection": {"interval": "0s"})",
      R"("circuit_breakers": {"thresholds": [{"retry_budget": {"budget_percent": {"value": 100.5}}}]})",
      R"("circuit_breakers": {"thresholds": [{"track_remaining": true}]})",
      R"("upstream_connection_options": {"tcp_keepalive": {}})",
      R"("preconnect_policy": {"per_upstream_preconnect_ratio": 3.5})",
      R"("preconnect_policy": {"per_upstream_preconnect_ratio": 3})",
      R"("common_lb_config": {"healthy_panic_threshold": {"value": 100.1}})",
      R"("health_checks": [{"interval": "1s", "healthy_threshold": 1, "unhealthy_threshold": 1, "tcp_health_check": {}}])",
      R"("health_checks": [{"interval": "1s", "timeout": "1s", "healthy_threshold": 1, "unhealthy_threshold": 1}])",
      R"("health_checks": [{"interval": "1s", "timeout": "1s", "healthy_threshold": 1, "unhealthy_threshold": 1,
          "http_health_check": {"path": ""}}])",
      R"("typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions":
          {"@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"}})",
  };
  serveBasis();
  std::vector<ResourcePtr> all;
  std::string expected;
  for (size_t i = 0; i < settings.size(); ++i) {
    const std::string name = std::string("x").append(std::to_string(100 + i));
    Cluster cluster;
    const std::string json = R"({"name": ")" + name + R"(", "type": "STATIC", )" + settings[i] + "}";
    ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(json, &cluster).ok()) << json;
    if (!generate::violation(cluster).empty()) expected.append(name).append(" ");
    all.push_back(makeResource(Type::Cluster, name, cluster.SerializeAsString()));
  }
  publish(all);
  ASSERT_TRUE(answered());
  std::string refused;
  for (const Refusal& refusal : recorder->refused()) {
    if (refusal.detail.find("onstraint validation failed") != std::string::npos) refused.append(refusal.key.name).append(" ");
    SCOPED_TRACE(refusal.detail);
  }
  EXPECT_EQ(expected, refused);
  EXPECT_GE(recorder->refused().size(), 10u);
}

TEST(GrpcTransportTest, StateOfTheWorldStreamsAreRefused) {
  Folder folder;
  Recorder recorder;
  Server server({.address = "unix:" + folder.file("ads")}, recorder);
  std::string error;
  ASSERT_TRUE(server.start(error)) << error;
  auto channel = grpc::CreateChannel("unix:" + folder.file("ads"), grpc::InsecureChannelCredentials());
  auto stub = envoy::service::discovery::v3::AggregatedDiscoveryService::NewStub(channel);
  grpc::ClientContext context;
  auto stream = stub->StreamAggregatedResources(&context);
  stream->WritesDone();
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST(GrpcTransportTest, AStreamThatIsOpenEndsWithTheServer) {
  Folder folder;
  Recorder recorder;
  auto server = std::make_unique<Server>(ServerOptions{.address = "unix:" + folder.file("ads")}, recorder);
  std::string error;
  ASSERT_TRUE(server->start(error)) << error;
  auto channel = grpc::CreateChannel("unix:" + folder.file("ads"), grpc::InsecureChannelCredentials());
  auto stub = envoy::service::discovery::v3::AggregatedDiscoveryService::NewStub(channel);
  grpc::ClientContext context;
  auto stream = stub->DeltaAggregatedResources(&context);
  envoy::service::discovery::v3::DeltaDiscoveryRequest request;
  request.set_type_url(std::string(typeUrl(Type::Endpoints)));
  request.add_resource_names_subscribe("e");
  ASSERT_TRUE(stream->Write(request));
  // Large enough to go out as a shared slice beside the copied ones.
  const std::string large(100'000, 'x');
  server->publish({1, {makeResource(Type::Endpoints, "e", large), makeResource(Type::Endpoints, "f", "small")}, {}, {}});
  envoy::service::discovery::v3::DeltaDiscoveryResponse response;
  ASSERT_TRUE(stream->Read(&response));
  ASSERT_EQ(response.resources_size(), 1);
  EXPECT_EQ(response.resources(0).name(), "e");
  EXPECT_EQ(response.resources(0).resource().value(), large);
  EXPECT_EQ(response.resources(0).resource().type_url(), typeUrl(Type::Endpoints));
  EXPECT_EQ(response.type_url(), typeUrl(Type::Endpoints));
  EXPECT_NE(response.nonce(), "");
  server = nullptr;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_FALSE(stream->Finish().ok());
}

}  // namespace
}  // namespace emissary::serve::testing
