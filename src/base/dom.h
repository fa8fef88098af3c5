#pragma once
// JSON as simdjson reads it. Its header is costly: included in .cc files only.

#include <simdjson.h>

#include <string_view>

namespace emissary {

/// The text under `key`; "" when there is none.
inline std::string_view textAt(const simdjson::dom::object& object, std::string_view key) {
  std::string_view text;
  return object.at_key(key).get(text) == simdjson::SUCCESS ? text : std::string_view();
}

}  // namespace emissary
