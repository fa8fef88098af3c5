#pragma once

#include "settings/settings.h"

namespace emissary::webhook {

/// `emissary webhook`: until a signal. The exit status: 0, or 1 when it cannot begin.
int run(const settings::Settings& settings);

}  // namespace emissary::webhook
