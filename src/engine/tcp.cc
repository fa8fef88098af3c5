// TCPMappings and the groups they form. A group's filter chain names its clusters, so a group that moves moves the topology.

#include <algorithm>

#include "base/lower.h"
#include "engine/note.h"
#include "engine/state.h"

namespace emissary::engine {

void Engine::Impl::placeContextHosts(const ObjectPtr& old, const ObjectPtr& now, bool moved) {
  const auto hostsOf = [](const ObjectPtr& object) {
    std::set<std::string> hosts;
    if (const auto* spec = object ? std::get_if<model::TlsContext>(&object->spec) : nullptr) {
      for (const std::string& host : spec->hosts) hosts.insert(lower(host));
    }
    return hosts;
  };
  for (const std::string& host : hostsOf(old)) {
    const auto it = context_hosts_.find(host);
    it->second.erase(compile::orderName(old->ref));
    if (it->second.empty()) context_hosts_.erase(it);
    if (moved) dirty_context_hosts_.insert(host);
  }
  for (const std::string& host : hostsOf(now)) {
    context_hosts_[host][compile::orderName(now->ref)] = now;
    if (moved) dirty_context_hosts_.insert(host);
  }
}

// What TCPMappings and their groups looked up and is another now. Before updateMappings, which forgets what moved.
void Engine::Impl::markTcpMappings() {
  const auto meet = [](const auto& looked, const auto& moved) {
    return std::any_of(looked.begin(), looked.end(), [&](const auto& key) { return moved.contains(key); });
  };
  const bool lookups = !dirty_resolvers_.empty() || !dirty_contexts_.empty() || !moved_secrets_.empty();
  if (lookups) {
    for (const auto& [ref, entry] : tcp_mappings_) {
      if (!entry.object) continue;
      const bool hit = resolverMoved(std::get<model::TcpMapping>(entry.object->spec).resolver) ||
                       meet(entry.contexts, dirty_contexts_) || meet(entry.secrets, moved_secrets_);
      if (hit) dirty_tcp_mappings_.insert(ref);
    }
  }
  if (moved_secrets_.empty() && dirty_context_hosts_.empty()) return;
  for (auto& [key, group] : tcp_groups_) {
    if (dirty_context_hosts_.contains(key.host) || meet(group.secrets, moved_secrets_)) dirty_tcp_groups_.insert(key);
  }
  dirty_context_hosts_.clear();
}

void Engine::Impl::updateTcpMappings() {
  markTcpMappings();
  for (const ObjectRef& ref : dirty_tcp_mappings_) evaluateTcpMapping(ref);
  dirty_tcp_mappings_.clear();
}

void Engine::Impl::evaluateTcpMapping(const ObjectRef& ref) {
  const auto it = tcp_mappings_.find(ref);
  if (it == tcp_mappings_.end()) return;
  TcpMappingEntry& entry = it->second;
  if (!entry.object) {
    leaveTcpGroup(entry, ref);
    if (entry.cluster) releaseCluster(entry.cluster, ref);
    tcp_mappings_.erase(it);
    return;
  }
  count(Table::Mapping);
  entry.secrets.clear();
  entry.contexts.clear();
  entry.result = compile::compileTcpMapping(*entry.object, mappingContext(installation_, entry.secrets, entry.contexts));
  ClusterEntry* const before = entry.cluster;
  entry.cluster = entry.result->upstream ? acquireCluster(*entry.result->upstream, ref) : nullptr;
  if (before && before != entry.cluster) releaseCluster(before, ref);
  leaveTcpGroup(entry, ref);
  reject(ref, !entry.result->upstream);
  if (!entry.result->upstream) return;
  entry.group = entry.result->key;
  tcp_groups_[*entry.group].members.emplace(compile::orderName(ref), ref);
  dirty_tcp_groups_.insert(*entry.group);
}

void Engine::Impl::leaveTcpGroup(TcpMappingEntry& entry, const ObjectRef& ref) {
  if (!entry.group) return;
  tcp_groups_.at(*entry.group).members.erase(compile::orderName(ref));
  dirty_tcp_groups_.insert(*entry.group);
  entry.group.reset();
}

// After the clusters, whose names they hold.
void Engine::Impl::updateTcpGroups() {
  for (const compile::TcpKey& key : dirty_tcp_groups_) {
    const auto it = tcp_groups_.find(key);
    if (it == tcp_groups_.end()) continue;
    if (it->second.members.empty()) {
      tcp_groups_.erase(it);
      dirty_topology_ = true;
      continue;
    }
    evaluateTcpGroup(key, it->second);
  }
  dirty_tcp_groups_.clear();
}

void Engine::Impl::evaluateTcpGroup(const compile::TcpKey& key, TcpGroupEntry& group) {
  count(Table::Group);
  std::vector<compile::TcpMember> members;
  for (const auto& [name, ref] : group.members) {
    const TcpMappingEntry& entry = tcp_mappings_.at(ref);
    members.push_back({entry.object, entry.cluster->problem.empty() ? entry.cluster->name : ""});
  }
  group.secrets.clear();
  compile::TcpTermination termination;
  if (const auto it = context_hosts_.find(key.host); it != context_hosts_.end()) {
    std::vector<ObjectPtr> contexts;
    for (const auto& [name, context] : it->second) contexts.push_back(context);
    compile::HostLookups lookups;
    lookups.secret = [&](std::string_view ns, std::string_view name) {
      group.secrets.insert({std::string(ns), std::string(name)});
      return secretState(ns, name);
    };
    lookups.secret_namespacing = module_->tls_secret_namespacing.value_or(true);
    termination = compile::terminationByContext(contexts, lookups);
  }
  compile::TcpGroup result = compile::compileTcpGroup(key, members, std::move(termination));
  tcp_judged_ = false;
  if (group.result == result) return;
  group.result = std::move(result);
  dirty_topology_ = true;
}

// Which TCPMappings are used hangs on their group and on the topology. They are few.
void Engine::Impl::judgeTcpMappings() {
  if (std::exchange(tcp_judged_, true)) return;
  for (const auto& [key, group] : tcp_groups_) {
    for (const auto& [name, ref] : group.members) {
      reject(ref, group.result.refused.contains(ref) || topology_.unrouted.contains(ref));
    }
  }
}

}  // namespace emissary::engine
