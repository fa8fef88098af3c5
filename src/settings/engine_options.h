#pragma once

#include "engine/engine.h"
#include "settings/settings.h"

namespace emissary::settings {

/// What the engine is to know of the settings: the same for `run`, `check` and `compile`.
engine::Options engineOptions(const Settings& settings);

}  // namespace emissary::settings
