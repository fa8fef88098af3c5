#pragma once
// Envoy's own metrics for /metrics. By default its aggregates and, of its clusters, those that a Mapping names by `stats_name`: the
// rest is hundreds of series for each of thousands of clusters. Any thread may call.

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace emissary::diagnostics {

/// Paths at Envoy's admin server whose answers together are what to show. `names`: stats_names that Mappings ask for.
std::vector<std::string> envoyMetricsPaths(const std::set<std::string>& names, bool all);

/// A stats_name as it appears in a series: what is no letter, digit or underscore becomes an underscore.
std::string statsName(const std::string& written);

/// The text at one path, or nothing when Envoy does not answer in time.
using Fetch = std::function<std::optional<std::string>(const std::string& path)>;

/// Joined answers; each metric's TYPE line once, with all its series below it. Empty when Envoy is away.
std::string envoyMetrics(const std::set<std::string>& names, bool all, const Fetch& fetch);

}  // namespace emissary::diagnostics
