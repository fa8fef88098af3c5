#pragma once
// Envoy's resources as the JSON that Envoy reads, for people. Plain functions.

#include <map>
#include <nlohmann/json_fwd.hpp>

#include "serve/resource.h"

namespace emissary::serve {

/// {"listeners": […], "routes": […], "clusters": […], "endpoints": […], "secrets": […]}, and "scoped_routes" where there are any;
/// each sorted by name. Field names as in the .proto files; Any expanded. Private keys and the like are replaced by "<redacted>".
nlohmann::ordered_json envoyJson(const std::map<ResourceKey, ResourcePtr>& resources);

/// One of them.
nlohmann::ordered_json resourceJson(const Resource& resource);

/// Of entries of VirtualHost.routes, concatenated: the list of them.
nlohmann::ordered_json routesJson(const std::string& routes);

/// Replace what is inline below the fields that hold secrets.
void redact(nlohmann::ordered_json& json);

}  // namespace emissary::serve
