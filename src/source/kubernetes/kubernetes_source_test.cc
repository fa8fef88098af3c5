// What is told of an API server that works.

#include "source/kubernetes/kubernetes_source.h"

#include "source/kubernetes/testing.h"

namespace emissary::source {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

TEST(KubernetesSource, OneBatchHoldsEverythingAndEndsWithSynced) {
  World world;
  world.mapping("a");
  world.mapping("b");
  world.server.put(Kind::Service, "default", "s", {{"spec", {{"type", "ClusterIP"}, {"ports", {{{"port", 80}}}}}}});
  world.server.put(Kind::Namespace, "", "edge", {{"metadata", {{"labels", {{"team", "x"}}}}}});
  world.start();
  ASSERT_EQ(world.batches.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<Synced>(world.batches[0].events.back()));
  EXPECT_EQ(world.held(), "Mapping default/a, Mapping default/b, Namespace edge, Service default/s");
  EXPECT_EQ(world.objects.at({Kind::Namespace, "", "edge"})->labels.at("team"), "x");
  EXPECT_EQ(world.told(), "");
  EXPECT_EQ(world.objects.at({Kind::Mapping, "default", "a"})->generation, 1);
  EXPECT_FALSE(world.objects.at({Kind::Mapping, "default", "a"})->uid.empty());
  EXPECT_EQ(world.stats(Kind::Mapping).objects, 2u);
  EXPECT_FALSE(world.stats(Kind::Mapping).waiting);
  for (const Resource& resource : resources()) EXPECT_FALSE(world.stats(resource.kind).waiting) << resource.plural;
  EXPECT_GT(world.source->stats().last_contact, 0);
  // Slices can be had, so nobody asks for Endpoints.
  EXPECT_TRUE(world.asked("/endpoints?").empty());
}

TEST(KubernetesSource, ChangesComeAsTheyHappen) {
  World world;
  world.mapping("a");
  world.start();
  world.mapping("b");
  world.mapping("a", "/changed");
  world.settle();
  ASSERT_EQ(world.batches.size(), 2u);  // one piece of the stream is one batch
  EXPECT_EQ(std::get<model::Mapping>(world.objects.at({Kind::Mapping, "default", "a"})->spec).prefix, "/changed");
  world.server.remove(Kind::Mapping, "default", "a");
  world.settle();
  EXPECT_EQ(world.held(), "Mapping default/b");
  EXPECT_EQ(world.stats(Kind::Mapping).events, 3u);
}

TEST(KubernetesSource, OurOwnStatusWritesComeBackWithoutWork) {
  World world;
  world.mapping("a");
  world.start();
  world.seen.clear();
  world.server.setStatus(Kind::Mapping, "default", "a",
                         {{"state", "Running"}, {"conditions", {{{"type", "Accepted"}, {"status", "True"}}}}});
  world.settle();
  EXPECT_EQ(world.batches.size(), 1u);
  ASSERT_EQ(world.seen.size(), 1u);
  const auto& observed = std::get<model::Observed>(world.seen[0]);
  EXPECT_EQ(observed.ref.text(), "Mapping default/a");
  EXPECT_EQ(observed.status[model::ConditionType::Accepted].status, model::ConditionStatus::True);
  EXPECT_EQ(observed.generation, 1);
  world.server.remove(Kind::Mapping, "default", "a");
  world.settle();
  ASSERT_EQ(world.seen.size(), 2u);
  EXPECT_EQ(std::get<model::Gone>(world.seen[1]).ref.text(), "Mapping default/a");
}

TEST(KubernetesSource, AnotherGenerationIsHandedOn) {
  World world;
  world.mapping("a");
  world.start();
  Json object = world.server.all(Kind::Mapping).at("default/a");
  object["metadata"]["generation"] = 9;
  world.server.put(Kind::Mapping, "default", "a", object);
  world.settle();
  EXPECT_EQ(world.batches.size(), 2u);
  EXPECT_EQ(world.objects.at({Kind::Mapping, "default", "a"})->generation, 9);
}

TEST(KubernetesSource, OtherInstallationsObjectsAreNotThere) {
  World world;
  world.mapping("ours");
  world.mapping("theirs", "/", {{"ambassador_id", {"other"}}});
  world.start();
  EXPECT_EQ(world.held(), "Mapping default/ours");
  EXPECT_EQ(world.seen.size(), 1u);
  world.mapping("ours", "/", {{"ambassador_id", {"other"}}});
  world.mapping("theirs");
  world.settle();
  EXPECT_EQ(world.held(), "Mapping default/theirs");
  EXPECT_TRUE(std::holds_alternative<model::Gone>(world.seen[1]));
}

TEST(KubernetesSource, IngressesCountForTheirAnnotationOnly) {
  World world;
  const auto ingress = [&](const std::string& name, const char* annotation) {
    Json metadata = Json::object();
    if (annotation != nullptr) metadata["annotations"] = {{"getambassador.io/config", annotation}, {"other", "x"}};
    world.server.put(Kind::Ingress, "default", name, {{"metadata", metadata}, {"spec", {{"rules", Json::array()}}}});
  };
  ingress("plain", nullptr);
  ingress("annotated", "{apiVersion: getambassador.io/v3alpha1, kind: Mapping, name: m, prefix: /, service: s}");
  world.start();
  EXPECT_EQ(world.held(), "Ingress default/annotated");
  ASSERT_EQ(world.objects.begin()->second->annotated.size(), 1u);
  ingress("annotated", nullptr);
  world.settle();
  EXPECT_EQ(world.held(), "");
}

TEST(KubernetesSource, NothingBelongsToOtherNamespacesInSingleNamespaceMode) {
  KubernetesOptions options;
  options.ns = "edge";
  options.single_namespace = true;
  World world(options);
  world.mapping("elsewhere");
  world.server.put(Kind::Mapping, "edge", "here", {{"spec", {{"prefix", "/"}, {"service", "s"}}}});
  world.start();
  EXPECT_EQ(world.held(), "Mapping edge/here");
  for (const std::string& line : world.client.log()) EXPECT_NE(line.find("/namespaces/edge"), std::string::npos) << line;
}

TEST(KubernetesSource, LabelsOfTheOwnNamespaceCountInSingleNamespaceMode) {
  KubernetesOptions options;
  options.ns = "edge";
  options.single_namespace = true;
  World world(options);
  const auto labelled = [&](const std::string& team) {
    world.server.put(Kind::Namespace, "", "edge", {{"metadata", {{"labels", {{"team", team}}}}}});
  };
  labelled("x");
  bool away = true;
  world.server.intercept = [&](const FakeServer::Asked& asked) -> std::optional<kube::Response> {
    if (away && asked.path == "/api/v1/namespaces/edge") return kube::Response{503, "", {}, ""};
    return std::nullopt;
  };
  world.start();
  EXPECT_EQ(world.synced, 0);
  away = false;
  world.pass(std::chrono::seconds(2));
  EXPECT_EQ(world.synced, 1);
  EXPECT_EQ(world.objects.at({Kind::Namespace, "", "edge"})->labels.at("team"), "x");
  // Seen at the next look; what cannot be asked stays as it is.
  labelled("y");
  world.pass(std::chrono::seconds(40));
  EXPECT_EQ(world.objects.at({Kind::Namespace, "", "edge"})->labels.at("team"), "y");
  away = true;
  world.pass(std::chrono::seconds(80));
  EXPECT_TRUE(world.has(Kind::Namespace, "", "edge"));
  EXPECT_EQ(world.told(), "");
}

TEST(KubernetesSource, AnOwnNamespaceThatMayNotBeReadHoldsNothingUp) {
  KubernetesOptions options;
  options.ns = "edge";
  options.single_namespace = true;
  World world(options);
  world.server.intercept = [&](const FakeServer::Asked& asked) -> std::optional<kube::Response> {
    if (asked.path == "/api/v1/namespaces/edge") return FakeServer::failure(403, "no");
    return std::nullopt;
  };
  world.start();
  EXPECT_EQ(world.synced, 1);
  EXPECT_NE(world.told().find("namespaces/edge may not be read; grant get on namespaces/edge"), std::string::npos) << world.told();
}

TEST(KubernetesSource, Selectors) {
  KubernetesOptions options;
  options.label_selector = "app=a,tier in (x, y)";
  options.field_selector = "metadata.name!=z";
  World world(options);
  world.server.served.erase("endpointslices");
  world.start();
  for (const std::string& line : world.client.log()) {
    if (line.find('?') == std::string::npos) continue;  // discovery
    const bool selected = line.find("/namespaces?") == std::string::npos;
    EXPECT_EQ(line.find("labelSelector=app%3Da%2Ctier%20in%20%28x%2C%20y%29") != std::string::npos, selected) << line;
    const bool endpoints = line.find("/endpoints?") != std::string::npos;
    const std::string fields = endpoints ? "fieldSelector=metadata.namespace%21%3Dkube-system%2Cmetadata.name%21%3Dz"
                                         : "fieldSelector=metadata.name%21%3Dz";
    EXPECT_EQ(line.find(fields) != std::string::npos, selected) << line;
  }
}

TEST(KubernetesSource, NothingComesAfterTheEndEvenOfWhatWasHeld) {
  World world;
  world.secret("cert");
  world.start();
  world.host("a", "cert");
  const auto hosts = world.client.find("/apis/getambassador.io/v3alpha1/hosts?watch", true);
  world.client.stream(hosts, Json{{"type", "ADDED"}, {"object", world.server.all(Kind::Host).at("default/a")}}.dump() + "\n");
  world.source->stop();
  world.loop.advance(10s);
  EXPECT_EQ(world.batches.size(), 1u);
}

TEST(KubernetesSource, StopIsTheEnd) {
  World world;
  world.mapping("a");
  world.start();
  world.source->stop();
  EXPECT_TRUE(world.client.open().empty());
  world.pass(60s);
  EXPECT_TRUE(world.client.open().empty());
  EXPECT_EQ(world.loop.timers(), 0u);
  world.source.reset();
}

TEST(KubernetesSource, AKindThatIsDeletedAtOnceIsCounted) {
  World world;
  for (int i = 0; i < 5; ++i) world.mapping("m" + std::to_string(i));
  world.start();
  for (int i = 0; i < 5; ++i) world.server.remove(Kind::Mapping, "default", "m" + std::to_string(i));
  world.settle();
  EXPECT_EQ(world.held(), "");
  EXPECT_EQ(world.stats(Kind::Mapping).vanished, 1u);
}

}  // namespace
}  // namespace emissary::source
