#include "diagnostics/health.h"

#include <gtest/gtest.h>

namespace emissary::diagnostics {
namespace {

using namespace std::chrono_literals;

const Health::Time kBoot{1000h};

TEST(Health, ReadyWhenTheFirstConfigurationIsAnsweredAndEnvoyIsUp) {
  Health health(true, kBoot);
  EXPECT_FALSE(health.ready(kBoot, true));
  health.compileBegins(kBoot);
  health.compileEnds(kBoot);
  health.published(1);
  EXPECT_FALSE(health.ready(kBoot, true)) << "nobody answered";
  health.answered(1);
  EXPECT_FALSE(health.ready(kBoot, false)) << "Envoy is down";
  EXPECT_TRUE(health.ready(kBoot, true));
  health.published(2);
  EXPECT_TRUE(health.ready(kBoot, true)) << "a later configuration does not make it unready";
}

TEST(Health, ADrainIsNotReadyButAlive) {
  Health health(true, kBoot);
  health.compileEnds(kBoot);
  health.published(1);
  health.answered(1);
  EXPECT_TRUE(health.alive(kBoot, true));
  health.drainBegins();
  EXPECT_FALSE(health.ready(kBoot, true));
  EXPECT_TRUE(health.alive(kBoot, false));
}

TEST(Health, WithoutEnvoyPublishedIsEnough) {
  Health health(false, kBoot);
  EXPECT_FALSE(health.ready(kBoot, false));
  health.published(1);
  health.compileEnds(kBoot);
  EXPECT_TRUE(health.ready(kBoot, false));
  EXPECT_TRUE(health.alive(kBoot + 24h, false));
}

TEST(Health, EnvoyHasHalfAMinuteToComeUpAndThenMustStayUp) {
  Health health(true, kBoot);
  EXPECT_TRUE(health.alive(kBoot + 9min, false)) << "nothing configured yet";
  health.compileEnds(kBoot + 9min);
  EXPECT_TRUE(health.alive(kBoot + 9min + 30s, false));
  EXPECT_FALSE(health.alive(kBoot + 9min + 31s, false));
  EXPECT_TRUE(health.alive(kBoot + 10min, true));
  EXPECT_FALSE(health.alive(kBoot + 10min, false));
}

TEST(Health, OnceSeenUpTheHalfMinuteNoLongerCounts) {
  Health health(true, kBoot);
  health.compileEnds(kBoot);
  EXPECT_TRUE(health.alive(kBoot + 1s, true));
  EXPECT_FALSE(health.alive(kBoot + 2s, false));
}

TEST(Health, ACompilerThatHangsIsNotAlive) {
  Health health(true, kBoot);
  EXPECT_FALSE(health.alive(kBoot + 11min, true)) << "no first configuration within ten minutes";
  health.compileEnds(kBoot);
  health.published(1);
  health.answered(1);
  EXPECT_TRUE(health.alive(kBoot + 24h, true)) << "nothing to do is no hang";
  health.compileBegins(kBoot + 24h);
  health.compileBegins(kBoot + 24h + 5min);
  EXPECT_TRUE(health.ready(kBoot + 24h + 10min, true));
  EXPECT_FALSE(health.ready(kBoot + 24h + 11min, true));
  EXPECT_FALSE(health.alive(kBoot + 24h + 11min, true));
}

}  // namespace
}  // namespace emissary::diagnostics
