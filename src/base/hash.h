#pragma once
// 128-bit content hashes. They decide whether something changed and become xDS versions, so they depend on
// bytes alone: no pointers, no iteration over unordered containers.

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace emissary {

struct Hash128 {
  uint64_t high = 0;
  uint64_t low = 0;

  auto operator<=>(const Hash128&) const = default;
  /// 32 lower-case hexadecimal digits.
  std::string hex() const;
};

Hash128 hashBytes(std::string_view bytes);

}  // namespace emissary
