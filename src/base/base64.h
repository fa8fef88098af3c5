#pragma once
// Base64 (RFC 4648, the alphabet with '+' and '/').

#include <optional>
#include <string>
#include <string_view>

namespace emissary {

/// Nothing when it is no base64. Line breaks and blanks may stand in it.
std::optional<std::string> decodeBase64(std::string_view text);
std::string encodeBase64(std::string_view bytes);

}  // namespace emissary
