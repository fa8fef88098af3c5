#pragma once
// YAML text to events of a TreeBuilder, by libyaml. Called by parse() only.

#include <string_view>

#include "manifest/tree_builder.h"

namespace emissary::manifest {

/// False when the text is no YAML or breaks a limit: builder.error() says why.
bool readYaml(std::string_view text, TreeBuilder& builder);

}  // namespace emissary::manifest
