#pragma once
// Manifests written anew in another API version, as `convert` prints them. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "convert/convert.h"
#include "model/finding.h"

namespace emissary::cli {

struct Rewritten {
  /// YAML; what has nothing to convert stands there as it was written, comments and all.
  std::string text;
  std::vector<Finding> findings;
};

/// All documents of a file. One that does not parse gives nothing but a finding. `path`: for findings.
Rewritten rewrite(std::string_view text, convert::Version wanted, const std::string& path);

}  // namespace emissary::cli
