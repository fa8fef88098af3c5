#include "engine/view.h"

#include <algorithm>

#include "compile/built_in.h"
#include "compile/canary.h"
#include "engine/state.h"

namespace emissary::engine {
namespace {

void addShares(const GroupEntry& group, View::Group& out) {
  if (out.members.size() == 1) {
    out.members[0].percent = 100;
    return;
  }
  std::vector<ir::Leg> legs;
  for (const auto& [name, member] : group.members) legs.push_back(member->result->leg);
  uint32_t before = 0;
  for (const compile::Share& share : compile::shares(legs).shares) {
    out.members[share.leg].percent = (share.cumulative - before) / (compile::kAllRequests / 100.0);
    before = share.cumulative;
  }
}

View::Member memberOf(const MappingEntry& entry) {
  using Role = View::Member::Role;
  const ir::RoutePolicy& policy = *entry.result->leg.policy;
  const Role role = policy.redirect ? Role::Redirect : policy.shadow ? Role::Shadow : Role::Upstream;
  return {entry.object, role, entry.cluster && entry.cluster->problem.empty() ? entry.cluster->name : "", 0};
}

View::Group groupOf(const GroupEntry& group) {
  View::Group out;
  out.match = *group.match;
  out.members.reserve(group.members.size());
  for (const auto& [name, member] : group.members) out.members.push_back(memberOf(*member));
  addShares(group, out);
  out.hosts = group.of ? group.of->hosts.size() : 0;
  // Always there; which of the other forms are too depends on who asked first.
  const bool host_known = group.match->host.kind == ir::HostMatch::Kind::Glob;
  if (const auto& piece = group.pieces[formIndex(false, host_known)]) out.routes = piece->bytes;
  return out;
}

View::Cluster clusterOf(const ClusterEntry& cluster) {
  View::Cluster out{cluster.name, *cluster.upstream, "", cluster.problem, {cluster.mappings.begin(), cluster.mappings.end()}};
  if (cluster.discovery) {
    const bool dns = cluster.discovery->kind == ir::Discovery::Kind::Dns;
    out.discovery = !cluster.discovery->assignment.empty() ? cluster.discovery->assignment : dns ? "DNS" : "address";
  }
  return out;
}

}  // namespace

std::vector<View::Resolver> Engine::Impl::resolversInUse() const {
  std::map<std::pair<std::string, ObjectRef>, View::Resolver> found;
  const std::string standard = module_->resolver.value_or("kubernetes-service");
  for (const auto& [ref, entry] : mappings_) {
    if (!entry.object || !entry.group) continue;
    const std::string name = std::get<model::Mapping>(entry.object->spec).resolver.value_or(standard);
    const auto kind = resolver(name, ref.ns);
    if (!kind) continue;
    const ObjectPtr source = resolverObject(name, ref.ns);
    const ObjectRef object = source ? source->ref : ObjectRef();
    View::Resolver& one = found[{name, object}];
    one.kind = *kind;
    one.name = name;
    one.object = object;
    one.mappings.push_back(ref);
  }
  std::vector<View::Resolver> out;
  for (auto& [key, one] : found) {
    std::sort(one.mappings.begin(), one.mappings.end());
    out.push_back(std::move(one));
  }
  return out;
}

std::vector<View::TcpGroup> Engine::Impl::tcpGroupsView() const {
  std::vector<View::TcpGroup> out;
  for (const auto& [key, group] : tcp_groups_) {
    View::TcpGroup one{key.address, key.port, key.host, {}};
    const auto& targets = group.result.targets;
    for (const auto& [name, ref] : group.members) {
      const TcpMappingEntry& entry = tcp_mappings_.at(ref);
      View::TcpGroup::Member member{entry.object, entry.cluster && entry.cluster->problem.empty() ? entry.cluster->name : "", 0};
      const bool used = !group.result.refused.contains(ref) && !topology_.unrouted.contains(ref);
      const auto target = std::find_if(targets.begin(), targets.end(), [&](const auto& t) { return t.cluster == member.cluster; });
      if (used && target != targets.end()) member.weight = target->weight;
      one.members.push_back(std::move(member));
    }
    out.push_back(std::move(one));
  }
  return out;
}

std::shared_ptr<const View> Engine::Impl::view() const {
  auto out = std::make_shared<View>();
  out->diagnostics = {module_->diagnostics.enabled, module_->diagnostics_allow_non_local};
  out->module = module_;
  std::vector<const GroupEntry*> groups;
  groups.reserve(groups_.size());
  for (const auto& [match, group] : groups_) groups.push_back(&group);
  std::sort(groups.begin(), groups.end(), GroupOrder());
  out->groups.reserve(groups.size());
  for (const GroupEntry* group : groups) out->groups.push_back(groupOf(*group));

  out->tcp_groups = tcpGroupsView();
  out->clusters.reserve(clusters_.size());
  for (const auto& [upstream, cluster] : clusters_) out->clusters.push_back(clusterOf(cluster));
  std::sort(out->clusters.begin(), out->clusters.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  out->resolvers = resolversInUse();

  for (const auto& [order, entry] : hosts_) {
    if (entry.result.host) out->hosts.push_back(*entry.result.host);
  }
  out->listeners = topology_.listeners;
  for (const auto& [ref, object] : objects_) {
    if (kindGroup(ref.kind) == "getambassador.io") out->objects.push_back(object);
  }
  for (const ObjectRef& ref : compile::builtInRefs(installation_)) {
    if (const auto it = mappings_.find(ref); it != mappings_.end() && it->second.object) out->objects.push_back(it->second.object);
  }
  std::sort(out->objects.begin(), out->objects.end(), [](const auto& a, const auto& b) { return a->ref < b->ref; });
  out->counts = objectCounts();
  for (const auto& [key, resource] : resources) {
    if (key.type != serve::Type::Secret && key.type != serve::Type::Endpoints) out->resources.push_back(resource);
  }
  return out;
}

}  // namespace emissary::engine
