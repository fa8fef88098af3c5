#pragma once
// Private to diagnostics/: the keys of the overview, each about a selection of what there is.

#include <nlohmann/json.hpp>
#include <vector>

#include "diagnostics/scene.h"

namespace emissary::diagnostics {

using Json = nlohmann::ordered_json;

struct Selection {
  const Index& index;
  /// Of everything, or of what belongs to one thing.
  bool everything = true;
  std::vector<size_t> groups;  // of the view's
  std::vector<const engine::View::Cluster*> clusters;
  std::vector<const Object*> objects;

  bool has(const ObjectRef& ref) const;
};

Selection everything(const Index& index);

/// A key that is not there yet. The library's own way looks for it among all.
inline void append(Json& object, std::string key, Json value) {
  object.get_ref<Json::object_t&>().emplace_back(std::move(key), std::move(value));
}

// status.cc
Json systemJson(const Selection& all);
Json envoyStatusJson(const Selection& all);
Json logInfoJson(const Selection& all);
Json noticesJson(const Selection& of);
Json errorsJson(const Selection& of);
Json bannerJson(const Selection& all);
// traffic.cc
Json routeInfoJson(const Selection& of);
Json groupsJson(const Selection& of);
/// The part of it that is about TCPMappings.
Json tcpGroupsJson(const Selection& of);
Json clusterInfoJson(const Selection& of);
Json clusterStatsJson(const Selection& of);
Json servicesJson(const Selection& of);
Json resolversJson(const Selection& of);
// elements.cc
Json ambassadorElementsJson(const Selection& of);
Json ambassadorResourcesJson(const Selection& of);
Json envoyElementsJson(const Selection& of);
Json envoyResourcesJson(const Selection& of);
Json sourceMapJson(const Selection& of);
Json tlsContextsJson(const Selection& of);
Json activeElementsJson(const Selection& of);

}  // namespace emissary::diagnostics
