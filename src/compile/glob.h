#pragma once
// Host globs: exact names, "*.suffix", "prefix.*" and "*".

#include <string_view>

namespace emissary::compile {

/// Whether some host name could satisfy both globs. Both in lower case; ports are part of the text.
bool globsOverlap(std::string_view a, std::string_view b);

/// Whether the text has no '*'.
bool isExact(std::string_view glob);

}  // namespace emissary::compile
