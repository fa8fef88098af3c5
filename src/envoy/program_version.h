#pragma once
// What an Envoy binary says of itself.

#include <chrono>
#include <string>
#include <string_view>

namespace emissary::envoy {

/// Of "…/envoy  version: <revision>/1.40.1-dev/Clean/RELEASE/BoringSSL" the "1.40.1-dev"; of any other text its first line, cut.
std::string versionIn(std::string_view output);

/// Runs `binary --version`; "" when that says nothing in this time.
std::string programVersion(const std::string& binary, std::chrono::milliseconds patience);

}  // namespace emissary::envoy
