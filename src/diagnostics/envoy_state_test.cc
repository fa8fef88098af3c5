#include "diagnostics/envoy_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace emissary::diagnostics {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

TEST(EnvoyState, StatisticsByClusterWhateverItsName) {
  const auto stats = clusterStats(
      "cluster.a_b.upstream_rq_completed: 12\ncluster.a_b.upstream_rq_5xx: 3\ncluster.dotted.name.membership_total: 2\n"
      "cluster.x: 1\nno line\ncluster.y.upstream_rq_4xx: many\n");
  ASSERT_EQ(stats.size(), 2u);
  EXPECT_EQ(stats.at("a_b").completed, 12u);
  EXPECT_EQ(stats.at("a_b").answers_5xx, 3u);
  EXPECT_EQ(stats.at("dotted.name").total_members, 2u);
}

TEST(EnvoyState, LogLevels) {
  const auto levels = logLevels("active loggers:\n  admin: info\n  http: debug\n  main: info\n");
  ASSERT_EQ(levels.size(), 2u);
  EXPECT_THAT(levels.at("info"), ElementsAre("admin", "main"));
}

class EnvoyWatchTest : public ::testing::Test {
 protected:
  EnvoyWatch::Time start_{1000s};
  std::vector<std::string> asked_;
  bool away_ = false;
  EnvoyWatch watch_{[this](const std::string& method, const std::string& path) -> std::optional<std::string> {
    asked_.push_back(method + " " + path);
    if (away_) return std::nullopt;
    if (path == "/server_info") return R"({"state":"LIVE","uptime_current_epoch":"75s"})";
    return path == "/logging" ? "  all: info\n" : "cluster.a.upstream_rq_completed: 1\n";
  }};
};

TEST_F(EnvoyWatchTest, AskedOnceInAWhile) {
  const auto first = watch_.look(start_);
  EXPECT_TRUE(first->alive);
  EXPECT_TRUE(first->ready);
  EXPECT_EQ(first->uptime, 75);
  EXPECT_EQ(first->clusters.at("a").completed, 1u);
  EXPECT_EQ(asked_.size(), 3u);
  watch_.look(start_ + 4s);
  EXPECT_EQ(asked_.size(), 3u);
  watch_.look(start_ + 5s);
  EXPECT_EQ(asked_.size(), 6u);
}

TEST_F(EnvoyWatchTest, AwayItKeepsWhatItToldLast) {
  watch_.look(start_);
  away_ = true;
  const auto later = watch_.look(start_ + 10s);
  EXPECT_FALSE(later->alive);
  EXPECT_EQ(later->updated, start_);
  EXPECT_EQ(later->clusters.size(), 1u);
}

TEST_F(EnvoyWatchTest, OnlyLevelsThatEnvoyHas) {
  EXPECT_TRUE(watch_.setLevel("debug"));
  EXPECT_FALSE(watch_.setLevel("debug&paths=x"));
  EXPECT_FALSE(watch_.setLevel(""));
  EXPECT_THAT(asked_, ElementsAre("POST /logging?level=debug"));
}

}  // namespace
}  // namespace emissary::diagnostics
