#pragma once
// What few Mappings ask for on their route: headers, CORS, retries, redirects, mirrors, hash policies. Only for .cc files of
// generate/.

#include "generate/route.h"
#include "ir/ir.h"

namespace envoy::config::route::v3 {
class RedirectAction;
class Route;
class RouteAction;
}  // namespace envoy::config::route::v3

namespace emissary::generate {

inline constexpr std::string_view kCorsFilter = "envoy.filters.http.cors";

void redirectAction(const ir::Redirect& redirect, envoy::config::route::v3::RedirectAction* out);
/// What goes with the action `route`.
void actionPolicy(const ir::RoutePolicy& policy, envoy::config::route::v3::RouteAction* out);
/// What goes with any action.
void routePolicy(const ir::RoutePolicy& policy, envoy::config::route::v3::Route& out);
void mirrorPolicy(const Mirror& mirror, envoy::config::route::v3::RouteAction* out);

}  // namespace emissary::generate
