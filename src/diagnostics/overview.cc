#include "diagnostics/overview.h"

#include <algorithm>
#include <array>

#include "diagnostics/names.h"
#include "diagnostics/selection.h"

namespace emissary::diagnostics {
namespace {

struct Key {
  std::string_view name;
  Json (*make)(const Selection& of);
};

constexpr std::array kKeys = {Key{"system", systemJson},
                              Key{"envoy_status", envoyStatusJson},
                              Key{"loginfo", logInfoJson},
                              Key{"notices", noticesJson},
                              Key{"errors", errorsJson},
                              Key{"route_info", routeInfoJson},
                              Key{"groups", groupsJson},
                              Key{"cluster_info", clusterInfoJson},
                              Key{"cluster_stats", clusterStatsJson},
                              Key{"ambassador_services", servicesJson},
                              Key{"ambassador_resolvers", resolversJson},
                              Key{"ambassador_elements", ambassadorElementsJson},
                              Key{"envoy_elements", envoyElementsJson},
                              Key{"source_map", sourceMapJson},
                              Key{"tlscontexts", tlsContextsJson},
                              Key{"active_elements", activeElementsJson},
                              Key{"ambassador_resources", ambassadorResourcesJson},
                              Key{"envoy_resources", envoyResourcesJson},
                              Key{"banner_content", bannerJson}};

Json make(const Selection& of, std::initializer_list<std::string_view> names) {
  Json out = Json::object();
  for (const std::string_view name : names) {
    const auto it = std::find_if(kKeys.begin(), kKeys.end(), [&](const Key& key) { return key.name == name; });
    if (it != kKeys.end()) append(out, std::string(name), it->make(of));
  }
  return out;
}

Json make(const Selection& of, std::string_view filter) {
  if (filter == "webui") {
    Json out = make(of, {"system", "route_info", "source_map", "ambassador_resolvers", "ambassador_services", "envoy_status",
                         "cluster_stats", "loginfo", "errors"});
    for (Json& route : out["route_info"]) route.erase("_route");
    return out;
  }
  Json out = Json::object();
  for (const Key& key : kKeys) {
    if (filter == key.name) return key.make(of);
    if (filter.empty()) append(out, std::string(key.name), key.make(of));
  }
  return filter.empty() ? out : Json();
}

void addGroup(Selection& to, size_t group) {
  to.groups.push_back(group);
  for (const auto& member : to.index.view.groups[group].members) {
    to.objects.push_back(member.mapping.get());
    const auto cluster = to.index.clusters.find(member.cluster);
    if (cluster != to.index.clusters.end()) to.clusters.push_back(cluster->second);
  }
}

template <typename T>
void unique(std::vector<T>& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

std::optional<Selection> select(const Index& index, std::string_view source) {
  Selection out{index, false, {}, {}, {}};
  const auto objects = index.objects.find(std::string(source));
  const auto cluster = index.clusters.find(source);
  if (source.starts_with("grp-")) {
    const auto group = index.groups.find(source.substr(4));
    if (group == index.groups.end()) return std::nullopt;
    addGroup(out, group->second);
  } else if (objects != index.objects.end()) {
    out.objects = objects->second;
    for (const Object* object : objects->second) {
      const auto group = index.group_of.find(object->ref);
      if (group != index.group_of.end()) addGroup(out, group->second);
    }
  } else if (cluster != index.clusters.end()) {
    for (const ObjectRef& ref : cluster->second->mappings) {
      if (const auto group = index.group_of.find(ref); group != index.group_of.end()) addGroup(out, group->second);
    }
    out.clusters = {cluster->second};
  } else {
    return std::nullopt;
  }
  unique(out.groups);
  unique(out.clusters);
  unique(out.objects);
  std::sort(out.objects.begin(), out.objects.end(), [](const Object* a, const Object* b) { return a->ref < b->ref; });
  std::sort(out.clusters.begin(), out.clusters.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
  return out;
}

}  // namespace

bool Selection::has(const ObjectRef& ref) const {
  if (everything) return true;
  return std::any_of(objects.begin(), objects.end(), [&](const Object* object) { return object->ref == ref; });
}

Selection everything(const Index& index) {
  Selection out{index, true, {}, {}, {}};
  for (size_t i = 0; i < index.view.groups.size(); ++i) out.groups.push_back(i);
  for (const auto& cluster : index.view.clusters) out.clusters.push_back(&cluster);
  for (const ObjectPtr& object : index.view.objects) out.objects.push_back(object.get());
  return out;
}

Json overview(const Scene& scene, std::string_view filter) {
  const Index index(scene);
  return make(everything(index), filter);
}

Json overviewForPage(const Scene& scene) {
  const Index index(scene);
  const Selection all = everything(index);
  Json out = make(all, {"system", "envoy_status", "loginfo", "notices", "errors", "ambassador_services", "ambassador_resolvers",
                        "route_info", "banner_content"});
  out["tcp_groups"] = tcpGroupsJson(all);
  return out;
}

std::optional<Json> detail(const Scene& scene, std::string_view source, std::string_view filter) {
  const Index index(scene);
  const auto selection = select(index, source);
  if (!selection) return std::nullopt;
  Json out = make(*selection, filter);
  if (filter.empty()) out["source"] = source;
  return out;
}

}  // namespace emissary::diagnostics
