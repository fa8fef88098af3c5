#include "diagnostics/debug.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

namespace emissary::diagnostics {
namespace {

std::string durationOf(std::chrono::nanoseconds time) {
  const auto count = static_cast<double>(time.count());
  if (count < 1e6) return fmt::format("{:.1f}µs", count / 1e3);
  if (count < 1e9) return fmt::format("{:.1f}ms", count / 1e6);
  return fmt::format("{:.1f}s", count / 1e9);
}

}  // namespace

void Timers::add(const std::string& name, std::chrono::nanoseconds took) {
  std::lock_guard lock(mutex_);
  Timer& timer = timers_[name];
  timer.least = timer.count == 0 ? took : std::min(timer.least, took);
  timer.most = std::max(timer.most, took);
  timer.total += took;
  ++timer.count;
}

std::map<std::string, std::string> Timers::texts() const {
  std::lock_guard lock(mutex_);
  std::map<std::string, std::string> out;
  for (const auto& [name, timer] : timers_) {
    const auto average = timer.total / static_cast<int64_t>(timer.count);
    out[name] = fmt::format("{}, {}/{}/{}", timer.count, durationOf(timer.least), durationOf(average), durationOf(timer.most));
  }
  return out;
}

std::string memoryText() {
  constexpr double kGi = 1024.0 * 1024 * 1024;
  uint64_t pages = 0, resident = 0, limit = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  const double used = static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
  // "max" is no number: no limit.
  if (!(std::ifstream("/sys/fs/cgroup/memory.max") >> limit)) return fmt::format("{:.2f}Gi of Unlimited (0%)", used / kGi);
  const auto most = static_cast<double>(limit);
  return fmt::format("{:.2f}Gi of {:.2f}Gi ({:.0f}%)", used / kGi, most / kGi, most > 0 ? 100 * used / most : 0);
}

std::string debugJson(const Timers& timers) {
  nlohmann::ordered_json out;
  out["timers"] = timers.texts();
  out["values"]["memory"] = memoryText();
  // Changes go at once: there is nothing that limits their rate.
  out["values"]["envoyReconfigs"] = {{"times", nlohmann::ordered_json::array()},
                                     {"staleCount", 0},
                                     {"staleMax", 0},
                                     {"synced", true},
                                     {"disableRatelimiter", true}};
  return out.dump();
}

}  // namespace emissary::diagnostics
