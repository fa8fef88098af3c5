#pragma once
// envoy.config.route.v3.VirtualHost, put together from pieces: routes are serialised once, and the wire format of a repeated field
// concatenates. A long one has its routes in a matcher on the path, which Envoy looks up instead of trying one by one.

#include <string>
#include <vector>

#include "compile/match_tree.h"
#include "ir/ir.h"

namespace emissary::generate {

/// What a treatment adds behind the Mappings' routes.
struct ClosingRoute {
  std::string bytes;
  compile::PathReach reach;
};
std::vector<ClosingRoute> closingRoutes(const ir::VirtualHost& host);

/// An entry of RouteConfiguration.virtual_hosts. `pieces` are the results of `routes`, in order, already without those that the
/// treatment leaves out, and the closing routes. `tree` indexes them; an empty one asks for a plain list.
std::string virtualHost(const ir::VirtualHost& host, const std::vector<const std::string*>& pieces, const compile::MatchTree& tree);

}  // namespace emissary::generate
