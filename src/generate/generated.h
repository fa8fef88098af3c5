#pragma once
// What generate/ returns: bytes of one Envoy message, checked against the constraints of Envoy's API.

#include <string>

namespace emissary::generate {

struct Generated {
  std::string bytes;
  /// Set: Envoy would refuse it, and why ("route.match.prefix: …"). `bytes` is then empty.
  std::string problem;
};

}  // namespace emissary::generate
