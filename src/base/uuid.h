#pragma once
// Name-based UUIDs (RFC 4122, version 5).

#include <string>
#include <string_view>

namespace emissary {

/// Of a name in the namespace for URLs.
std::string uuidOfUrl(std::string_view url);

}  // namespace emissary
