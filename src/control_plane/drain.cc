#include "control_plane/drain.h"

#include <algorithm>

namespace emissary::control_plane {
namespace {

constexpr std::chrono::milliseconds kStep{100};
/// Questions without an answer, one after another, after which nobody is there to drain.
constexpr int kGone = 5;

bool idle(const DrainWorld& world) {
  const auto reply = world.ask("GET", envoy::kRequestStats);
  return reply && reply->status == 200 && envoy::activeRequests(reply->body) == 0;
}

}  // namespace

DrainEnd drain(const DrainPlan& plan, const DrainWorld& world) {
  const auto end = world.now() + plan.budget;
  if (plan.delay.count() > 0 && !world.sleep(std::min(plan.delay, plan.budget))) return DrainEnd::GivenUp;
  if (!plan.with_envoy) return DrainEnd::Quiet;

  // From here on every response tells its client to close, whatever the drain time and strategy.
  world.ask("POST", "/healthcheck/fail");
  // skip_exit: listeners stay open, since a load balancer may still send a connection.
  world.ask("POST", "/drain_listeners?graceful&skip_exit");
  int unanswered = 0;
  while (true) {
    const auto reply = world.ask("GET", envoy::kConnectionStats);
    if (reply && reply->status == 200) {
      unanswered = 0;
      if (envoy::activeConnections(reply->body) == 0) return DrainEnd::Quiet;
    } else if (++unanswered == kGone) {
      return DrainEnd::EnvoyGone;
    }
    if (world.now() + kStep >= end) return idle(world) ? DrainEnd::IdleLeft : DrainEnd::OutOfTime;
    if (!world.sleep(kStep)) return DrainEnd::GivenUp;
  }
}

}  // namespace emissary::control_plane
