#pragma once
// Whether we are alive and ready. Made once by the control plane; its threads tell it what they
// did, the admin server asks. Any thread may call any method; time is given, so that tests need no clock.
//
// Ready: the first configuration is published and every resource of it was answered (acknowledged, refused, or past its bound);
// Envoy's own /ready answers 200; no drain has begun; the compiler does not hang. Without an Envoy of our own (--no-envoy) there
// may be nobody to answer: then published is enough, and Envoy is not asked. Alive: the compiler does not hang, and Envoy is up, or
// is still given its time (until 30 s after the first configuration). A drain is alive: Envoy reports itself failed then.

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

namespace emissary::diagnostics {

class Health {
 public:
  using Time = std::chrono::steady_clock::time_point;
  /// A compiler that is busy longer than this with one change hangs.
  static constexpr std::chrono::minutes kCompileGrace{10};
  static constexpr std::chrono::seconds kEnvoyGrace{30};

  Health(bool with_envoy, Time boot);

  void compileBegins(Time now);
  void compileEnds(Time now);
  void published(uint64_t generation);
  void answered(uint64_t generation);
  void drainBegins();

  bool draining() const;
  /// Does an answer need to know whether Envoy is up?
  bool asksEnvoy() const { return with_envoy_; }
  /// `envoy_up`: its readiness listener answered 200 to this very probe.
  bool alive(Time now, bool envoy_up);
  bool ready(Time now, bool envoy_up) const;

 private:
  bool compilerHangs(Time now) const;

  const bool with_envoy_;
  mutable std::mutex mutex_;
  std::optional<Time> busy_since_;
  /// Before the first configuration: since the boot.
  Time boot_;
  std::optional<Time> first_done_;
  bool envoy_seen_ = false;
  bool published_ = false;
  bool answered_ = false;
  bool draining_ = false;
};

}  // namespace emissary::diagnostics
