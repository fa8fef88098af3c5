#pragma once
// What an API server's JSON says at some place. Internal to this folder.

#include <nlohmann/json.hpp>
#include <string>

namespace emissary::webhook {

/// What is at the end of a way down; null where there is none.
inline const nlohmann::json& valueAt(const nlohmann::json& json, const std::string& pointer) {
  static const nlohmann::json kNull;
  const nlohmann::json::json_pointer where(pointer);
  return json.contains(where) ? json[where] : kNull;
}

/// "" when it is no text.
inline std::string textAt(const nlohmann::json& json, const std::string& pointer) {
  const nlohmann::json& value = valueAt(json, pointer);
  return value.is_string() ? value.get<std::string>() : std::string();
}

}  // namespace emissary::webhook
