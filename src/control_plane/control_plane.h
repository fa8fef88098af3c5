#pragma once
// The control plane's process: source → compile thread → xDS server, with the admin server beside them. Its main thread starts
// them, waits for a signal, drains Envoy, and ends them in the other direction.

#include "settings/settings.h"

namespace emissary::control_plane {

/// Exit status: 0 after a drain in time, 1 after one that was cut short, supervisor::kCannotRun when it cannot start at all.
int run(const settings::Settings& settings);

}  // namespace emissary::control_plane
