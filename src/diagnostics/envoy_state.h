#pragma once
// What Envoy tells of itself, for diagnostics: is it there, its log levels, how its clusters do. Asked for when somebody looks, and
// then not again for a few seconds, however many look. Any thread may call.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace emissary::diagnostics {

struct ClusterStats {
  uint64_t completed = 0;
  uint64_t answers_4xx = 0;
  uint64_t answers_5xx = 0;
  uint64_t healthy_members = 0;
  uint64_t total_members = 0;
  uint64_t update_attempts = 0;
  uint64_t update_successes = 0;
};

struct EnvoyState {
  using Time = std::chrono::steady_clock::time_point;
  bool alive = false;
  bool ready = false;
  /// Seconds, as Envoy says.
  int64_t uptime = 0;
  /// When it last told of its clusters; nothing: never.
  std::optional<Time> updated;
  std::map<std::string, ClusterStats> clusters;  // by stat name
  std::map<std::string, std::vector<std::string>> levels;
};

/// Of `/stats` with kClusterStats.
std::map<std::string, ClusterStats> clusterStats(std::string_view text);
inline constexpr const char* kClusterStats =
    "/stats?filter=%5Ecluster%5C..*%5C.(upstream_rq_completed%7Cupstream_rq_4xx%7Cupstream_rq_5xx%7Cmembership_healthy%"
    "7Cmembership_"
    "total%7Cupdate_attempt%7Cupdate_success)%24";

/// Of `/logging`: level → loggers.
std::map<std::string, std::vector<std::string>> logLevels(std::string_view text);

/// A name as Envoy writes it into statistics.
std::string statName(std::string_view written);

class EnvoyWatch {
 public:
  using Time = EnvoyState::Time;
  /// The body of the answer, when it is 200.
  using Ask = std::function<std::optional<std::string>(const std::string& method, const std::string& path)>;
  static constexpr std::chrono::seconds kFresh{5};

  explicit EnvoyWatch(Ask ask) : ask_(std::move(ask)) {}

  std::shared_ptr<const EnvoyState> look(Time now);
  /// One of Envoy's log levels; false when it is none, or Envoy does not answer.
  bool setLevel(const std::string& level);

 private:
  const Ask ask_;
  std::mutex mutex_;
  std::shared_ptr<const EnvoyState> last_ = std::make_shared<EnvoyState>();
  std::optional<Time> asked_;
};

}  // namespace emissary::diagnostics
