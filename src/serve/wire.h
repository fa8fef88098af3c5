#pragma once
// The protobuf wire format, as far as the server writes it by itself: length-delimited fields. Pure functions.

#include <cstdint>
#include <string>
#include <string_view>

namespace emissary::serve::wire {

inline void varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

inline size_t varintSize(uint64_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

/// Tag and length of a string, bytes or message field; the content follows. `field` is below 16.
inline void header(std::string& out, uint32_t field, size_t length) {
  varint(out, field << 3 | 2);
  varint(out, length);
}

inline void bytes(std::string& out, uint32_t field, std::string_view content) {
  header(out, field, content.size());
  out.append(content);
}

inline size_t bytesSize(size_t length) { return 1 + varintSize(length) + length; }

}  // namespace emissary::serve::wire
