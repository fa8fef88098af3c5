#pragma once
// What objects ask for and the running Envoy does not have (ir::EnvoyBuild) is left out and told, and the rest is served: Envoy
// would refuse the whole Listener or cluster that names an unknown extension.

#include <optional>
#include <string>
#include <vector>

#include "ir/envoy_build.h"
#include "model/finding.h"
#include "model/object.h"

namespace emissary::compile {

/// The Mapping in `object` without what `envoy` lacks; nothing when it lacks nothing of it.
std::optional<model::Mapping> withhold(const Object& object, const ir::EnvoyBuild& envoy, std::vector<Finding>& findings);

/// The same for the Module that stands in `object`.
void withhold(const Object& object, const ir::EnvoyBuild& envoy, Boxed<model::Module>& module, std::vector<Finding>& findings);

/// Why `envoy` cannot open a Listener as `listener` asks; the field and the reason. Empty when it can. Where addresses may not be
/// sorted out nobody is let in.
struct Withheld {
  std::string field;
  std::string message;
};
std::optional<Withheld> withheld(const model::Listener& listener, const model::HttpSettings& http, const ir::EnvoyBuild& envoy);

/// Whether routes can be found by scope: it takes a header made of the authority, in lower case.
bool findsScopes(const ir::EnvoyBuild& envoy);

}  // namespace emissary::compile
