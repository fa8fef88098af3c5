#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "manifest/value.h"

namespace emissary::manifest {

/// JSON of a tree, on one line, keys in their order. Of a tree that was read from JSON: a number stays what it was, 1.0 is not 1.
void appendJson(std::string& out, const Value& value);

/// The same for who writes YAML.
nlohmann::ordered_json toJson(const Value& value);

}  // namespace emissary::manifest
