#pragma once

#include <string>
#include <string_view>

namespace emissary {

/// With ASCII letters in lower case and all else as it is, whatever the locale: so host names and headers are compared.
inline std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace emissary
