// Virtual hosts, RouteConfigurations, and the set of resources with what changed in it.

#include <algorithm>

#include "compile/canary.h"
#include "compile/match_tree.h"
#include "engine/state.h"
#include "generate/route.h"
#include "generate/virtual_host.h"

namespace emissary::engine {
namespace {

bool showsMappings(ir::Treatment t) { return t != ir::Treatment::Redirect && t != ir::Treatment::Reject; }
bool forwarded(ir::Treatment t) { return t == ir::Treatment::ForwardedRedirect || t == ir::Treatment::ForwardedReject; }

// Only what remains is copied: thousands of routes may name one cluster.
std::vector<std::string> sortedSet(std::vector<const std::string*>& texts) {
  std::sort(texts.begin(), texts.end(), [](const std::string* a, const std::string* b) { return *a < *b; });
  const auto same = [](const std::string* a, const std::string* b) { return *a == *b; };
  texts.erase(std::unique(texts.begin(), texts.end(), same), texts.end());
  std::vector<std::string> out;
  out.reserve(texts.size());
  for (const std::string* text : texts) out.push_back(*text);
  return out;
}

}  // namespace

void Engine::Impl::useVirtualHosts(const ir::RouteTable& table, bool use) {
  for (const ir::VirtualHost& key : table.virtual_hosts) {
    if (use) {
      if (virtual_hosts_[key].uses++ == 0) dirty_virtual_hosts_.insert(key);
    } else if (const auto it = virtual_hosts_.find(key); --it->second.uses == 0) {
      virtual_hosts_.erase(it);
      dirty_virtual_hosts_.erase(key);
    }
  }
}

void Engine::Impl::updateVirtualHosts() {
  std::set<ir::VirtualHost> moved;
  for (const ir::VirtualHost& key : dirty_virtual_hosts_) {
    const auto it = virtual_hosts_.find(key);
    if (it == virtual_hosts_.end()) continue;
    const std::string bytes = std::exchange(it->second.bytes, {});
    const std::vector<std::string> clusters = std::exchange(it->second.clusters, {});
    evaluateVirtualHost(key, it->second);
    if (it->second.bytes != bytes || it->second.clusters != clusters) moved.insert(key);
  }
  dirty_virtual_hosts_.clear();
  if (moved.empty()) return;
  for (const auto& [name, entry] : tables_) {
    const auto& hosts = entry.spec.virtual_hosts;
    if (std::any_of(hosts.begin(), hosts.end(), [&](const auto& host) { return moved.contains(host); })) dirty_tables_.insert(name);
  }
}

void Engine::Impl::evaluateVirtualHost(const ir::VirtualHost& key, VirtualHostEntry& entry) {
  count(Table::HostRoutes);
  auto host = hosts_.find(compile::orderName(key.host));
  if (host == hosts_.end()) host = hosts_.find("");  // the stand-in
  std::vector<GroupEntry*> groups;
  if (host != hosts_.end()) {
    for (const ClassEntry* of : host->second.classes) {
      const auto middle = static_cast<std::ptrdiff_t>(groups.size());
      groups.insert(groups.end(), of->groups.begin(), of->groups.end());
      std::inplace_merge(groups.begin(), groups.begin() + middle, groups.end(), GroupOrder());
    }
  }
  std::vector<const std::string*> pieces;
  std::vector<compile::PathRoutes> paths;  // of the pieces
  std::vector<const std::string*> clusters;
  pieces.reserve(groups.size() + 2);
  paths.reserve(groups.size() + 2);
  for (GroupEntry* group : groups) {
    if (!group->acme && !showsMappings(key.treatment)) continue;
    const ir::HostMatch& match = group->match->host;
    const bool known = match.kind == ir::HostMatch::Kind::Glob && match.text == key.hostname;
    const Piece& made = piece(*group, forwarded(key.treatment) && !group->acme, known);
    pieces.push_back(&made.bytes);
    paths.push_back({&group->reach, made.count});
    for (const std::string& cluster : group->clusters) clusters.push_back(&cluster);
  }
  entry.clusters = sortedSet(clusters);
  const std::vector<generate::ClosingRoute> closing_routes = generate::closingRoutes(key);
  for (const generate::ClosingRoute& closing : closing_routes) {
    pieces.push_back(&closing.bytes);
    paths.push_back({&closing.reach, 1});
  }
  // A tree looks at the path as at any header.
  const size_t limit = installation_.envoy.has(ir::Extension::HeaderInput) ? options_.route_list_limit : SIZE_MAX;
  entry.bytes = generate::virtualHost(key, pieces, compile::matchTree(paths, limit));
}

// A group's routes in one form, serialised once however many virtual hosts show them.
const Piece& Engine::Impl::piece(GroupEntry& group, bool forwarded, bool host_known) {
  std::optional<Piece>& cached = group.pieces[formIndex(forwarded, host_known)];
  if (cached) return *cached;
  std::vector<ir::Leg> legs;
  std::vector<const MappingEntry*> members;
  for (const auto& [name, member] : group.members) {
    legs.push_back(member->result->leg);
    members.push_back(member);
  }
  const compile::SharesResult shares = compile::shares(legs);
  const bool first = std::all_of(group.pieces.begin(), group.pieces.end(), [](const auto& p) { return !p; });
  if (first) {
    for (const auto& problem : shares.problems) {
      group.findings.push_back(
          compile::findingOn(*members[problem.leg]->object, problem.severity, std::string(problem.field), problem.message));
    }
  }
  const auto cluster = [&](size_t leg) {
    const ClusterEntry* entry = members[leg]->cluster;
    return entry && entry->problem.empty() ? entry->name : "";
  };
  std::vector<generate::LegRoute> routes;
  for (const compile::Share& share : shares.shares) routes.push_back({&legs[share.leg], cluster(share.leg), share.cumulative});
  generate::Mirror mirror;
  if (shares.shadow) {
    mirror = {cluster(*shares.shadow), static_cast<uint32_t>(std::min<int64_t>(legs[*shares.shadow].weight.value_or(100), 100))};
  }
  generate::RoutesResult made =
      generate::routes(*group.match, routes, mirror.cluster.empty() ? nullptr : &mirror, {forwarded, host_known});
  if (first) {
    for (const generate::LegRoute& route : routes) {
      if (!route.cluster.empty()) group.clusters.push_back(route.cluster);
    }
    if (!mirror.cluster.empty()) group.clusters.push_back(mirror.cluster);
    std::sort(group.clusters.begin(), group.clusters.end());
    group.clusters.erase(std::unique(group.clusters.begin(), group.clusters.end()), group.clusters.end());
    for (const auto& [index, problem] : made.problems) {
      group.findings.push_back(compile::findingOn(*members[shares.shares[index].leg]->object, Severity::Error, "spec",
                                                  "Envoy would refuse its route, so it is left out: " + problem));
    }
  }
  cached = Piece{std::move(made.bytes), made.count};
  return *cached;
}

void Engine::Impl::updateTables() {
  for (const std::string& name : dirty_tables_) {
    const auto it = tables_.find(name);
    if (it == tables_.end()) continue;
    count(Table::Resource);
    std::vector<const std::string*> hosts;
    std::vector<std::string> clusters;
    for (const ir::VirtualHost& key : it->second.spec.virtual_hosts) {
      const VirtualHostEntry& entry = virtual_hosts_.at(key);
      hosts.push_back(&entry.bytes);
      clusters.insert(clusters.end(), entry.clusters.begin(), entry.clusters.end());
    }
    if (hosts.size() > 1) {
      std::sort(clusters.begin(), clusters.end());
      clusters.erase(std::unique(clusters.begin(), clusters.end()), clusters.end());
    }
    put(serve::Type::Routes, name, generate::routeConfiguration(it->second.spec, hosts), std::move(clusters));
  }
  dirty_tables_.clear();
}

void Engine::Impl::put(serve::Type type, const std::string& name, const std::string& bytes, std::vector<std::string> clusters,
                       std::string endpoints) {
  const serve::ResourceKey key{type, name};
  serve::ResourcePtr& slot = resources[key];
  touched_.emplace(key, slot);
  slot = serve::makeResource(type, name, bytes, std::move(clusters), std::move(endpoints));
}

void Engine::Impl::remove(serve::Type type, const std::string& name) {
  const serve::ResourceKey key{type, name};
  const auto it = resources.find(key);
  if (it == resources.end()) return;
  touched_.emplace(key, it->second);
  resources.erase(it);
}

serve::Update Engine::Impl::finish() {
  serve::Update update;
  update.envoy = installation_.envoy;
  for (const auto& [key, before] : touched_) {
    const auto it = resources.find(key);
    if (it == resources.end()) {
      if (before) update.removals.push_back(key);
    } else if (!before || before->version != it->second->version || before->endpoints != it->second->endpoints) {
      update.upserts.push_back(it->second);
    } else {
      it->second = before;  // the same again: nobody needs to hear of it
    }
  }
  touched_.clear();
  return update;
}

}  // namespace emissary::engine
