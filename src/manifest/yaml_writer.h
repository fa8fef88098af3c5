#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace emissary::manifest {

/// YAML of a JSON value, in blocks, text of several lines as literal ones; what could be read as anything but text is quoted.
/// Plain.
std::string yaml(const nlohmann::ordered_json& json);

}  // namespace emissary::manifest
