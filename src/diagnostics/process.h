#pragma once
// This process's use of the machine, read from /proc at each call. Any thread.

#include <string>

namespace emissary::diagnostics {

/// Prometheus text of ambassador_process_*: the standard process collector's names. What cannot be read is left out.
std::string processMetrics();

}  // namespace emissary::diagnostics
