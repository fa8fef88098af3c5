#pragma once
// The control plane's own metrics: what its stages report, as Prometheus text. Made once by the control plane; every method may be
// called from any thread.

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "model/finding.h"
#include "serve/resource.h"

namespace emissary::diagnostics {

struct Identity {
  std::string version;
  std::string ambassador_id;
  std::string cluster_id;
  bool single_namespace = false;
  bool debug = false;
};

class Metrics {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit Metrics(Identity identity);
  ~Metrics();

  /// The engine is done with what arrived at `arrived`. Compiling and generating are one call; `generate` is counted when the
  /// result is handed over (published()).
  void compiled(Time arrived, Time now, const std::map<Kind, engine::ObjectCounts>& objects,
                const std::array<uint64_t, engine::kTables>& evaluations);
  void published(uint64_t generation, Time arrived, Time now);
  /// All generations up to this one were sent, or answered in full. Each counts once.
  void sent(uint64_t generation, Time now);
  void answered(uint64_t generation, Time now);
  void response(serve::Type type, size_t resources, size_t bytes);
  void nack(serve::Type type);
  void refused(size_t now);
  void held(size_t now);
  void streams(size_t now);
  /// The certificates that Listeners show now.
  void certificates(const std::vector<engine::CertificateUse>& all);
  /// Findings that are open now.
  void findings(const std::vector<Finding>& all);
  /// Which cluster we turned out to be in.
  void cluster(const std::string& id);
  /// Is Envoy's log level "debug"?
  void debug(bool on);

  /// Prometheus text, this process's resources included.
  std::string text() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace emissary::diagnostics
