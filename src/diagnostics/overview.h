#pragma once
// The state as JSON, in the shape that existing tools and tests read. Pure functions of the scene.

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "diagnostics/scene.h"

namespace emissary::diagnostics {

/// Everything; or with `filter` the value of that one key, "webui" for the reduced set, null for what is no key.
nlohmann::ordered_json overview(const Scene& scene, std::string_view filter = {});

/// The same about one thing: `source` is "grp-<id>", the name of a cluster, or the key of an object. Nothing when there is none.
std::optional<nlohmann::ordered_json> detail(const Scene& scene, std::string_view source, std::string_view filter = {});

/// What a page shows of all that.
nlohmann::ordered_json overviewForPage(const Scene& scene);

/// "1 day, 2 hours, 3 minutes"; below a minute seconds.
std::string durationText(int64_t seconds);

}  // namespace emissary::diagnostics
