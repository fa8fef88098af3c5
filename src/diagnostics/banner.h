#pragma once

#include <chrono>
#include <string>

namespace emissary::diagnostics {

/// What stands at `url` (http://host[:port]/path); "" unless it answers 200 in time, with no more than 64 KiB.
std::string fetchBanner(const std::string& url, std::chrono::milliseconds time);

}  // namespace emissary::diagnostics
