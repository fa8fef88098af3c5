#pragma once
// What we tell the user about an object: which object, which field, what is wrong and what cures it. Findings
// are values; no stage throws at a user's mistake.

#include <compare>
#include <string>
#include <string_view>

#include "model/ref.h"

namespace emissary {

enum class Severity : uint8_t {
  Error,    // the object, or the part named, is not used
  Warning,  // used, but probably not as meant
  Notice,
};

std::string_view severityName(Severity severity);

struct Finding {
  Severity severity = Severity::Error;
  /// Empty kind and name when a file as a whole is meant.
  ObjectRef object;
  /// Path within the object, for example "spec.prefix" or "spec.hostBinding.namespace.from"; may be empty.
  std::string field;
  /// One sentence that says what is wrong and what to do. Never holds a secret.
  std::string message;
  /// Where the object was read; path empty for what did not come from a file.
  std::string path;
  int line = 0;

  auto operator<=>(const Finding&) const = default;
};

}  // namespace emissary
