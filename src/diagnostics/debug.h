#pragma once
// What /debug tells: how long probes took, and how much memory there is.

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace emissary::diagnostics {

/// Any thread.
class Timers {
 public:
  void add(const std::string& name, std::chrono::nanoseconds took);
  /// Name → "<count>, <min>/<average>/<max>".
  std::map<std::string, std::string> texts() const;

 private:
  struct Timer {
    uint64_t count = 0;
    std::chrono::nanoseconds least{0}, most{0}, total{0};
  };
  mutable std::mutex mutex_;
  std::map<std::string, Timer> timers_;
};

/// "0.31Gi of 0.59Gi (52%)", or "… of Unlimited (0%)": this process, and the limit of its container.
std::string memoryText();

/// The whole answer.
std::string debugJson(const Timers& timers);

}  // namespace emissary::diagnostics
