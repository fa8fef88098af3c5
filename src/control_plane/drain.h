#pragma once
// How the control plane takes Envoy out of service before both end. SIGTERM alone makes Envoy close its connections in mid-request.
// The world is handed in, so that tests need neither Envoy nor time. Called once, from the control plane's main thread.

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "envoy/admin_client.h"

namespace emissary::control_plane {

struct DrainPlan {
  bool with_envoy = true;
  /// How long to go on accepting after readiness went off.
  std::chrono::milliseconds delay{0};
  /// All of it.
  std::chrono::milliseconds budget{27'000};
};

struct DrainWorld {
  std::function<std::chrono::steady_clock::time_point()> now;
  /// False: give up the drain.
  std::function<bool(std::chrono::milliseconds)> sleep;
  /// To Envoy's admin server; nothing when it does not answer.
  std::function<std::optional<envoy::Reply>(const std::string& method, const std::string& path)> ask;
};

/// IdleLeft: the time is over and connections are left, but none has a request under way. A client that keeps an idle connection
/// open cannot be told to close it; it is used to finding it closed.
enum class DrainEnd { Quiet, EnvoyGone, IdleLeft, OutOfTime, GivenUp };

/// Readiness is off already.
DrainEnd drain(const DrainPlan& plan, const DrainWorld& world);

}  // namespace emissary::control_plane
