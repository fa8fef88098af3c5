// Mappings, the canary groups they form, and the classes of groups that the same Hosts take.

#include <fmt/format.h>

#include <algorithm>

#include "compile/association.h"
#include "compile/built_in.h"
#include "compile/canary.h"
#include "compile/glob.h"
#include "engine/note.h"
#include "engine/state.h"
#include "generate/route.h"

namespace emissary::engine {

bool GroupOrder::operator()(const GroupEntry* a, const GroupEntry* b) const {
  if (const auto order = a->sort <=> b->sort; order != 0) return order > 0;
  if (a->first != b->first) return a->first > b->first;
  return *a->match < *b->match;  // while a Mapping moves from one group to another, both call it their first
}

std::string_view otherResolverName(std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> kPairs[] = {{"endpoint", "kubernetes-endpoint"},
                                                                             {"consul", "consul-endpoint"}};
  for (const auto& [a, b] : kPairs) {
    if (name == a) return b;
    if (name == b) return a;
  }
  return {};
}

ObjectPtr Engine::Impl::resolverObject(std::string_view name, std::string_view ns) const {
  ObjectPtr object = referredTo(resolvers_, name, ns);
  return object ? object : referredTo(resolvers_, otherResolverName(name), ns);
}

std::optional<Kind> Engine::Impl::resolver(std::string_view name, std::string_view ns) const {
  if (const ObjectPtr object = resolverObject(name, ns)) return object->ref.kind;
  if (name == "kubernetes-service") return Kind::KubernetesServiceResolver;
  if (name == "endpoint" || name == "kubernetes-endpoint") return Kind::KubernetesEndpointResolver;
  if (name == "consul" || name == "consul-endpoint") return Kind::ConsulResolver;
  return std::nullopt;
}

/// The Module's resolver decides as well whether naming another says anything.
bool Engine::Impl::resolverMoved(const std::optional<std::string>& named) const {
  return dirty_resolvers_.contains(module_->resolver.value_or("kubernetes-service")) ||
         (named && dirty_resolvers_.contains(*named));
}

// What the Mappings at hand looked up and is another now.
void Engine::Impl::markMappings() {
  if (!dirty_resolvers_.empty()) {
    for (const auto& [ref, entry] : mappings_) {
      if (entry.object && resolverMoved(std::get<model::Mapping>(entry.object->spec).resolver)) dirty_mappings_.insert(ref);
    }
    dirty_resolvers_.clear();
  }
  if (!dirty_contexts_.empty() || !moved_secrets_.empty()) {
    const auto meet = [](const auto& looked, const auto& moved) {
      return std::any_of(looked.begin(), looked.end(), [&](const auto& key) { return moved.contains(key); });
    };
    for (const ObjectRef& ref : mappings_with_lookups_) {
      const MappingEntry& entry = mappings_.at(ref);
      if (meet(entry.contexts, dirty_contexts_) || meet(entry.secrets, moved_secrets_)) dirty_mappings_.insert(ref);
    }
    dirty_contexts_.clear();
    moved_secrets_.clear();
  }
}

void Engine::Impl::updateMappings() {
  markMappings();
  for (const ObjectRef& ref : dirty_mappings_) evaluateMapping(ref);
  dirty_mappings_.clear();
}

/// What is looked up is noted in the two sets.
compile::MappingContext Engine::Impl::mappingContext(const compile::Installation& installation, std::set<NamespacedName>& secrets,
                                                     std::set<std::string>& contexts) const {
  return {installation,
          *module_,
          selector_keys_,
          [this](std::string_view name, std::string_view ns) { return resolver(name, ns); },
          [this, &secrets](std::string_view ns, std::string_view name) {
            secrets.insert({std::string(ns), std::string(name)});
            return secretState(ns, name);
          },
          [this, &contexts](std::string_view name, std::string_view ns) { return lookUpContext(name, ns, contexts); }};
}

void Engine::Impl::evaluateMapping(const ObjectRef& ref) {
  const auto it = mappings_.find(ref);
  if (it == mappings_.end()) return;
  MappingEntry& entry = it->second;
  if (!entry.object) {
    leaveGroup(entry);
    if (entry.cluster) releaseCluster(entry.cluster, ref);
    mappings_with_findings_.erase(ref);
    mappings_with_lookups_.erase(ref);
    mappings_.erase(it);
    return;
  }
  count(Table::Mapping);
  const bool built_in = compile::isBuiltIn(ref);
  entry.secrets.clear();
  entry.contexts.clear();
  const compile::MappingContext context =
      mappingContext(built_in ? own_installation_ : installation_, entry.secrets, entry.contexts);
  compile::MappingResult result = built_in ? compile::compileBuiltIn(*entry.object, context, module_object_.get())
                                           : compile::compileMapping(*entry.object, context);
  note(mappings_with_lookups_, ref, !entry.secrets.empty() || !entry.contexts.empty());
  if (!built_in) reject(ref, !result.usable);
  note(mappings_with_findings_, ref, !result.findings.empty());
  if (entry.result == result) return;

  ClusterEntry* const before = entry.cluster;
  const std::optional<ir::Upstream>& upstream = result.leg.upstream;
  entry.cluster = result.usable && upstream ? acquireCluster(*upstream, ref) : nullptr;
  if (before && before != entry.cluster) releaseCluster(before, ref);

  const bool regroup = !entry.result || !entry.group || !result.usable || entry.result->match != result.match;
  if (regroup) leaveGroup(entry);
  entry.result = std::move(result);
  if (regroup) {
    if (entry.result->usable) joinGroup(entry);
  } else {
    dirty_groups_.insert(entry.group);
  }
}

void Engine::Impl::joinGroup(MappingEntry& entry) {
  const auto [it, fresh] = groups_.try_emplace(entry.result->match);
  GroupEntry& group = it->second;
  if (fresh) {
    group.match = &it->first;
    group.sort = compile::sortKey(*group.match);
    group.reach = compile::pathReach(*group.match);
    group.acme = generate::isAcmeChallenge(*group.match);
  }
  group.members.emplace(compile::orderName(entry.object->ref), &entry);
  entry.group = &group;
  dirty_groups_.insert(&group);
}

void Engine::Impl::leaveGroup(MappingEntry& entry) {
  if (!entry.group) return;
  dirty_groups_.insert(entry.group);
  std::erase_if(entry.group->members, [&](const auto& member) { return member.second == &entry; });
  entry.group = nullptr;
}

void Engine::Impl::updateGroups() {
  for (GroupEntry* group : dirty_groups_) {
    if (!group->members.empty()) {
      evaluateGroup(*group);
      continue;
    }
    if (group->of) {
      markVirtualHosts(*group);
      group->of->groups.erase(group);
      dropClassIfEmpty(group->of);
    }
    groups_with_findings_.erase(group);
    groups_.erase(groups_.find(*group->match));
  }
  dirty_groups_.clear();
}

void Engine::Impl::evaluateGroup(GroupEntry& group) {
  count(Table::Group);
  if (group.of) markVirtualHosts(group);
  group.pieces = {};
  group.clusters.clear();
  group.findings.clear();
  ClassEntry* const now = classOf(group);
  const std::string& first = group.members.begin()->first;
  if (group.of != now || group.first != first) {
    ClassEntry* const before = group.of;
    if (before) before->groups.erase(&group);
    group.first = first;
    group.of = now;
    now->groups.insert(&group);
    if (before && before != now) dropClassIfEmpty(before);
  }
  piece(group, false, group.match->host.kind == ir::HostMatch::Kind::Glob);  // fills clusters and findings
  note(groups_with_findings_, &group, !group.findings.empty());
  markVirtualHosts(group);
}

// The labels of a group are those of all its members; of two that disagree the later one's count.
ClassEntry* Engine::Impl::classOf(const GroupEntry& group) {
  ClassKey key{group.match->host, {}};
  std::map<std::string, std::string> labels;
  for (const auto& [name, member] : group.members) {
    for (const auto& [label, value] : member->result->labels) labels[label] = value;
  }
  key.labels.assign(labels.begin(), labels.end());
  const auto [it, fresh] = classes_.try_emplace(std::move(key));
  if (fresh) {
    it->second.key = &it->first;
    associate(it->second);
    note(classes_without_hosts_, &it->second, it->second.hosts.empty());
  }
  return &it->second;
}

void Engine::Impl::dropClassIfEmpty(ClassEntry* entry) {
  if (!entry->groups.empty()) return;
  for (HostEntry* host : entry->hosts) host->classes.erase(entry);
  open_classes_.erase(entry);
  classes_without_hosts_.erase(entry);
  classes_.erase(classes_.find(*entry->key));
}

void Engine::Impl::link(HostEntry& host, ClassEntry& entry) {
  count(Table::Association);
  if (!compile::takes(*host.result.host, entry.key->host, entry.key->labels, installation_.strict_labels)) return;
  host.classes.insert(&entry);
  entry.hosts.insert(&host);
  classes_without_hosts_.erase(&entry);
}

void Engine::Impl::unlink(HostEntry& host) {
  for (ClassEntry* of : host.classes) {
    of->hosts.erase(&host);
    note(classes_without_hosts_, of, of->hosts.empty());
  }
  host.classes.clear();
}

void Engine::Impl::associate(ClassEntry& entry) {
  const ir::HostMatch& match = entry.key->host;
  if (match.kind == ir::HostMatch::Kind::Glob && compile::isExact(match.text) && installation_.strict_labels) {
    if (const auto it = hosts_by_name_.find(match.text); it != hosts_by_name_.end()) {
      for (HostEntry* host : it->second) link(*host, entry);
    }
    for (HostEntry* host : open_hosts_) link(*host, entry);
    return;
  }
  open_classes_.insert(&entry);
  for (auto& [name, host] : hosts_) {
    if (host.result.host) link(host, entry);
  }
}

void Engine::Impl::associate(HostEntry& host) {
  if (!compile::isExact(host.result.host->hostname) || !installation_.strict_labels) {
    for (auto& [key, entry] : classes_) link(host, entry);
    return;
  }
  const ir::HostMatch same{ir::HostMatch::Kind::Glob, host.result.host->hostname};
  for (auto it = classes_.lower_bound({same, {}}); it != classes_.end() && it->first.host == same; ++it) link(host, it->second);
  for (ClassEntry* entry : open_classes_) link(host, *entry);
}

void Engine::Impl::markVirtualHosts(const HostEntry& host, bool all) {
  const ObjectRef& ref = host.result.host->ref;
  for (auto it = virtual_hosts_.lower_bound({ref, "", ir::Treatment::Route, {}, 0, 0});
       it != virtual_hosts_.end() && it->first.host == ref; ++it) {
    const bool routes = it->first.treatment != ir::Treatment::Redirect && it->first.treatment != ir::Treatment::Reject;
    if (all || routes) dirty_virtual_hosts_.insert(it->first);
  }
}

void Engine::Impl::markVirtualHosts(const GroupEntry& group) {
  for (const HostEntry* host : group.of->hosts) markVirtualHosts(*host, group.acme);
}

}  // namespace emissary::engine
