#pragma once
// Keeps the control plane and Envoy running, each on its own, and ends them in order. One thread, which waits for signals and
// deadlines; it parses nothing that users wrote and speaks to nobody, so that it is small enough to be right. As process 1 it also
// reaps whatever is orphaned to it.
//
// A stop (SIGTERM, SIGINT, SIGHUP): the control plane gets SIGTERM and drains Envoy while both still serve; when it ended, or its
// time is up, Envoy gets SIGTERM, and SIGKILL if that does not end it. A second signal kills both at once.
//
// Exit statuses of `run`:
//   0  drained and ended in time
//   1  a child, or the private folder, cannot be had at all: program missing, address in use at the first start
//   2  usage
//   3  ended without a full drain: a second signal, or the grace was over

#include <chrono>
#include <memory>
#include <optional>

#include "supervisor/process.h"

namespace emissary::supervisor {

/// With this a control plane says that it can never run as it was started; taken so at its first start only: later the cause
/// may pass, and Envoy's traffic is worth waiting.
inline constexpr int kCannotRun = 78;

struct Options {
  std::optional<Program> control_plane;
  std::optional<Program> envoy;
  /// From the signal to the end.
  std::chrono::milliseconds grace{30'000};
  std::chrono::milliseconds first_backoff{100};
  std::chrono::milliseconds last_backoff{10'000};
  /// Up this long, a child's next restart waits `first_backoff` again.
  std::chrono::milliseconds healthy{30'000};
};

/// How the grace is shared, all from the signal: the control plane's drain ends, then Envoy's own end begins, then all is killed.
struct Deadlines {
  std::chrono::milliseconds drain;
  std::chrono::milliseconds control_plane;
  std::chrono::milliseconds envoy;
};
Deadlines deadlines(std::chrono::milliseconds grace);

/// The wait before the next start of a child that ran for `up` and had waited `before` (0: never).
std::chrono::milliseconds nextBackoff(const Options& options, std::chrono::milliseconds before, std::chrono::milliseconds up);

/// Keep the signals that supervise() reads from being lost, or from ending us, before it reads them.
void holdSignals();

/// Run until a stop is done. The caller's thread must be the process's only one. Leaves its signals blocked.
int supervise(const Options& options);

}  // namespace emissary::supervisor
