#pragma once
// The part of the admin server that is for people and their tools: who may see what, and the answer to each path. Made once by the
// control plane; answer() is called from the admin server's threads, several at once.
//
// An answer may be large, so they are made one after the other, and whoever would stand too far back in the line is sent away:
// lookers never take the threads that probes need.

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "diagnostics/debug.h"
#include "diagnostics/envoy_state.h"
#include "diagnostics/request.h"
#include "diagnostics/scene.h"

namespace emissary::diagnostics {

class Console {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr int kLine = 8;  // answers that are made or waited for
  static constexpr size_t kPatchClients = 10;
  static constexpr std::chrono::seconds kPatchMemory{60};

  struct Sources {
    /// Null before there is a configuration.
    std::function<StatePtr()> state;
    EnvoyWatch::Ask envoy;
    /// Is Envoy asked to log at "debug"?
    std::function<void(bool)> debug;
    /// Raw HTML, "" for none. May be unset.
    std::function<std::string()> banner;
  };

  Console(About about, Sources sources);

  Reply answer(const Request& request);
  Timers& timers() { return timers_; }
  /// Which cluster we turned out to be in.
  void cluster(const std::string& id);

 private:
  Reply route(const Request& request);
  Reply overviewReply(const Scene& scene, const Request& request);
  Reply patchReply(const std::string& client, const Scene& scene);
  Scene sceneOf(StatePtr state, const Request& request);
  std::string banner(Clock::time_point now);

  const Sources sources_;
  EnvoyWatch envoy_;
  Timers timers_;
  std::atomic<int> in_line_{0};

  std::mutex about_mutex_;
  std::shared_ptr<const About> about_;

  std::mutex mutex_;  // of making an answer, and of what follows
  struct Seen {
    Scene scene;
    Clock::time_point at;
  };
  std::map<std::string, Seen> seen_;  // by patch_client
  std::string banner_;
  std::optional<Clock::time_point> banner_asked_;
};

}  // namespace emissary::diagnostics
