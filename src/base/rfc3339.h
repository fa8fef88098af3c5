#pragma once
// Times as Kubernetes writes them (RFC 3339): "2026-11-23T14:50:05Z".

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace emissary {

/// Whole seconds, in UTC.
std::string formatTime(std::chrono::system_clock::time_point time);
/// Any offset and fraction; what is below a second is left out. Nothing when it is no such time.
std::optional<std::chrono::system_clock::time_point> parseTime(std::string_view text);

}  // namespace emissary
