#pragma once
// For tests: objects from YAML text, and a certificate of one's own.

#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "model/object.h"

namespace emissary::engine::testing {

/// All objects of the YAML documents in `text`. Aborts the test on text that does not parse.
std::vector<ObjectPtr> objects(std::string_view text);

/// Upserts of them.
std::vector<Change> changes(std::string_view text);

/// A Secret manifest with a new self-signed certificate for `common_name`.
std::string secretManifest(const std::string& ns, const std::string& name, const std::string& common_name);

}  // namespace emissary::engine::testing
