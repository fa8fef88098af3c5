// Which Secrets are kept, and how they come.

#include "source/kubernetes/testing.h"

namespace emissary::source {
namespace {

using namespace std::chrono_literals;

kube::Response forbidden(const std::string& name) {
  return FakeServer::failure(403, "secrets \"" + name + "\" is forbidden: User \"system:serviceaccount:edge:gateway\" cannot list");
}

/// Only these may be read, each by its name.
void allowOnly(World& world, const std::set<std::string>& names) {
  world.server.intercept = [names](const FakeServer::Asked& asked) -> std::optional<kube::Response> {
    if (asked.plural != "secrets") return std::nullopt;
    const std::string selector = asked.value("fieldSelector"), prefix = "metadata.name=";
    const std::string name = selector.starts_with(prefix) ? selector.substr(prefix.size()) : "";
    return names.contains(name) ? std::nullopt : std::optional(forbidden(name));
  };
}

TEST(KubernetesSecrets, OnlyThoseThatAreNamedAreKept) {
  World world;
  world.host("a", "cert");
  world.secret("cert");
  world.secret("other");
  world.start();
  EXPECT_EQ(world.held(), "Host default/a, Secret default/cert");
  EXPECT_EQ(world.stats(Kind::Secret).objects, 1u);
  world.secret("other", "YQ==");
  world.secret("more");
  world.settle();
  EXPECT_EQ(world.batches.size(), 1u);
}

TEST(KubernetesSecrets, AreListedAfterAllThatMayNameThem) {
  World world;
  world.start();
  const auto& log = world.client.log();
  const auto at = [&](const std::string& part) {
    return std::find_if(log.begin(), log.end(), [&](const std::string& line) { return line.find(part) != std::string::npos; });
  };
  for (const char* part : {"/hosts?limit", "/tlscontexts?limit", "/services?limit", "/ingresses?limit"}) {
    EXPECT_LT(at(part), at("/secrets?")) << part;
  }
}

TEST(KubernetesSecrets, ANewReferenceBringsItInTheSameBatch) {
  World world;
  world.secret("cert");
  world.start();
  EXPECT_EQ(world.held(), "");
  world.host("a", "cert");
  world.settle();
  EXPECT_EQ(world.held(), "Host default/a, Secret default/cert");
  EXPECT_EQ(world.batches.size(), 2u);
  EXPECT_EQ(world.asked("fieldSelector=metadata.name%3Dcert").size(), 1u);

  world.server.remove(Kind::Host, "default", "a");
  world.settle();
  EXPECT_EQ(world.held(), "");
  EXPECT_EQ(world.batches.size(), 3u);
}

TEST(KubernetesSecrets, OneThatIsNotThereIsNotWaitedFor) {
  World world;
  world.start();
  world.host("a", "cert");
  world.settle();
  EXPECT_EQ(world.held(), "Host default/a");
  EXPECT_TRUE(world.asked("fieldSelector=metadata.name").empty());
  world.secret("cert");
  world.settle();
  EXPECT_EQ(world.held(), "Host default/a, Secret default/cert");
}

TEST(KubernetesSecrets, AChangeWaitsForItForASecondAtMost) {
  World world;
  world.secret("cert");
  world.start();
  world.server.intercept = [](const FakeServer::Asked& asked) -> std::optional<kube::Response> {
    if (asked.value("fieldSelector").empty()) return std::nullopt;
    return FakeServer::failure(500, "not now");
  };
  world.host("a", "cert");
  // The answer that it cannot be had ends the waiting.
  world.settle();
  EXPECT_EQ(world.held(), "Host default/a");
  world.server.intercept = nullptr;
  world.pass(2s);
  EXPECT_EQ(world.held(), "Host default/a, Secret default/cert");
}

TEST(KubernetesSecrets, NoAnswerHoldsAChangeForASecond) {
  World world;
  world.secret("cert");
  world.start();
  world.host("a", "cert");
  // By hand, so that the question stays open.
  const auto hosts = world.client.find("/apis/getambassador.io/v3alpha1/hosts?watch", true);
  nlohmann::json host = world.server.all(Kind::Host).at("default/a");
  world.client.stream(hosts, nlohmann::json{{"type", "ADDED"}, {"object", host}}.dump() + "\n");
  EXPECT_EQ(world.held(), "");
  const auto mappings = world.client.find("/apis/getambassador.io/v3alpha1/mappings?watch", true);
  world.client.stream(mappings,
                      R"({"type":"ADDED","object":{"metadata":{"name":"m","namespace":"n","resourceVersion":"900"},"spec":{}}})"
                      "\n");
  EXPECT_EQ(world.held(), "");
  world.loop.advance(900ms);
  EXPECT_EQ(world.held(), "");
  world.loop.advance(200ms);
  EXPECT_EQ(world.held(), "Host default/a, Mapping n/m");
  EXPECT_EQ(world.batches.size(), 2u);  // in order, as one
}

TEST(KubernetesSecrets, AReferenceThatMoves) {
  World world;
  world.secret("one");
  world.secret("two");
  world.host("a", "one");
  world.host("b", "one");
  world.start();
  EXPECT_EQ(world.held(), "Host default/a, Host default/b, Secret default/one");
  world.host("a", "two");
  world.settle();
  EXPECT_EQ(world.held(), "Host default/a, Host default/b, Secret default/one, Secret default/two");
  world.host("b", "two");
  world.settle();
  EXPECT_EQ(world.held(), "Host default/a, Host default/b, Secret default/two");
}

TEST(KubernetesSecrets, RotationAndDeletion) {
  World world;
  world.secret("cert");
  world.host("a", "cert");
  world.start();
  const Hash128 before = world.objects.at({Kind::Secret, "default", "cert"})->hash;
  world.secret("cert", "YW5vdGhlcg==");
  world.settle();
  EXPECT_NE(world.objects.at({Kind::Secret, "default", "cert"})->hash, before);
  world.server.remove(Kind::Secret, "default", "cert");
  world.settle();
  EXPECT_EQ(world.held(), "Host default/a");
  world.secret("cert");
  world.settle();
  EXPECT_EQ(world.held(), "Host default/a, Secret default/cert");
}

TEST(KubernetesSecrets, NamedInAnAnnotation) {
  World world;
  world.secret("cert");
  const auto service = [&](const std::string& id) {
    world.server.put(
        Kind::Service, "default", "s",
        {{"metadata",
          {{"annotations",
            {{"getambassador.io/config", "{apiVersion: getambassador.io/v3alpha1, kind: TLSContext, name: c, ambassador_id: " + id +
                                             ", hosts: [a.x], secret: cert}"}}}}},
         {"spec", {{"type", "ClusterIP"}}}});
  };
  service("other");
  world.start();
  EXPECT_EQ(world.held(), "Service default/s");
  service("default");
  world.settle();
  EXPECT_EQ(world.held(), "Secret default/cert, Service default/s");
}

TEST(KubernetesSecrets, TheFallbackCertificateIsAlwaysNamed) {
  World world;
  world.secret("fallback-self-signed-cert", "dGV4dA==", "own");
  world.start();
  EXPECT_EQ(world.held(), "Secret own/fallback-self-signed-cert");
}

TEST(KubernetesSecrets, OfOwnNamespaceOnly) {
  KubernetesOptions options;
  options.secrets_single_namespace = true;
  World world(options);
  world.host("a", "cert");
  world.host("b", "cert.own");
  world.secret("cert");
  world.secret("cert", "dGV4dA==", "own");
  world.start();
  EXPECT_EQ(world.held(), "Host default/a, Host default/b, Secret own/cert");
  for (const std::string& line : world.asked("/secrets"))
    EXPECT_NE(line.find("/namespaces/own/secrets"), std::string::npos) << line;
}

TEST(KubernetesSecrets, ByNameWhereNotAllMayBeListed) {
  World world;
  world.host("a", "cert");
  world.host("b", "closed");
  world.secret("cert");
  world.secret("closed");
  world.secret("other");
  allowOnly(world, {"cert", "late"});
  world.start();
  EXPECT_EQ(world.synced, 1);  // what is refused is not waited for
  EXPECT_EQ(world.held(), "Host default/a, Host default/b, Secret default/cert");
  EXPECT_NE(
      world.told().find("kubernetes: named secrets: error: Host default/b spec.tlsSecret: names one that cannot be had: Secret "
                        "default/closed may not be read; grant get, list and watch on Secret default/closed to the "
                        "ServiceAccount edge/gateway"),
      std::string::npos)
      << world.told();
  EXPECT_EQ(world.told().find("fallback"), std::string::npos);
  EXPECT_EQ(world.findings.at("kubernetes: named secrets")[0].path, "");

  world.secret("cert", "YW5vdGhlcg==");
  world.secret("late");
  world.settle();
  EXPECT_EQ(world.batches.size(), 2u);
  // A new name is followed at once, and comes with what named it.
  world.host("b", "late");
  world.settle();
  EXPECT_EQ(world.held(), "Host default/a, Host default/b, Secret default/cert, Secret default/late");
  EXPECT_EQ(world.batches.size(), 3u);
  EXPECT_EQ(world.told(), "");
  EXPECT_EQ(world.client.find("/api/v1/namespaces/default/secrets?limit=500&fieldSelector=metadata.name%3Dclosed"), 0u);

  world.server.remove(Kind::Host, "default", "a");
  world.settle();
  EXPECT_EQ(world.held(), "Host default/b, Secret default/late");
  world.server.remove(Kind::Secret, "default", "late");
  world.settle();
  EXPECT_EQ(world.held(), "Host default/b");
}

TEST(KubernetesSecrets, ARefusalForAMomentChangesNothing) {
  World world;
  world.host("a", "cert");
  world.secret("cert");
  world.start();
  world.pass(20s);
  allowOnly(world, {});
  world.server.endWatches({200, "", {}, ""});
  world.pass(5s);
  EXPECT_TRUE(world.asked("fieldSelector=metadata.name").empty());
  world.server.intercept = nullptr;
  world.pass(31s);
  EXPECT_EQ(world.batches.size(), 1u);

  // For good: each by its name, and what was read stays.
  allowOnly(world, {});
  world.server.endWatches({200, "", {}, ""});
  world.pass(15s);
  EXPECT_FALSE(world.asked("fieldSelector=metadata.name%3Dcert").empty());
  EXPECT_EQ(world.held(), "Host default/a, Secret default/cert");
  EXPECT_NE(world.told().find("Secret default/cert may not be read"), std::string::npos) << world.told();
}

TEST(KubernetesSecrets, ARefusedOneIsAskedForAgain) {
  World world;
  world.host("a", "cert");
  world.secret("cert");
  allowOnly(world, {});
  world.start();
  EXPECT_EQ(world.held(), "Host default/a");
  EXPECT_NE(world.told(), "");
  world.pass(60s);  // and of all of them in vain
  EXPECT_NE(world.told(), "");
  allowOnly(world, {"cert"});
  world.pass(31s);
  EXPECT_EQ(world.held(), "Host default/a, Secret default/cert");
  EXPECT_EQ(world.told(), "");
}

TEST(KubernetesSecrets, AllAtOnceAgainOnceTheyMay) {
  World world;
  world.host("a", "cert");
  world.secret("cert");
  allowOnly(world, {"cert"});
  world.start();
  world.pass(60s);
  const size_t batches = world.batches.size();
  world.server.intercept = nullptr;
  world.pass(31s);
  EXPECT_EQ(world.held(), "Host default/a, Secret default/cert");
  EXPECT_TRUE(world.deleted.empty());
  EXPECT_EQ(world.batches.size(), batches);
  EXPECT_EQ(world.client.find("/api/v1/namespaces/default/secrets", true), 0u);
  world.secret("cert", "YW5vdGhlcg==");
  world.settle();
  EXPECT_EQ(world.batches.size(), batches + 1);
}

}  // namespace
}  // namespace emissary::source
