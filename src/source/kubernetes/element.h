#pragma once
// What an Item points to, for the two files that know simdjson.

#include <cstring>
#include <string_view>
#include <type_traits>

#include "base/dom.h"
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

}  // namespace emissary::source
