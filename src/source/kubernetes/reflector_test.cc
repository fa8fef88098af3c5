// Lists and watches, and how each way of failing ends.

#include "source/kubernetes/reflector.h"

#include "source/kubernetes/testing.h"

namespace emissary::source {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

TEST(KubernetesReflector, ListsInPages) {
  KubernetesOptions options;
  options.bounds.page = 3;
  World world(options);
  for (int i = 0; i < 10; ++i) world.mapping("m" + std::to_string(i));
  world.start();
  EXPECT_EQ(world.stats(Kind::Mapping).objects, 10u);
  EXPECT_EQ(world.asked("/mappings?limit=3").size(), 4u);
  EXPECT_EQ(world.asked("continue=").size(), 3u);
}

TEST(KubernetesReflector, AContinueTokenThatExpiredBeginsTheListAnew) {
  KubernetesOptions options;
  options.bounds.page = 2;
  World world(options);
  for (int i = 0; i < 5; ++i) world.mapping("m" + std::to_string(i));
  int pages = 0;
  world.server.intercept = [&](const FakeServer::Asked& asked) -> std::optional<kube::Response> {
    if (asked.plural == "mappings" && !asked.is_watch && ++pages == 2) {
      world.server.remove(Kind::Mapping, "default", "m0");
      world.server.compact();
    }
    return std::nullopt;
  };
  world.start();
  world.pass(1s);
  EXPECT_EQ(world.synced, 1);
  EXPECT_EQ(world.held(), "Mapping default/m1, Mapping default/m2, Mapping default/m3, Mapping default/m4");
  EXPECT_EQ(world.stats(Kind::Mapping).expired, 1u);
  EXPECT_EQ(world.stats(Kind::Mapping).failures, 0u);
}

TEST(KubernetesReflector, PagesGetSmallerWhereAnswersBreakOff) {
  World world;
  for (int i = 0; i < 40; ++i) world.mapping("m" + std::to_string(i));
  world.server.intercept = [&](const FakeServer::Asked& asked) -> std::optional<kube::Response> {
    if (asked.plural != "mappings" || asked.is_watch || std::stoi(asked.value("limit")) <= 20) return std::nullopt;
    return kube::Response{0, "", {}, "longer than allowed"};
  };
  world.start();
  world.pass(120s);
  EXPECT_EQ(world.synced, 1);
  EXPECT_EQ(world.stats(Kind::Mapping).objects, 40u);
}

TEST(KubernetesReflector, WatchesGoOnFromWhereTheyEnded) {
  World world;
  world.mapping("a");
  world.start();
  world.pass(20s);
  world.mapping("b");
  world.settle();
  const std::string last = std::to_string(world.server.version());
  const size_t lists = world.asked("/mappings?limit").size();
  world.server.endWatches({200, "", {}, ""});
  world.loop.advance(0ms);
  ASSERT_EQ(world.asked("/mappings?watch").size(), 2u);
  EXPECT_NE(world.asked("/mappings?watch")[1].find("resourceVersion=" + last), std::string::npos);
  EXPECT_EQ(world.asked("/mappings?limit").size(), lists);
  world.mapping("c");
  world.settle();
  EXPECT_TRUE(world.has(Kind::Mapping, "default", "c"));
}

TEST(KubernetesReflector, AWatchLastsFiveToTenMinutes) {
  World world;
  world.start();
  std::set<int> times;
  for (const std::string& line : world.asked("?watch=1")) {
    EXPECT_NE(line.find("allowWatchBookmarks=true"), std::string::npos);
    const size_t at = line.find("timeoutSeconds=");
    ASSERT_NE(at, std::string::npos);
    times.insert(std::stoi(line.substr(at + 15)));
  }
  EXPECT_GE(*times.begin(), 300);
  EXPECT_LE(*times.rbegin(), 600);
  EXPECT_GT(times.size(), 5u);  // not all at one moment
}

TEST(KubernetesReflector, WatchesThatEndAtOnceAreNoBusyLoop) {
  World world;
  world.start();
  world.server.intercept = [&](const FakeServer::Asked& asked) -> std::optional<kube::Response> {
    if (asked.is_watch && asked.plural == "mappings") return kube::Response{200, "", {}, ""};
    return std::nullopt;
  };
  world.server.endWatches({200, "", {}, ""});
  world.pass(60s);
  EXPECT_LT(world.asked("/mappings?watch").size(), 12u);
}

TEST(KubernetesReflector, BookmarksMoveTheVersion) {
  World world;
  world.start();
  const auto call = world.client.find("/apis/getambassador.io/v3alpha1/mappings?watch", true);
  world.server.setVersion(777);
  world.client.stream(call, R"({"type":"BOOKMARK","object":{"kind":"Mapping","metadata":{"resourceVersion":"777"}}})"
                            "\n");
  world.pass(2s);
  world.server.endWatches({200, "", {}, ""});
  world.loop.advance(0ms);
  EXPECT_NE(world.asked("/mappings?watch")[1].find("resourceVersion=777"), std::string::npos);
  EXPECT_EQ(world.stats(Kind::Mapping).events, 0u);
}

TEST(KubernetesReflector, LinesComeInPiecesOfAnySize) {
  World world;
  world.start();
  const auto call = world.client.find("/apis/getambassador.io/v3alpha1/mappings?watch", true);
  const std::string line =
      R"({"type":"ADDED","object":{"metadata":{"name":"x","namespace":"n","resourceVersion":"200"},"spec":{"prefix":"/","service":"s"}}})";
  for (const char c : line) world.client.stream(call, std::string(1, c));
  EXPECT_FALSE(world.has(Kind::Mapping, "n", "x"));
  world.client.stream(call, "\n\n");
  EXPECT_TRUE(world.has(Kind::Mapping, "n", "x"));
}

TEST(KubernetesReflector, ACutLineIsNoEvent) {
  World world;
  world.mapping("a");
  world.start();
  world.pass(20s);
  const auto call = world.client.find("/apis/getambassador.io/v3alpha1/mappings?watch", true);
  world.mapping("b");
  world.client.stream(call, R"({"type":"DELETED","object":{"metadata":{"name":"a","namespace":"default","resou)");
  world.client.answer(call, kube::Response{0, "", {}, "cut"});
  world.loop.advance(0ms);  // a watch that was in order is taken up at once
  world.settle();
  EXPECT_EQ(world.held(), "Mapping default/a, Mapping default/b");
  EXPECT_TRUE(world.deleted.empty());
}

TEST(KubernetesReflector, WhatCannotBeReadMeansAnotherList) {
  for (const std::string bad :
       {R"({"type":"ADDED","object":{"metadata":{"name":"x","na)", "{}", "nonsense", R"({"type":"DANCED","object":{}})",
        R"({"type":"ADDED"})", R"({"type":"ADDED","object":[]})",
        R"({"type":"DELETED","object":{"metadata":{"resourceVersion":"9"}}})",
        R"({"type":"DELETED","object":{"metadata":{"name":"a","resourceVersion":"9"}}})",
        R"({"type":"DELETED","object":{"metadata":{"name":"a","namespace":"default"}}})", R"({"type":"ERROR","object":7})",
        "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"\xff\"}}}"}) {
    SCOPED_TRACE(bad);
    World world;
    world.mapping("a");
    world.start();
    const auto call = world.client.find("/apis/getambassador.io/v3alpha1/mappings?watch", true);
    world.client.stream(call,
                        bad + "\n" +
                            R"({"type":"DELETED","object":{"metadata":{"name":"a","namespace":"default","resourceVersion":"900"}}})"
                            "\n");
    EXPECT_TRUE(world.has(Kind::Mapping, "default", "a"));
    EXPECT_FALSE(world.client.open().contains(call));
    world.mapping("b");
    world.pass(2s);
    EXPECT_EQ(world.held(), "Mapping default/a, Mapping default/b");
    EXPECT_EQ(world.asked("/mappings?limit").size(), 2u);
    EXPECT_NE(world.asked("/mappings?limit")[1].find("resourceVersionMatch=NotOlderThan"), std::string::npos);
    EXPECT_EQ(world.told(), "");
  }
}

