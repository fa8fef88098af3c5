#pragma once
// What an Item points to, for the two files that know simdjson.

#include <simdjson.h>

#include <cstring>
#include <string_view>
#include <type_traits>

#include "source/kubernetes/answer.h"

namespace emissary::source {

inline simdjson::dom::element elementOf(const Item::Element& packed) {
  static_assert(sizeof packed == sizeof(simdjson::dom::element) && std::is_trivially_copyable_v<simdjson::dom::element>);
  simdjson::dom::element out;
  std::memcpy(static_cast<void*>(&out), static_cast<const void*>(&packed), sizeof out);
  return out;
}

inline Item::Element packed(const simdjson::dom::element& element) {
  Item::Element out;
  std::memcpy(static_cast<void*>(&out), static_cast<const void*>(&element), sizeof out);
  return out;
}

/// The text under `key`; "" when there is none.
inline std::string_view textAt(const simdjson::dom::object& object, std::string_view key) {
  std::string_view out;
  if (object.at_key(key).get(out) != simdjson::SUCCESS) return {};
  return out;
}

}  // namespace emissary::source
