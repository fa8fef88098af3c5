#pragma once
// The legs of one group → which part of the requests each of them takes, and which one gets copies.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/ir.h"
#include "model/finding.h"

namespace emissary::compile {

struct Share {
  size_t leg = 0;  // index into the legs given
  /// Requests whose random number in [0, 1,000,000) is below this, and that no earlier leg took, are this leg's.
  uint32_t cumulative = 0;
};

struct SharesResult {
  /// In ascending order of `cumulative`, the last 1,000,000; legs that get nothing are left out. Empty when no leg gets anything.
  std::vector<Share> shares;
  /// The leg that gets copies of what the others take.
  std::optional<size_t> shadow;
  struct Problem {
    size_t leg = 0;
    Severity severity = Severity::Error;
    std::string_view field;
    std::string message;
  };
  std::vector<Problem> problems;
};

inline constexpr uint32_t kAllRequests = 1'000'000;

/// `legs` in the order of their Mappings' names. Of several shadows the first counts. Where the first other leg redirects it takes
/// everything, where it routes no leg redirects; the rest is told. A single leg takes everything whatever its weight. Otherwise a
/// weight is a percentage; legs without one share what is left equally; weights that stay below 100 in sum are scaled up to it; a
/// leg that lifts the sum above 100 is left out.
SharesResult shares(const std::vector<ir::Leg>& legs);

}  // namespace emissary::compile