TEST(KubernetesReflector, AnEventWithoutEndIsCutOff) {
  KubernetesOptions options;
  options.bounds.max_event_bytes = 1000;
  World world(options);
  world.start();
  const auto call = world.client.find("/apis/getambassador.io/v3alpha1/mappings?watch", true);
  for (int i = 0; i < 11 && world.client.open().contains(call); ++i) world.client.stream(call, std::string(100, ' '));
  EXPECT_FALSE(world.client.open().contains(call));
}

TEST(KubernetesReflector, GoneMeansAnotherListAndNothingIsLost) {
  for (const bool as_event : {false, true}) {
    SCOPED_TRACE(as_event);
    World world;
    world.server.expired_as_event = as_event;
    world.mapping("a");
    world.mapping("b");
    world.mapping("c");
    world.start();
    world.pass(20s);
    world.server.intercept = [](const FakeServer::Asked&) { return kube::Response{0, "", {}, "away"}; };
    world.server.endWatches({0, "", {}, "cut"});
    world.pass(5s);
    world.server.remove(Kind::Mapping, "default", "a");
    world.mapping("b", "/changed");
    world.mapping("d");
    world.server.compact();
    EXPECT_EQ(world.batches.size(), 1u);
    world.server.intercept = nullptr;
    world.pass(60s);
    EXPECT_EQ(world.held(), "Mapping default/b, Mapping default/c, Mapping default/d");
    // One batch replaces what there was; the unchanged one is not in it.
    const auto brings = [](const Batch& batch) {
      size_t count = 0;
      for (const Event& event : batch.events) count += std::holds_alternative<FileFindings>(event) ? 0 : 1;
      return count;
    };
    EXPECT_EQ(std::count_if(world.batches.begin(), world.batches.end(), [&](const Batch& b) { return brings(b) > 0; }), 2);
    EXPECT_EQ(std::count_if(world.batches.begin(), world.batches.end(), [&](const Batch& b) { return brings(b) == 3; }), 1);
    EXPECT_GE(world.stats(Kind::Mapping).expired, 1u);
  }
}

