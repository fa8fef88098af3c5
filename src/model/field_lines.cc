#include <algorithm>

#include "model/object.h"

namespace emissary {

// FNV-1a. Two fields of one object that met here would tell a wrong line, and nothing worse.
uint32_t FieldLines::hash(std::string_view field) {
  uint32_t value = 2166136261u;
  for (const char c : field) value = (value ^ static_cast<unsigned char>(c)) * 16777619u;
  return value;
}

void FieldLines::add(std::string_view field, int line) { lines_.emplace_back(hash(field), line); }

int FieldLines::find(std::string_view field) const {
  while (!field.empty()) {
    const uint32_t wanted = hash(field);
    const auto it = std::find_if(lines_.begin(), lines_.end(), [&](const auto& entry) { return entry.first == wanted; });
    if (it != lines_.end()) return it->second;
    const size_t end = field.find_last_of(".[");
    field = end == std::string_view::npos ? std::string_view{} : field.substr(0, end);
  }
  return 0;
}

}  // namespace emissary
