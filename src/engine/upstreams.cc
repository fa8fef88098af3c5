// Services, clusters and assignments. An endpoint change ends here: it sends one ClusterLoadAssignment and evaluates nothing else.

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/fields_hash.h"
#include "engine/note.h"
#include "engine/state.h"
#include "generate/cluster.h"

namespace emissary::engine {
namespace {

template <typename T>
const T* specOf(const ObjectPtr& object) {
  return object ? std::get_if<T>(&object->spec) : nullptr;
}

bool namesSecrets(const ir::Upstream& upstream) {
  return upstream.tls && (!upstream.tls->secret_name.empty() || !upstream.tls->ca_name.empty());
}

}  // namespace

void Engine::Impl::updateServices() {
  for (const NamespacedName& key : dirty_services_) {
    const auto it = services_.find(key);
    if (it == services_.end()) continue;
    ServiceEntry& entry = it->second;
    count(Table::Service);
    compile::ServiceShape shape = compile::shapeOf(specOf<model::Service>(entry.service));
    if (shape != entry.shape) {
      entry.shape = std::move(shape);
      dirty_clusters_.insert(entry.users.begin(), entry.users.end());
    }
    std::set<compile::Assignment> used;
    for (const ClusterEntry* cluster : entry.users) {
      if (cluster->discovery && cluster->discovery->kind == ir::Discovery::Kind::Endpoints) {
        used.insert(compile::assignmentOf(*cluster->upstream));
      }
    }
    for (const compile::Assignment& assignment : used) emitAssignment(assignment);
    if (!entry.service && !entry.endpoints && entry.slices.empty() && entry.users.empty()) services_.erase(it);
  }
  dirty_services_.clear();
}

void Engine::Impl::emitAssignment(const compile::Assignment& assignment) {
  count(Table::Endpoints);
  compile::ServiceObjects objects;
  if (const auto it = services_.find({assignment.ns, assignment.service}); it != services_.end()) {
    objects.service = specOf<model::Service>(it->second.service);
    objects.endpoints = specOf<model::Endpoints>(it->second.endpoints);
    for (const auto& [name, slice] : it->second.slices) {
      if (const auto* spec = specOf<model::EndpointSlice>(slice)) objects.slices.push_back(spec);
    }
  }
  const std::string name = assignment.name();
  const generate::Generated made = generate::clusterLoadAssignment(name, compile::addressesOf(assignment, objects));
  if (made.problem.empty()) put(serve::Type::Endpoints, name, made.bytes);
}

ClusterEntry* Engine::Impl::acquireCluster(const ir::Upstream& upstream, const ObjectRef& mapping) {
  const auto [it, fresh] = clusters_.try_emplace(upstream);
  ClusterEntry& entry = it->second;
  if (fresh) {
    entry.upstream = &it->first;
    entry.hash = hashOf(upstream);
    cluster_names_[upstream.base_name].insert(&entry);
    dirty_cluster_names_.insert(upstream.base_name);
    if (!upstream.service_name.empty()) services_[{upstream.service_namespace, upstream.service_name}].users.insert(&entry);
    if (namesSecrets(upstream)) {
      clusters_with_secrets_.insert(&entry);
      dirty_secret_resources_ = true;
    }
  }
  entry.mappings.insert(mapping);
  return &entry;
}

void Engine::Impl::releaseCluster(ClusterEntry* cluster, const ObjectRef& mapping) {
  cluster->mappings.erase(mapping);
  if (cluster->mappings.empty()) dirty_clusters_.insert(cluster);
}

// Different upstreams may spell the same name ("pay.edge", "pay-edge"): all but the one with the least hash carry theirs, as do
// those whose settings the name does not tell.
void Engine::Impl::nameClusters(const std::string& base_name) {
  const auto it = cluster_names_.find(base_name);
  if (it == cluster_names_.end()) return;
  std::vector<ClusterEntry*> entries(it->second.begin(), it->second.end());
  std::sort(entries.begin(), entries.end(), [](const ClusterEntry* a, const ClusterEntry* b) {
    return std::tie(a->upstream->name_hash, a->hash) < std::tie(b->upstream->name_hash, b->hash);
  });
  std::set<std::string> taken;
  for (ClusterEntry* entry : entries) {
    std::string name = base_name;
    if (entry->upstream->tagged || !taken.insert(name).second) {
      name = fmt::format("{}-{}", base_name, entry->upstream->name_hash.substr(0, 8));
      if (!taken.insert(name).second) name = fmt::format("{}-{}", base_name, entry->hash.hex());
    }
    if (name == entry->name) continue;
    if (!entry->name.empty()) remove(serve::Type::Cluster, entry->name);
    entry->name = std::move(name);
    dirty_clusters_.insert(entry);
    markUsers(*entry);
  }
}

void Engine::Impl::updateClusters() {
  // First those that nobody asks for any more, so that their names are free.
  for (auto it = dirty_clusters_.begin(); it != dirty_clusters_.end();) {
    ClusterEntry* entry = *it;
    if (!entry->mappings.empty()) {
      ++it;
      continue;
    }
    it = dirty_clusters_.erase(it);
    clusters_with_problems_.erase(entry);
    if (clusters_with_secrets_.erase(entry) > 0) dirty_secret_resources_ = true;
    if (!entry->name.empty()) remove(serve::Type::Cluster, entry->name);
    useAssignment(*entry, false);
    const ir::Upstream& upstream = *entry->upstream;
    auto names = cluster_names_.find(upstream.base_name);
    names->second.erase(entry);
    dirty_cluster_names_.insert(upstream.base_name);
    if (names->second.empty()) cluster_names_.erase(names);
    if (!upstream.service_name.empty()) {
      const auto service = services_.find({upstream.service_namespace, upstream.service_name});
      service->second.users.erase(entry);
      const ServiceEntry& s = service->second;
      if (!s.service && !s.endpoints && s.slices.empty() && s.users.empty()) services_.erase(service);
    }
    clusters_.erase(clusters_.find(upstream));
  }
  for (const std::string& name : dirty_cluster_names_) nameClusters(name);
  dirty_cluster_names_.clear();
  for (ClusterEntry* entry : dirty_clusters_) evaluateCluster(*entry);
  dirty_clusters_.clear();
}

void Engine::Impl::evaluateCluster(ClusterEntry& entry) {
  count(Table::Cluster);
  const ir::Upstream& upstream = *entry.upstream;
  compile::ServiceShape shape;
  if (!upstream.service_name.empty()) shape = services_[{upstream.service_namespace, upstream.service_name}].shape;
  const ir::Discovery discovery = compile::discover(upstream, shape);
  entry.port_problem = compile::portProblem(upstream, shape);
  if (entry.discovery != discovery) {
    useAssignment(entry, false);
    entry.discovery = discovery;
    useAssignment(entry, true);
  }
  generate::Generated made = generate::cluster(entry.name, upstream, discovery);
  if (made.problem.empty()) {
    put(serve::Type::Cluster, entry.name, made.bytes, {}, discovery.assignment);
  } else {
    remove(serve::Type::Cluster, entry.name);
  }
  note(clusters_with_problems_, &entry, !made.problem.empty() || !entry.port_problem.empty());
  if (made.problem != entry.problem) {
    entry.problem = std::move(made.problem);
    markUsers(entry);
  }
}

void Engine::Impl::markUsers(const ClusterEntry& cluster) {
  for (const ObjectRef& ref : cluster.mappings) {
    if (const auto tcp = tcp_mappings_.find(ref); tcp != tcp_mappings_.end() && tcp->second.group) {
      dirty_tcp_groups_.insert(*tcp->second.group);
    } else if (const auto it = mappings_.find(ref); it != mappings_.end() && it->second.group) {
      dirty_groups_.insert(it->second.group);
    }
  }
}

void Engine::Impl::useAssignment(ClusterEntry& cluster, bool use) {
  if (!cluster.discovery || cluster.discovery->kind != ir::Discovery::Kind::Endpoints) return;
  const compile::Assignment assignment = compile::assignmentOf(*cluster.upstream);
  if (use) {
    AssignmentEntry& entry = assignments_[assignment];
    const bool fresh = entry.users.empty();
    entry.users.insert(&cluster);
    if (fresh) emitAssignment(assignment);
    return;
  }
  const auto it = assignments_.find(assignment);
  it->second.users.erase(&cluster);
  if (!it->second.users.empty()) return;
  assignments_.erase(it);
  remove(serve::Type::Endpoints, assignment.name());
}

}  // namespace emissary::engine
