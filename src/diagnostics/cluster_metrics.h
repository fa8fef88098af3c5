#pragma once
// What is told of following an API server, as Prometheus text.

#include <chrono>
#include <string>

#include "source/kubernetes/stats.h"

namespace emissary::diagnostics {

std::string clusterMetrics(const source::KubernetesStats& stats, std::chrono::steady_clock::time_point now);

}  // namespace emissary::diagnostics
