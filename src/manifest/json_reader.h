#pragma once
// JSON text to events of a TreeBuilder, by nlohmann's SAX parser. Called by parse() only.

#include <optional>
#include <string_view>

#include "manifest/tree_builder.h"

namespace emissary::manifest {

/// Nothing when all of `text` is JSON objects and lists, or when a limit is broken, of which builder.error() tells; else
/// why it is no JSON.
std::optional<ParseError> readJson(std::string_view text, TreeBuilder& builder);

}  // namespace emissary::manifest
