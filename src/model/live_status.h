#pragma once
// What an object's `status` says on the API server at present, kept small: enough to see whether what we would write differs.
// Pure, any thread.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/hash.h"
#include "manifest/value.h"
#include "model/ref.h"

namespace emissary::model {

/// The conditions that are ours, in this order.
enum class ConditionType : uint8_t { Accepted, ResolvedRefs, Programmed };
inline constexpr size_t kConditionTypes = 3;
std::string_view conditionTypeName(ConditionType type);

enum class ConditionStatus : uint8_t { Absent, True, False, Unknown };
/// "True", "False", "Unknown"; "" for Absent.
std::string_view conditionStatusName(ConditionStatus status);

struct LiveCondition {
  ConditionStatus status = ConditionStatus::Absent;
  /// Of the text of `reason`: hashBytes().low. 0 without one.
  uint64_t reason = 0;
  /// Seconds since the epoch; 0: unknown.
  int64_t last_transition = 0;
  auto operator<=>(const LiveCondition&) const = default;
};

struct LiveStatus {
  std::array<LiveCondition, kConditionTypes> conditions;
  /// Of the whole of it as JSON, without lastTransitionTime and without conditions of types that are not ours, whatever the order
  /// of keys and conditions. That of no status at all where there is none.
  Hash128 hash;

  const LiveCondition& operator[](ConditionType type) const { return conditions[static_cast<size_t>(type)]; }
  auto operator<=>(const LiveStatus&) const = default;
};

/// `status`: the value under "status"; null: there is none. Whatever is in it.
LiveStatus readLiveStatus(const manifest::Value* status);

/// "2026-11-23T15:04:05Z" and seconds since the epoch; what is no such time is 0.
int64_t secondsOf(std::string_view time);
std::string timeOf(int64_t seconds);

/// What the API server says of one object of getambassador.io.
struct Observed {
  ObjectRef ref;
  std::string uid;
  int64_t generation = 0;
  LiveStatus status;
};

/// The object is there no more, or is another installation's now.
struct Gone {
  ObjectRef ref;
};

using Sighting = std::variant<Observed, Gone>;

}  // namespace emissary::model
