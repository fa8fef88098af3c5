#include "model/live_status.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/rfc3339.h"

namespace emissary::model {
namespace {

using manifest::Value;

constexpr std::array<std::string_view, kConditionTypes> kTypeNames = {"Accepted", "ResolvedRefs", "Programmed"};
constexpr std::array<std::string_view, 4> kStatuses = {"", "True", "False", "Unknown"};

/// kConditionTypes: not ours.
size_t typeOf(const Value& condition) {
  return static_cast<size_t>(std::find(kTypeNames.begin(), kTypeNames.end(), condition.text("type")) - kTypeNames.begin());
}

ConditionStatus statusNamed(std::string_view name) {
  const auto found = std::find(kStatuses.begin(), kStatuses.end(), name);
  return found == kStatuses.end() ? ConditionStatus::Absent : static_cast<ConditionStatus>(found - kStatuses.begin());
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

std::string_view conditionTypeName(ConditionType type) { return kTypeNames[static_cast<size_t>(type)]; }
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
  const auto at = parseTime(time);
  return at ? std::chrono::floor<std::chrono::seconds>(at->time_since_epoch()).count() : 0;
}

std::string timeOf(int64_t seconds) { return formatTime(std::chrono::system_clock::time_point(std::chrono::seconds(seconds))); }

}  // namespace emissary::model
