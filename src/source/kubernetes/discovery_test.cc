// Kinds that are not served, not served any more, or may not be read.

#include "source/kubernetes/testing.h"

namespace emissary::source {
namespace {

using namespace std::chrono_literals;

constexpr const char* kGroupPath = "/apis/getambassador.io/v3alpha1";

kube::Response forbidden(const std::string& resource) {
  return FakeServer::failure(
      403, resource + " is forbidden: User \"system:serviceaccount:edge:gateway\" cannot list resource \"" + resource + "\"");
}

/// Every request for one of these resources is refused.
void forbid(World& world, const std::set<std::string>& plurals) {
  world.server.intercept = [plurals](const FakeServer::Asked& asked) -> std::optional<kube::Response> {
    return plurals.contains(asked.plural) ? std::optional(forbidden(asked.plural)) : std::nullopt;
  };
}

void dropOurs(World& world) {
  for (const Resource& resource : resources()) {
    if (resource.ours()) world.server.served.erase(std::string(resource.plural));
  }
}

TEST(KubernetesDiscovery, WithoutCrdsItSaysHowToInstallThemAndGoesOn) {
  World world;
  dropOurs(world);
  world.start();
  EXPECT_EQ(world.synced, 0);  // the server may just be starting
  world.pass(3s);
  EXPECT_EQ(world.synced, 1);
  EXPECT_NE(world.told().find("emissary crds | kubectl apply --server-side -f -"), std::string::npos) << world.told();
  EXPECT_NE(world.told().find("kubernetes: getambassador.io: error:"), std::string::npos) << world.told();
  // One question for all kinds of the group.
  world.pass(60s);
  const size_t looks = world.asked(std::string("GET ") + kGroupPath).size() - world.asked(std::string(kGroupPath) + "/").size();
  EXPECT_GE(looks, 6u);
  EXPECT_LE(looks, 10u);
  EXPECT_TRUE(world.stats(Kind::Mapping).waiting);

  for (const Resource& resource : resources()) world.server.served.emplace(resource.plural);
  world.mapping("a");
  world.pass(13s);
  EXPECT_EQ(world.held(), "Mapping default/a");
  EXPECT_EQ(world.told(), "");
  const size_t requests = world.client.log().size();
  world.pass(60s);
  EXPECT_EQ(world.client.log().size(), requests);  // nobody looks any more
}

TEST(KubernetesDiscovery, OneKindThatIsNotServedIsNamed) {
  World world;
  world.mapping("a");
  world.server.served.erase("devportals");
  world.start();
  world.pass(3s);
  EXPECT_EQ(world.synced, 1);
  EXPECT_EQ(world.held(), "Mapping default/a");
  EXPECT_NE(world.told().find("warning: the API server does not serve devportals of"), std::string::npos) << world.told();
}

TEST(KubernetesDiscovery, AServerThatHasJustStartedAnswers404ForAMoment) {
  World world;
  world.mapping("a");
  const auto until = world.loop.now() + 1s;
  world.server.intercept = [&](const FakeServer::Asked& asked) -> std::optional<kube::Response> {
    if (world.loop.now() > until || asked.path.find("getambassador.io") == std::string::npos) return std::nullopt;
    return FakeServer::failure(404, "the server could not find the requested resource");
  };
  world.start();
  world.pass(5s);
  EXPECT_EQ(world.synced, 1);
  EXPECT_EQ(world.batches.size(), 1u);
  EXPECT_EQ(world.held(), "Mapping default/a");
}

TEST(KubernetesDiscovery, WhatFailsSaysNothing) {
  World world;
  world.mapping("a");
  world.server.intercept = [&](const FakeServer::Asked& asked) -> std::optional<kube::Response> {
    if (asked.path == kGroupPath) return FakeServer::failure(503, "not now");
    if (asked.path.find(kGroupPath) == 0) return FakeServer::failure(404, "not found");
    return std::nullopt;
  };
  world.start();
  world.pass(300s, 1s);
  EXPECT_EQ(world.synced, 0);
  world.server.intercept = nullptr;
  world.pass(31s, 1s);
  EXPECT_EQ(world.synced, 1);
  EXPECT_EQ(world.held(), "Mapping default/a");
}

TEST(KubernetesDiscovery, AKindGoesOnlyAfterThreeLooksOverHalfAMinute) {
  World world;
  world.mapping("a");
  world.mapping("b");
  world.start();
  world.pass(20s);
  dropOurs(world);
  world.server.endWatches({200, "", {}, ""});
  world.pass(29s);
  EXPECT_EQ(world.held(), "Mapping default/a, Mapping default/b");
  world.pass(20s);
  EXPECT_EQ(world.held(), "");
  EXPECT_EQ(world.stats(Kind::Mapping).vanished, 1u);
  EXPECT_NE(world.told().find("not installed"), std::string::npos);

  for (const Resource& resource : resources()) world.server.served.emplace(resource.plural);
  world.pass(13s);
  EXPECT_EQ(world.held(), "Mapping default/a, Mapping default/b");
  EXPECT_EQ(world.told(), "");
}

TEST(KubernetesDiscovery, AKindThatIsBackInTimeLosesNothing) {
  World world;
  world.mapping("a");
  world.start();
  world.pass(20s);
  dropOurs(world);
  world.server.endWatches({200, "", {}, ""});
  world.pass(25s);
  for (const Resource& resource : resources()) world.server.served.emplace(resource.plural);
  world.pass(60s);
  dropOurs(world);
  world.server.endWatches({200, "", {}, ""});
  world.pass(25s);  // the looks of before do not count
  for (const Resource& resource : resources()) world.server.served.emplace(resource.plural);
  world.pass(60s);
  EXPECT_TRUE(world.deleted.empty());
  EXPECT_EQ(world.held(), "Mapping default/a");
}

TEST(KubernetesDiscovery, AForbiddenKindIsWaitedForThenTold) {
  World world;
  world.mapping("a");
  world.server.put(Kind::Listener, "default", "l", {{"spec", {{"port", 8080}, {"protocol", "HTTP"}, {"securityModel", "XFP"}}}});
  forbid(world, {"mappings"});
  world.start();
  world.pass(9s);
  EXPECT_EQ(world.synced, 0);
  world.pass(2s);
  EXPECT_EQ(world.synced, 1);
  EXPECT_EQ(world.held(), "Listener default/l");
  EXPECT_NE(world.told().find("kubernetes: mappings.getambassador.io: error: mappings.getambassador.io may not be read; grant list "
                              "and watch on mappings.getambassador.io to the ServiceAccount edge/gateway"),
            std::string::npos)
      << world.told();
  world.server.intercept = nullptr;
  world.pass(31s);
  EXPECT_EQ(world.held(), "Listener default/l, Mapping default/a");
  EXPECT_EQ(world.told(), "");
}

TEST(KubernetesDiscovery, AForbiddenKindThatIsGrantedInTimeIsInTheFirstBatch) {
  World world;
  world.mapping("a");
  forbid(world, {"mappings"});
  world.start();
  world.pass(5s);
  world.server.intercept = nullptr;
  world.pass(5s);
  EXPECT_EQ(world.batches.size(), 1u);
  EXPECT_EQ(world.held(), "Mapping default/a");
  world.pass(20s);
  EXPECT_EQ(world.told(), "");
}

TEST(KubernetesDiscovery, APermissionWithdrawnKeepsWhatWasRead) {
  for (const bool as_event : {false, true}) {
    SCOPED_TRACE(as_event);
    World world;
    world.mapping("a");
    world.start();
    world.pass(20s);
    forbid(world, {"mappings"});
    const auto call = world.client.find("/apis/getambassador.io/v3alpha1/mappings?watch", true);
    if (as_event) {
      world.client.stream(call, R"({"type":"ERROR","object":{"kind":"Status","code":403,"message":"no more"}})"
                                "\n");
    } else {
      world.client.answer(call, forbidden("mappings"));
    }
    world.pass(12s);
    EXPECT_TRUE(world.has(Kind::Mapping, "default", "a"));
    EXPECT_NE(world.told().find("mappings.getambassador.io may not be read"), std::string::npos);
    world.server.remove(Kind::Mapping, "default", "a");
    world.server.intercept = nullptr;
    world.pass(31s);
    EXPECT_FALSE(world.has(Kind::Mapping, "default", "a"));
    EXPECT_EQ(world.told(), "");
  }
}

TEST(KubernetesDiscovery, AKindThatMayBeListedButNotWatchedIsListedAgainAndAgain) {
  World world;
  world.mapping("a");
  world.server.intercept = [](const FakeServer::Asked& asked) -> std::optional<kube::Response> {
    if (asked.plural != "mappings" || !asked.is_watch) return std::nullopt;
    return FakeServer::failure(403, "cannot watch resource \"mappings\"");
  };
  world.start();
  EXPECT_EQ(world.synced, 1);
  world.pass(12s);
  EXPECT_NE(world.told().find("cannot watch resource"), std::string::npos) << world.told();
  world.mapping("b");
  world.pass(31s);
  EXPECT_TRUE(world.has(Kind::Mapping, "default", "b"));
  EXPECT_NE(world.told(), "");
  world.server.intercept = nullptr;
  world.pass(31s);
  world.server.bookmark();
  world.settle();
  EXPECT_EQ(world.told(), "");
}

TEST(KubernetesDiscovery, NamespacesAreNotWaitedFor) {
  World world;
  forbid(world, {"namespaces"});
  world.start();
  world.pass(100ms);
  EXPECT_EQ(world.synced, 1);
  EXPECT_NE(world.told().find("kubernetes: namespaces: warning:"), std::string::npos) << world.told();
}

void putEndpoints(World& world) {
  world.server.put(Kind::EndpointSlice, "default", "s-1",
                   {{"metadata", {{"labels", {{"kubernetes.io/service-name", "s"}, {"other", "x"}}}}},
                    {"addressType", "IPv4"},
                    {"endpoints", {{{"addresses", {"10.0.0.1"}}, {"nodeName", "n"}}}},
                    {"ports", {{{"port", 80}}}}});
  world.server.put(Kind::Endpoints, "default", "s",
                   {{"subsets", {{{"addresses", {{{"ip", "10.0.0.2"}}}}, {"ports", {{{"port", 80}}}}}}}});
  world.server.put(Kind::Endpoints, "kube-system", "s", {{"subsets", nlohmann::json::array()}});
}

TEST(KubernetesDiscovery, EndpointsWhereSlicesMayNotBeRead) {
  World world;
  putEndpoints(world);
  forbid(world, {"endpointslices"});
  world.start();
  EXPECT_EQ(world.synced, 1);
  EXPECT_EQ(world.held(), "Endpoints default/s");
  world.pass(11s);
  EXPECT_NE(world.told().find("kubernetes: endpointslices.discovery.k8s.io: notice:"), std::string::npos) << world.told();
  EXPECT_NE(world.told().find("Endpoints are read instead"), std::string::npos);
  world.server.intercept = nullptr;
  world.pass(31s);
  EXPECT_EQ(world.held(), "EndpointSlice default/s-1");
  EXPECT_EQ(world.told(), "");
  EXPECT_EQ(world.client.find("/api/v1/endpoints?", true), 0u);
}

TEST(KubernetesDiscovery, EndpointsWhereSlicesAreNotServed) {
  World world;
  putEndpoints(world);
  world.server.served.erase("endpointslices");
  world.start();
  EXPECT_EQ(world.synced, 1);
  EXPECT_EQ(world.held(), "Endpoints default/s");
  EXPECT_EQ(world.told(), "");
}

TEST(KubernetesDiscovery, SlicesThatAreServedLaterTakeTheirPlace) {
  World world;
  putEndpoints(world);
  world.server.served.erase("endpointslices");
  world.start();
  world.pass(30s);
  world.server.served.insert("endpointslices");
  world.pass(13s);
  EXPECT_EQ(world.held(), "EndpointSlice default/s-1");
  EXPECT_EQ(world.batches.size(), 2u);
  EXPECT_FALSE(world.stats(Kind::EndpointSlice).waiting);
}

TEST(KubernetesDiscovery, SlicesThatMayNotBeReadAnyMoreAreReplaced) {
  World world;
  putEndpoints(world);
  world.start();
  EXPECT_EQ(world.held(), "EndpointSlice default/s-1");
  world.pass(20s);
  forbid(world, {"endpointslices"});
  world.server.endWatches({200, "", {}, ""});
  world.pass(9s);
  EXPECT_EQ(world.held(), "EndpointSlice default/s-1");  // it may be for a moment
  world.pass(3s);
  EXPECT_EQ(world.held(), "Endpoints default/s");
  // It is told, and then all in one batch: there is no moment without addresses.
  EXPECT_EQ(world.batches.size(), 3u);
  EXPECT_EQ(world.batches.back().events.size(), 2u);
}

TEST(KubernetesDiscovery, AnOlderVersionWhereTheNewerIsNotServed) {
  World world;
  world.server.missing_versions.insert("/apis/networking.k8s.io/v1");
  world.server.put(Kind::Ingress, "default", "i",
                   {{"metadata",
                     {{"annotations",
                       {{"getambassador.io/config",
                         "{apiVersion: getambassador.io/v3alpha1, kind: Mapping, name: m, prefix: /, service: s}"}}}}}});
  world.start();
  world.pass(3s);
  EXPECT_EQ(world.synced, 1);
  EXPECT_EQ(world.held(), "Ingress default/i");
  EXPECT_FALSE(world.asked("/apis/networking.k8s.io/v1beta1/ingresses?watch").empty());
}

TEST(KubernetesDiscovery, AServerThatIsAwayIsToldAndThenItIsNot) {
  World world;
  world.mapping("a");
  world.start();
  world.pass(20s);
  world.server.intercept = [](const FakeServer::Asked&) { return kube::Response{0, "", {}, "connection refused"}; };
  world.server.endWatches({0, "", {}, "cut"});
  world.pass(5s);
  EXPECT_EQ(world.told(), "");  // that may have been nothing
  world.pass(40s);
  EXPECT_EQ(world.told(),
            "kubernetes: API server: error: the API server cannot be reached: connection refused; what was read last stays in use "
            "until it answers\n");
  world.server.intercept = nullptr;
  world.pass(31s);
  world.mapping("b");
  world.settle();
  EXPECT_EQ(world.told(), "");
  EXPECT_EQ(world.held(), "Mapping default/a, Mapping default/b");
}

TEST(KubernetesDiscovery, OneKindThatCannotBeReachedIsNotTheServer) {
  World world;
  world.mapping("a");
  world.start();
  world.pass(20s);
  world.server.intercept = [&](const FakeServer::Asked& asked) -> std::optional<kube::Response> {
    return asked.plural == "mappings" ? std::optional(kube::Response{0, "", {}, "reset"}) : std::nullopt;
  };
  const auto call = world.client.find("/apis/getambassador.io/v3alpha1/mappings?watch", true);
  world.client.answer(call, FakeServer::failure(410, "too old"));
  world.pass(300s);
  EXPECT_EQ(world.told(),
            "kubernetes: mappings.getambassador.io: error: mappings.getambassador.io cannot be read: reset; what was read last "
            "stays in use\n");
  EXPECT_LE(world.asked("GET /readyz").size(), 2u);
  EXPECT_LE(world.asked("/mappings?limit").size(), 25u);
  world.server.intercept = nullptr;
  world.pass(31s);
  EXPECT_EQ(world.told(), "");
}

TEST(KubernetesDiscovery, WhatGoesOnFailingIsTold) {
  for (const int status : {401, 500, 503}) {
    SCOPED_TRACE(status);
    World world;
    world.mapping("a");
    world.start();
    world.pass(20s);
    world.server.intercept = [&](const FakeServer::Asked& asked) -> std::optional<kube::Response> {
      return asked.plural == "mappings" ? std::optional(FakeServer::failure(status, "oh dear")) : std::nullopt;
    };
    world.server.endWatches({200, "", {}, ""});
    world.pass(30s);
    EXPECT_EQ(world.held(), "Mapping default/a");
    EXPECT_NE(world.told().find("mappings.getambassador.io cannot be read: oh dear"), std::string::npos) << world.told();
    world.server.intercept = nullptr;
    world.mapping("b");
    world.pass(31s);
    EXPECT_EQ(world.held(), "Mapping default/a, Mapping default/b");
    EXPECT_EQ(world.told(), "");
  }
}

}  // namespace
}  // namespace emissary::source
