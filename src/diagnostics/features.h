#pragma once

#include <nlohmann/json_fwd.hpp>

#include "diagnostics/scene.h"

namespace emissary::diagnostics {

/// Which features are in use, and how much of each: numbers and flags, no names.
nlohmann::ordered_json features(const Scene& scene);

}  // namespace emissary::diagnostics
