#include "control_plane/drain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace emissary::control_plane {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

/// An Envoy whose connections go one with each look, and a clock that only sleeping moves.
struct Fake {
  std::chrono::steady_clock::time_point time{1h};
  int connections = 3;
  bool closes = true;
  int requests = 1;
  bool there = true;
  bool stopped = false;
  std::vector<std::string> asked;

  DrainWorld world() {
    return {[this] { return time; },
            [this](std::chrono::milliseconds pause) {
              time += pause;
              return !stopped;
            },
            [this](const std::string& method, const std::string& path) -> std::optional<envoy::Reply> {
              if (asked.empty() || asked.back() != method + " " + path) asked.push_back(method + " " + path);
              if (!there) return std::nullopt;
              if (method == "POST") return envoy::Reply{200, "OK\n"};
              if (path == envoy::kRequestStats) {
                return envoy::Reply{200, "http.admin.downstream_rq_active: 1\nhttp.ingress_http.downstream_rq_active: " +
                                             std::to_string(requests) + "\n"};
              }
              const int now = closes && connections > 0 ? connections-- : connections;
              return envoy::Reply{200, "listener.0.0.0.0_80.downstream_cx_active: " + std::to_string(now) + "\n"};
            }};
  }
};

TEST(Drain, FailsTheHealthCheckDrainsAndWaitsUntilNobodyIsConnected) {
  Fake fake;
  const auto begin = fake.time;
  EXPECT_EQ(drain({.delay = 5s}, fake.world()), DrainEnd::Quiet);
  EXPECT_EQ(fake.connections, 0);
  EXPECT_GE(fake.time - begin, 5s);
  EXPECT_THAT(fake.asked, ElementsAre("POST /healthcheck/fail", "POST /drain_listeners?graceful&skip_exit",
                                      std::string("GET ") + envoy::kConnectionStats));
}

TEST(Drain, StopsWhenTheTimeIsOver) {
  Fake fake;
  fake.closes = false;
  const auto begin = fake.time;
  EXPECT_EQ(drain({.delay = 1s, .budget = 3s}, fake.world()), DrainEnd::OutOfTime);
  EXPECT_LE(fake.time - begin, 3s);
  EXPECT_GE(fake.time - begin, 2s);
}

TEST(Drain, IdleConnectionsAreNoFailure) {
  Fake fake;
  fake.closes = false;
  fake.requests = 0;
  EXPECT_EQ(drain({.budget = 3s}, fake.world()), DrainEnd::IdleLeft);
}

TEST(Drain, ADelayLongerThanAllEndsWithTheBudget) {
  Fake fake;
  fake.closes = false;
  const auto begin = fake.time;
  EXPECT_EQ(drain({.delay = 60s, .budget = 2s}, fake.world()), DrainEnd::OutOfTime);
  EXPECT_EQ(fake.time - begin, 2s);
}

TEST(Drain, DoesNotWaitForADeadEnvoy) {
  Fake fake;
  fake.there = false;
  EXPECT_EQ(drain({}, fake.world()), DrainEnd::EnvoyGone);
}

TEST(Drain, WithoutEnvoyOnlyTheDelay) {
  Fake fake;
  EXPECT_EQ(drain({.with_envoy = false, .delay = 1s}, fake.world()), DrainEnd::Quiet);
  EXPECT_TRUE(fake.asked.empty());
}

TEST(Drain, CanBeGivenUp) {
  Fake fake;
  fake.stopped = true;
  fake.closes = false;
  EXPECT_EQ(drain({}, fake.world()), DrainEnd::GivenUp);
}

}  // namespace
}  // namespace emissary::control_plane
