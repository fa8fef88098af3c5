#pragma once
// The compile thread: takes what the source says, all that has come at once, has the engine compile it, and hands on what to
// publish. It alone owns the engine. Made by the control plane; submit() and refused() may be called from any thread.
//
// Nothing is compiled before the source said that it has told everything once. The first configuration is published even if it is
// empty, later ones only if something differs.

#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "base/queue.h"
#include "control_plane/board.h"
#include "diagnostics/health.h"
#include "diagnostics/metrics.h"
#include "diagnostics/scene.h"
#include "engine/engine.h"
#include "serve/server.h"
#include "source/event.h"
#include "status/ledger.h"

namespace emissary::control_plane {

class Compiler {
 public:
  struct Outputs {
    /// Called from the compile thread.
    std::function<void(serve::Update)> publish;
    diagnostics::Metrics& metrics;
    diagnostics::Health& health;
    Board& board;
    /// What objects' status is to say, as it changes. Null: nobody writes it.
    std::function<void(std::vector<status::Desired>)> status = nullptr;
  };

  /// `spacing`: at least this long between two publications; 0: at once.
  Compiler(engine::Options options, std::chrono::seconds spacing, Outputs outputs);
  ~Compiler();

  void submit(source::Batch batch) { queue_.push(std::move(batch)); }
  /// All that Envoy refuses now.
  void refused(std::vector<serve::Refusal> all) { queue_.push(std::move(all)); }
  /// What serve::Observer says; of interest to status alone.
  void confirmed(uint64_t generation);
  void connected(size_t streams);
  /// Compile anew for another Envoy, and publish even where that makes no difference.
  void envoy(ir::EnvoyBuild envoy) { queue_.push(std::move(envoy)); }
  /// What the users' objects have come to, for somebody who looks: made by the compile thread between two of its rounds, and kept
  /// until something changes. The one before when that thread is busy for longer than `patience`; null when there is none.
  diagnostics::StatePtr look(std::chrono::milliseconds patience);
  void start();
  void stop();

 private:
  using Look = std::promise<diagnostics::StatePtr>;
  struct Confirmed {
    uint64_t generation;
  };
  struct Connected {
    bool any;
  };
  using Input = std::variant<source::Batch, std::vector<serve::Refusal>, Look, Confirmed, Connected, ir::EnvoyBuild>;
  using Clock = std::chrono::steady_clock;

  void run();
  void gatherMore(std::vector<Input>& inputs);
  void take(source::Batch batch);
  void take(const engine::Change& change);
  void compile();
  void report();
  void tellStatus(std::vector<status::Desired> all) const;
  void noteCertificates(std::chrono::seconds now);
  void answer(std::vector<Input>& inputs);
  std::vector<Finding> findingsOfRefusals() const;

  engine::Engine engine_;
  const std::chrono::seconds spacing_;
  const Outputs outputs_;
  Queue<Input> queue_;

  /// Not yet compiled, and when the oldest of it arrived.
  std::vector<engine::Change> pending_;
  std::optional<Clock::time_point> arrived_;
  bool synced_ = false;
  bool envoy_moved_ = false;
  uint64_t generation_ = 0;
  bool serves_ = true;  // some Listener is in use; told when not
  Clock::time_point last_published_{};
  /// When a certificate begins or ends to be valid.
  std::optional<Clock::time_point> look_again_;

  std::map<std::string, std::vector<Finding>> file_findings_;
  status::Ledger ledger_;
  std::vector<serve::Refusal> refusals_;
  std::map<ObjectRef, std::string> stats_names_;

  /// Null when something has changed since.
  diagnostics::StatePtr state_;
  std::mutex looked_mutex_;
  diagnostics::StatePtr looked_;  // what look() gave last

  std::thread thread_;
};

}  // namespace emissary::control_plane
