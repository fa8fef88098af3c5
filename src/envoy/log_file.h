#pragma once

#include <string>

namespace emissary::envoy {

/// Why Envoy, started by us, could not write a log to this file, or "". Opens it as Envoy would, which makes it where it is not.
std::string logProblem(const std::string& path);

}  // namespace emissary::envoy
