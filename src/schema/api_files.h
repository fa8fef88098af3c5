#pragma once
// The files of api/, built into the program.

#include <span>
#include <string_view>

namespace emissary::schema {

struct ApiFile {
  std::string_view name;  // without ".yaml"
  std::string_view text;
};

/// Sorted by name.
std::span<const ApiFile> apiFiles();

}  // namespace emissary::schema
