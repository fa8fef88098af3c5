#include "model/live_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace emissary::model {
namespace {

using manifest::Value;

constexpr std::array<std::string_view, kConditionTypes> kTypes = {"Accepted", "ResolvedRefs", "Programmed"};
constexpr std::array<std::string_view, 4> kStatuses = {"", "True", "False", "Unknown"};

/// kConditionTypes: not ours.
size_t typeOf(const Value& condition) {
  return static_cast<size_t>(std::find(kTypes.begin(), kTypes.end(), condition.text("type")) - kTypes.begin());
}

ConditionStatus statusNamed(std::string_view name) {
  const auto found = std::find(kStatuses.begin(), kStatuses.end(), name);
  return found == kStatuses.end() ? ConditionStatus::Absent : static_cast<ConditionStatus>(found - kStatuses.begin());
}

/// The number written in `count` digits at `at`; -1 where there is none.
int digits(std::string_view text, size_t at, size_t count) {
  if (at + count > text.size()) return -1;
  int out = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return -1;
    out = out * 10 + (c - '0');
  }
  return out;
}

std::string canonicalCondition(const Value& condition) {
  Value bare;
  bare.type = Value::Type::Map;
  for (const Value::Entry& entry : condition.map) {
    if (entry.first != "lastTransitionTime" && !entry.second.isNull()) bare.map.push_back(entry);
  }
  return bare.canonical();
}

}  // namespace

std::string_view conditionTypeName(ConditionType type) { return kTypes[static_cast<size_t>(type)]; }
std::string_view conditionStatusName(ConditionStatus status) { return kStatuses[static_cast<size_t>(status)]; }

LiveStatus readLiveStatus(const Value* status) {
  LiveStatus out;
  Value rest;
  rest.type = Value::Type::Map;
  std::array<std::string, kConditionTypes> ours;
  if (status != nullptr && status->isMap()) {
    for (const Value::Entry& entry : status->map) {
      if (entry.second.isNull()) continue;
      if (entry.first != "conditions" || !entry.second.isList()) {
        rest.map.push_back(entry);
        continue;
      }
      for (const Value& condition : entry.second.list) {
        const size_t type = typeOf(condition);
        if (type == kConditionTypes) continue;
        LiveCondition& seen = out.conditions[type];
        seen.status = statusNamed(condition.text("status"));
        const std::string_view reason = condition.text("reason");
        seen.reason = reason.empty() ? 0 : hashBytes(reason).low;
        seen.last_transition = secondsOf(condition.text("lastTransitionTime"));
        ours[type] = canonicalCondition(condition);
      }
    }
  }
  std::string bytes = rest.canonical();
  for (const std::string& condition : ours) bytes += '\n' + condition;
  out.hash = hashBytes(bytes);
  return out;
}

int64_t secondsOf(std::string_view time) {
  using namespace std::chrono;
  if (time.size() < 20 || time[4] != '-' || time[7] != '-' || time[10] != 'T' || time[13] != ':' || time[16] != ':') return 0;
  if (time.back() != 'Z') return 0;  // as API servers write it
  const int y = digits(time, 0, 4), m = digits(time, 5, 2), d = digits(time, 8, 2);
  const int h = digits(time, 11, 2), min = digits(time, 14, 2), s = digits(time, 17, 2);
  if (y < 0 || m < 0 || d < 0 || h < 0 || min < 0 || s < 0) return 0;
  const year_month_day date{year(y), month(static_cast<unsigned>(m)), day(static_cast<unsigned>(d))};
  if (!date.ok() || h > 23 || min > 59 || s > 60) return 0;
  return (sys_days(date).time_since_epoch() + hours(h) + minutes(min) + seconds(s)) / seconds(1);
}

std::string timeOf(int64_t at) {
  using namespace std::chrono;
  const sys_seconds time{seconds(at)};
  const sys_days day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

}  // namespace emissary::model
