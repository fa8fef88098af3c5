#pragma once
// envoy.config.route.v3: routes, RouteConfigurations and scopes. The wire format of a repeated field concatenates,
// so routes are serialised once and a RouteConfiguration is put together from pieces.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "generate/generated.h"
#include "ir/ir.h"

namespace emissary::generate {

/// What may differ between the virtual hosts that one group's routes appear in.
struct RouteForm {
  /// Only for requests that a trusted proxy received by https.
  bool forwarded_https = false;
  /// The virtual host serves exactly the host names the group is for: no need to look again.
  bool host_known = false;
};

struct LegRoute {
  const ir::Leg* leg = nullptr;
  /// The cluster's name; "" answers 503.
  std::string cluster;
  /// Of 1,000,000 random numbers, the ones below this that no earlier leg took.
  uint32_t cumulative = 0;
};

/// Who gets copies of what a group routes.
struct Mirror {
  std::string cluster;
  uint32_t percent = 100;
};

struct RoutesResult {
  /// Entries of VirtualHost.routes, concatenated.
  std::string bytes;
  /// How many.
  uint32_t count = 0;
  /// Legs that Envoy would refuse, by index, and why; they are not in `bytes`.
  std::vector<std::pair<size_t, std::string>> problems;
};

/// `mirror`: null where there is none.
RoutesResult routes(const ir::Match& match, const std::vector<LegRoute>& legs, const Mirror* mirror, RouteForm form);

inline constexpr std::string_view kAcmePrefix = "/.well-known/acme-challenge/";

/// Whether the group is for the ACME challenge, which is routed whatever a Host's insecure action says.
bool isAcmeChallenge(const ir::Match& match);

/// `virtual_hosts` as made by virtualHost (virtual_host.h).
std::string routeConfiguration(const ir::RouteTable& table, const std::vector<const std::string*>& virtual_hosts);

std::string scopedRouteConfiguration(const std::string& name, const std::string& listener, const ir::Scope& scope);

}  // namespace emissary::generate
