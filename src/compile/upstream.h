#pragma once
// A Mapping's `service`, resolver and connection settings → the upstream it asks for.

#include <optional>
#include <vector>

#include "compile/context.h"
#include "ir/ir.h"

namespace emissary::compile {

struct UpstreamResult {
  /// Absent, with a finding: the service cannot be used, and requests are answered 503.
  std::optional<ir::Upstream> upstream;
  /// The Mapping as a whole is not to be used (its resolver is unknown).
  bool unusable = false;
  std::vector<Finding> findings;
};

struct MappingContext;
UpstreamResult compileUpstream(const Object& object, const model::Mapping& mapping, const MappingContext& context);

/// Upstream's cluster name from its parts' text: every character outside [0-9A-Za-z_] becomes '_'; beyond 60 characters the
/// first 40 and 16 digits of the SHA-1 of the whole remain.
std::string clusterName(std::string_view joined);

}  // namespace emissary::compile
