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

/// What a finding is about, for those who sum up what has become of an object.
enum class About : uint8_t {
  Content,           // what is written in the object
  Conflict,          // another object has what this one asks for
  Unsupported,       // this version does not act on it
  MissingSecret,     // that it names
  BadSecret,         // that it names, and that cannot be used
  MissingService,    // that it names, or a port of it
  MissingReference,  // another object that it names
  BadReference,      // the same, and that cannot be used
  NoPartner,         // nothing leads requests to it
  Namesake,          // not the object itself, but one of the same name in an annotation
  Refusal,           // by Envoy
};

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
  About about = About::Content;

  auto operator<=>(const Finding&) const = default;
};

}  // namespace emissary
