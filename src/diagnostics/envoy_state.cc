#include "diagnostics/envoy_state.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

namespace emissary::diagnostics {
namespace {

template <typename Function>
void forLines(std::string_view text, Function function) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    function(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

uint64_t* field(ClusterStats& stats, std::string_view name) {
  if (name == "upstream_rq_completed") return &stats.completed;
  if (name == "upstream_rq_4xx") return &stats.answers_4xx;
  if (name == "upstream_rq_5xx") return &stats.answers_5xx;
  if (name == "membership_healthy") return &stats.healthy_members;
  if (name == "membership_total") return &stats.total_members;
  if (name == "update_attempt") return &stats.update_attempts;
  if (name == "update_success") return &stats.update_successes;
  return nullptr;
}

}  // namespace

std::map<std::string, ClusterStats> clusterStats(std::string_view text) {
  constexpr std::string_view kHead = "cluster.";
  std::map<std::string, ClusterStats> out;
  forLines(text, [&](std::string_view line) {
    const size_t colon = line.rfind(": ");
    if (!line.starts_with(kHead) || colon == std::string_view::npos) return;
    const std::string_view name = line.substr(0, colon);
    const size_t dot = name.rfind('.');
    if (dot < kHead.size()) return;
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(line.data() + colon + 2, line.data() + line.size(), value);
    if (error != std::errc()) return;
    ClusterStats& stats = out[std::string(name.substr(kHead.size(), dot - kHead.size()))];
    if (uint64_t* of = field(stats, name.substr(dot + 1))) *of = value;
  });
  return out;
}

std::map<std::string, std::vector<std::string>> logLevels(std::string_view text) {
  std::map<std::string, std::vector<std::string>> out;
  forLines(text, [&](std::string_view line) {
    const size_t colon = line.find(": ");
    if (!line.starts_with("  ") || colon == std::string_view::npos) return;
    out[std::string(line.substr(colon + 2))].emplace_back(line.substr(2, colon - 2));
  });
  return out;
}

std::string statName(std::string_view written) {
  std::string out(written);
  std::replace(out.begin(), out.end(), ':', '_');
  return out;
}

std::shared_ptr<const EnvoyState> EnvoyWatch::look(Time now) {
  std::lock_guard lock(mutex_);
  if (asked_ && now - *asked_ < kFresh) return last_;
  asked_ = now;
  auto next = std::make_shared<EnvoyState>(*last_);
  const auto info = ask_("GET", "/server_info");
  const auto json = info ? nlohmann::json::parse(*info, nullptr, false) : nlohmann::json();
  next->alive = json.is_object();
  next->ready = next->alive && json.value("state", "") == "LIVE";
  if (next->alive) {
    const std::string uptime = json.value("uptime_current_epoch", "0s");
    next->uptime = 0;
    std::from_chars(uptime.data(), uptime.data() + uptime.size(), next->uptime);
    if (const auto stats = ask_("GET", kClusterStats)) {
      next->clusters = clusterStats(*stats);
      next->updated = now;
    }
    if (const auto levels = ask_("POST", "/logging")) next->levels = logLevels(*levels);
  }
  last_ = std::move(next);
  return last_;
}

bool EnvoyWatch::setLevel(const std::string& level) {
  constexpr std::array kLevels = {"trace", "debug", "info", "warning", "error", "critical", "off"};
  if (std::find(kLevels.begin(), kLevels.end(), level) == kLevels.end()) return false;
  const bool done = ask_("POST", "/logging?level=" + level).has_value();
  std::lock_guard lock(mutex_);
  asked_.reset();
  return done;
}

}  // namespace emissary::diagnostics
