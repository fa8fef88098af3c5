// Lists that come as the beginning of a watch.

#include <sstream>
#include <utility>
#include <vector>

#include "source/kubernetes/testing.h"

namespace emissary::source {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

TEST(KubernetesStream, TheListAndTheWatchAreOneRequest) {
  World world({}, true);
  world.mapping("a");
  world.mapping("b");
  world.start();
  EXPECT_EQ(world.synced, 1);
  EXPECT_EQ(world.held(), "Mapping default/a, Mapping default/b");
  EXPECT_TRUE(world.asked("?limit").empty());
  EXPECT_EQ(world.asked("/mappings?").size(), 1u);
  EXPECT_EQ(world.stats(Kind::Mapping).lists, 1u);
  world.mapping("c");
  world.server.remove(Kind::Mapping, "default", "a");
  world.settle();
  EXPECT_EQ(world.held(), "Mapping default/b, Mapping default/c");
}

TEST(KubernetesStream, WhatAnotherListLacksIsGone) {
  World world({}, true);
  world.mapping("a");
  world.mapping("b");
  world.start();
  world.server.intercept = [](const FakeServer::Asked&) -> std::optional<kube::Response> {
    return kube::Response{0, "", {}, "no route"};
  };
  world.server.endWatches({0, "", {}, "reset"});
  world.server.remove(Kind::Mapping, "default", "a");
  world.mapping("c");
  world.server.compact();
  world.pass(5s);
  EXPECT_TRUE(world.deleted.empty());
  world.server.intercept = nullptr;
  world.pass(35s);
  EXPECT_EQ(world.held(), "Mapping default/b, Mapping default/c");
  EXPECT_TRUE(world.asked("?limit").empty());
  EXPECT_FALSE(world.asked("resourceVersionMatch=NotOlderThan").empty());
}

TEST(KubernetesStream, AServerWithoutThemIsAskedForPages) {
  World world({}, true);
  world.server.streams = false;
  world.mapping("a");
  world.start();
  EXPECT_EQ(world.held(), "Mapping default/a");
  EXPECT_EQ(world.synced, 1);
  const size_t tries = world.asked("sendInitialEvents").size();
  EXPECT_LE(tries, kResources);
  // Known from now on.
  world.server.endWatches(FakeServer::failure(410, "too old"));
  world.pass(5s);
  EXPECT_EQ(world.asked("sendInitialEvents").size(), tries);
  EXPECT_EQ(world.held(), "Mapping default/a");
}

TEST(KubernetesStream, OneThatBreaksOffIsFollowedByPages) {
  for (const std::string how : {"cut", "error", "stalled"}) {
    World world({}, true);
    world.mapping("a");
    world.mapping("b");
    int spoiled = 0;
    world.server.spoil = [&](std::string& lines) {
      if (lines.find("\"Mapping\"") == std::string::npos || spoiled++ > 0) return true;
      const std::string first = lines.substr(0, lines.find('\n') + 1);
      lines = first;
      if (how == "error") {
        lines += Json{{"type", "ERROR"}, {"object", FakeServer::refusal(500, "no")}}.dump() + "\n";
      }
      return how != "cut";
    };
    world.start();
    EXPECT_EQ(world.synced, 0) << how;
    world.pass(35s);
    EXPECT_EQ(world.synced, 1) << how;
    EXPECT_EQ(world.held(), "Mapping default/a, Mapping default/b") << how;
    EXPECT_EQ(world.asked("/mappings?limit").size(), 1u) << how;
    EXPECT_TRUE(world.deleted.empty()) << how;
  }
}

TEST(KubernetesStream, ChangesSinceItsBeginningComeBeforeItsEnd) {
  World world({}, true);
  for (const std::string name : {"a", "b", "c"}) world.mapping(name);
  world.server.spoil = [&](std::string& lines) {
    if (lines.find("\"Mapping\"") == std::string::npos) return true;
    std::vector<Json> events;
    std::istringstream in(std::exchange(lines, {}));
    for (std::string line; std::getline(in, line);) events.push_back(Json::parse(line));
    const auto say = [&](const Json& event, const std::string& type) {
      Json other = event;
      other["type"] = type;
      lines += other.dump() + "\n";
    };
    for (const Json& event : events) {
      if (event["type"] == "BOOKMARK") {
        say(events[0], "DELETED");
        say(events[1], "MODIFIED");
        say(events[2], "DELETED");
        say(events[2], "ADDED");
      }
      lines += event.dump() + "\n";
    }
    return true;
  };
  world.start();
  EXPECT_EQ(world.synced, 1);
  EXPECT_EQ(world.held(), "Mapping default/b, Mapping default/c");
  EXPECT_TRUE(world.asked("?limit").empty());
  world.server.spoil = nullptr;
  world.mapping("d");
  world.settle();
  EXPECT_EQ(world.held(), "Mapping default/b, Mapping default/c, Mapping default/d");
}

TEST(KubernetesStream, OneThatMayNotBeWatchedIsFollowedByPages) {
  World world({}, true);
  world.mapping("a");
  world.server.intercept = [&](const FakeServer::Asked& asked) -> std::optional<kube::Response> {
    if (asked.value("sendInitialEvents").empty() || asked.plural != "mappings") return std::nullopt;
    return kube::Response{403, "{}", {}, ""};
  };
  world.start();
  EXPECT_EQ(world.held(), "Mapping default/a");
  EXPECT_EQ(world.asked("/mappings?limit").size(), 1u);
}

}  // namespace
}  // namespace emissary::source