TEST(KubernetesReflector, AServerThatWasSetBackIsListedAnew) {
  World world;
  world.mapping("a");
  world.start();
  world.pass(20s);
  world.server.setVersion(50);  // from a backup
  world.server.endWatches({0, "", {}, "cut"});
  world.pass(5s);
  world.mapping("b");
  world.pass(60s);
  EXPECT_EQ(world.held(), "Mapping default/a, Mapping default/b");
  const auto lists = world.asked("/mappings?limit");
  EXPECT_EQ(lists.back().find("resourceVersion="), std::string::npos);
}

TEST(KubernetesReflector, WaitsAsLongAsTheServerAsks) {
  World world;
  world.mapping("a");
  world.server.intercept = [&](const FakeServer::Asked& asked) -> std::optional<kube::Response> {
    if (asked.plural != "mappings") return std::nullopt;
    return kube::Response{429, "{}", 20s, ""};
  };
  world.start();
  world.pass(19s);
  EXPECT_EQ(world.asked("/mappings?").size(), 1u);
  world.pass(2s);
  EXPECT_EQ(world.asked("/mappings?").size(), 2u);
  world.server.intercept = nullptr;
  world.pass(21s);
  EXPECT_EQ(world.synced, 1);
}

TEST(KubernetesReflector, TriesAreMadeLessAndLessOften) {
  World world;
  std::vector<std::chrono::milliseconds> at;
  const auto begin = world.loop.now();
  world.server.intercept = [&](const FakeServer::Asked& asked) -> std::optional<kube::Response> {
    if (asked.plural == "mappings") at.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(world.loop.now() - begin));
    return kube::Response{0, "", {}, "no route"};
  };
  world.start();
  world.pass(200s, 10ms);
  EXPECT_EQ(world.synced, 0);
  EXPECT_TRUE(world.batches.empty());
  ASSERT_GT(at.size(), 8u);
  double expected = 800;
  for (size_t i = 1; i < 8; ++i, expected = std::min(expected * 2, 30'000.0)) {
    const double waited = static_cast<double>((at[i] - at[i - 1]).count());
    EXPECT_GE(waited, expected * 0.74) << i;
    EXPECT_LE(waited, std::min(expected * 1.26, 30'100.0)) << i;
  }
  world.server.intercept = nullptr;
  world.pass(31s);
  EXPECT_EQ(world.synced, 1);
}

TEST(KubernetesReflector, AfterAnOutageNobodyWaitsOutItsTime) {
  World world;
  world.mapping("a");
  world.start();
  world.server.intercept = [&](const FakeServer::Asked&) -> std::optional<kube::Response> {
    return kube::Response{0, "", {}, "no route"};
  };
  for (const auto& [call, asked] : std::map(world.client.open())) world.client.answer(call, kube::Response{0, "", {}, "reset"});
  world.pass(300s);
  const size_t looks = world.asked("GET /readyz").size();
  EXPECT_GE(looks, 300 / 1.26 / 1.2);
  EXPECT_LE(looks, 300 / 0.74);
  world.server.intercept = nullptr;
  world.mapping("b");
  world.pass(1700ms, 10ms);
  EXPECT_TRUE(world.has(Kind::Mapping, "default", "b"));
  EXPECT_EQ(world.client.open().size(), kResources - 1) << "each kind is watched again, Endpoints never were";
  world.pass(60s);
  EXPECT_LE(world.asked("GET /readyz").size(), looks + 2);
}

TEST(KubernetesReflector, AWatchThatSaysNothingIsDead) {
  World world;
  world.start();
  world.pass(170s, 10s);
  EXPECT_EQ(world.asked("/mappings?watch").size(), 1u);
  const auto call = world.client.find("/apis/getambassador.io/v3alpha1/mappings?watch", true);
  world.client.stream(call, R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"100"}}})"
                            "\n");
  world.pass(20s, 10s);
  EXPECT_EQ(world.asked("/mappings?watch").size(), 1u);
  EXPECT_EQ(world.asked("/hosts?watch").size(), 2u);
  world.pass(165s, 5s);
  EXPECT_EQ(world.asked("/mappings?watch").size(), 2u);
  EXPECT_FALSE(world.client.open().contains(call));
  EXPECT_EQ(world.asked("/mappings?limit").size(), 1u);
}

}  // namespace
}  // namespace emissary::source
