// What the engine tells about its state: findings, provenance, the IR as JSON, counts. Nothing here changes anything.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "compile/built_in.h"
#include "compile/canary.h"
#include "engine/policy_json.h"
#include "engine/state.h"
#include "engine/upstream_json.h"
#include "generate/listener.h"

namespace emissary::engine {
namespace {

using Json = nlohmann::ordered_json;

Json json(const ir::StringMatch& match) {
  using Kind = ir::StringMatch::Kind;
  Json out;
  switch (match.kind) {
    case Kind::Present: out["present"] = true; break;
    case Kind::Exact: out["exact"] = match.value; break;
    case Kind::Prefix: out["prefix"] = match.value; break;
    case Kind::Suffix: out["suffix"] = match.value; break;
    case Kind::Regex: out["regex"] = match.value; break;
  }
  return out;
}

Json json(const std::vector<ir::NamedMatch>& matches) {
  Json out = Json::array();
  for (const ir::NamedMatch& match : matches) {
    Json one = {{"name", match.name}};
    one.update(json(match.match));
    out.push_back(std::move(one));
  }
  return out;
}

Json json(const ir::Match& match) {
  Json out;
  if (match.precedence != 0) out["precedence"] = match.precedence;
  switch (match.path_kind) {
    case ir::PathMatch::Prefix: out["prefix"] = match.path; break;
    case ir::PathMatch::Exact: out["path"] = match.path; break;
    case ir::PathMatch::Regex: out["regex"] = match.path; break;
  }
  if (!match.case_sensitive) out["case_sensitive"] = false;
  if (match.host.kind == ir::HostMatch::Kind::Glob) out["hostname"] = match.host.text;
  if (match.host.kind == ir::HostMatch::Kind::Regex) out["host_regex"] = match.host.text;
  if (match.method) out["method"] = json(*match.method);
  if (!match.headers.empty()) out["headers"] = json(match.headers);
  if (!match.query.empty()) out["query_parameters"] = json(match.query);
  for (const auto& [key, value] : match.labels) out["labels"][key] = value;
  return out;
}

Json json(const ir::Leg& leg, const std::string& cluster, double percent) {
  Json out;
  out["mapping"] = leg.mapping.ns + "/" + leg.mapping.name;
  out["percent"] = percent;
  if (leg.policy->redirect) {
    addPolicy(*leg.policy, out);
    return out;
  }
  if (cluster.empty()) {
    out["answer"] = 503;
  } else {
    out["cluster"] = cluster;
  }
  if (leg.prefix_rewrite) out["rewrite"] = *leg.prefix_rewrite;
  if (leg.regex_rewrite) {
    out["regex_rewrite"] = {{"pattern", leg.regex_rewrite->pattern}, {"substitution", leg.regex_rewrite->substitution}};
  }
  if (!leg.host_rewrite.empty()) out["host_rewrite"] = leg.host_rewrite;
  if (leg.auto_host_rewrite) out["auto_host_rewrite"] = true;
  out["timeout_ms"] = leg.timeout_ms;
  if (leg.idle_timeout_ms) out["idle_timeout_ms"] = *leg.idle_timeout_ms;
  if (!leg.upgrades.empty()) out["upgrades"] = leg.upgrades;
  addPolicy(*leg.policy, out);
  return out;
}

std::string_view name(ir::Treatment treatment) {
  switch (treatment) {
    case ir::Treatment::Route: return "Route";
    case ir::Treatment::Redirect: return "Redirect";
    case ir::Treatment::Reject: return "Reject";
    case ir::Treatment::ForwardedRedirect: return "Route if forwarded by https, else Redirect";
    case ir::Treatment::ForwardedReject: return "Route if forwarded by https, else Reject";
  }
  return "";
}

std::string_view name(model::Host::InsecureAction action) {
  switch (action) {
    case model::Host::InsecureAction::Redirect: return "Redirect";
    case model::Host::InsecureAction::Reject: return "Reject";
    case model::Host::InsecureAction::Route: return "Route";
  }
  return "";
}

Json json(const ir::TcpProxy& proxy) {
  Json out = {{"tcp", Json::array()}};
  uint32_t sum = 0;
  for (const ir::TcpProxy::Target& target : proxy.targets) sum += target.weight;
  for (const ir::TcpProxy::Target& target : proxy.targets) {
    out["tcp"].push_back({{"mapping", target.mapping.ns + "/" + target.mapping.name},
                          {"percent", target.weight * 100.0 / sum},
                          {"cluster", target.cluster}});
  }
  if (proxy.idle_timeout_ms) out["idle_timeout_ms"] = *proxy.idle_timeout_ms;
  return out;
}

Json json(const ir::Listener& listener) {
  Json out;
  out["name"] = listener.name;
  if (listener.ref.kind == Kind::Listener) out["listener"] = listener.ref.ns + "/" + listener.ref.name;
  out["address"] = listener.address;
  out["port"] = listener.port;
  if (listener.proxy_protocol) out["proxy_protocol"] = true;
  if (listener.trusted_hops > 0) out["trusted_hops"] = listener.trusted_hops;
  for (const ir::FilterChain& chain : listener.chains) {
    Json one = {{"name", chain.name}};
    if (!chain.sni.empty()) one["sni"] = chain.sni;
    if (chain.tls) {
      one["secret"] = chain.tls->secret_namespace + "/" + chain.tls->secret_name;
      if (!chain.tls->ca_name.empty()) one["client_ca"] = chain.tls->ca_namespace + "/" + chain.tls->ca_name;
      if (!chain.tls->crl_name.empty()) one["client_crl"] = chain.tls->crl_namespace + "/" + chain.tls->crl_name;
      if (chain.tls->client_certificate_required) one["client_certificate_required"] = true;
    }
    if (chain.tcp) {
      one.update(json(*chain.tcp));
    } else if (chain.scopes.empty()) {
      one["routes"] = chain.table;
    }
    for (const ir::Scope& scope : chain.scopes) one["scopes"][scope.hostname] = scope.table;
    out["chains"].push_back(std::move(one));
  }
  return out;
}

}  // namespace

std::vector<Finding> Engine::Impl::findings(int64_t now) const {
  std::vector<Finding> out;
  // Positions are those of now: the same content may have moved within its file.
  const auto add = [&](Finding finding) {
    if (compile::isBuiltIn(finding.object)) return;  // nobody wrote it
    if (const auto it = objects_.find(finding.object); it != objects_.end()) {
      finding.path = it->second->path;
      const int line = it->second->field_lines.find(finding.field);
      finding.line = line > 0 ? line : it->second->line;
    }
    out.push_back(std::move(finding));
  };
  out = contested();
  for (const ObjectRef& ref : objects_with_findings_) {
    const std::vector<Finding>& found = objects_.at(ref)->findings;
    out.insert(out.end(), found.begin(), found.end());
  }
  for (const ObjectRef& ref : mappings_with_findings_) {
    for (const Finding& finding : mappings_.at(ref).result->findings) add(finding);
  }
  for (const ClusterEntry* cluster : clusters_with_problems_) {
    for (const ObjectRef& ref : cluster->mappings) {
      if (!cluster->port_problem.empty())
        add({Severity::Warning, ref, "spec.service", cluster->port_problem, "", 0, About::MissingService});
      if (cluster->problem.empty()) continue;
      add({Severity::Error, ref, "spec.service",
           (ref.kind == Kind::TCPMapping ? "Envoy would refuse its cluster, so it is not used: "
                                         : "Envoy would refuse its cluster, so its requests are answered 503: ") +
               cluster->problem,
           "", 0});
    }
  }
  for (const GroupEntry* group : groups_with_findings_) {
    for (const Finding& finding : group->findings) add(finding);
  }
  std::vector<Finding> rest;
  addUnmatched(rest);
  if (now != 0) addExpired(now, rest);
  for (Finding& finding : rest) add(std::move(finding));
  for (const auto& [order, host] : hosts_) {
    for (const Finding& finding : host.result.findings) add(finding);
  }
  for (const auto& [ref, mapping] : tcp_mappings_) {
    for (const Finding& finding : mapping.result->findings) add(finding);
  }
  for (const auto& [key, group] : tcp_groups_) {
    for (const Finding& finding : group.result.findings) add(finding);
  }
  for (const Finding& finding : module_findings_) add(finding);
  for (const Finding& finding : topology_.findings) {
    if (objects_.contains(finding.object)) add(finding);  // not the stand-in
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::vector<ObjectRef> Engine::Impl::provenance(const serve::ResourceKey& key) const {
  std::set<ObjectRef> refs;
  const auto addObject = [&](const ObjectRef& ref) {
    if (objects_.contains(ref)) refs.insert(ref);
  };
  const auto addMapping = [&](const ObjectRef& ref) {
    if (!compile::isBuiltIn(ref)) {
      addObject(ref);
    } else if (module_object_) {
      addObject(module_object_->ref);
    }
  };
  const auto addSecret = [&](const auto& tls) {
    if (!tls.secret_name.empty()) addObject({Kind::Secret, tls.secret_namespace, tls.secret_name});
    if (!tls.ca_name.empty()) addObject({Kind::Secret, tls.ca_namespace, tls.ca_name});
    if (!tls.crl_name.empty()) addObject({Kind::Secret, tls.crl_namespace, tls.crl_name});
  };
  const auto holds = [&](const auto& tls) {
    return generate::certificateName(tls.secret_namespace, tls.secret_name) == key.name ||
           (!tls.ca_name.empty() &&
            generate::validationName(tls.ca_namespace, tls.ca_name, tls.crl_namespace, tls.crl_name) == key.name);
  };
  const auto addCluster = [&](const ClusterEntry& cluster) {
    for (const ObjectRef& ref : cluster.mappings) addMapping(ref);
  };
  switch (key.type) {
    case serve::Type::Cluster:
      for (const auto& [upstream, cluster] : clusters_) {
        if (cluster.name == key.name) addCluster(cluster);
      }
      break;
    case serve::Type::Endpoints:
      for (const auto& [assignment, entry] : assignments_) {
        if (assignment.name() != key.name) continue;
        for (const ClusterEntry* cluster : entry.users) addCluster(*cluster);
        addObject({Kind::Service, assignment.ns, assignment.service});
        addObject({Kind::Endpoints, assignment.ns, assignment.service});
        if (const auto it = services_.find({assignment.ns, assignment.service}); it != services_.end()) {
          for (const auto& [slice, object] : it->second.slices) addObject(object->ref);
        }
      }
      break;
    case serve::Type::Secret:
      for (const ClusterEntry* cluster : clusters_with_secrets_) {
        if (!holds(*cluster->upstream->tls)) continue;
        addCluster(*cluster);
        addSecret(*cluster->upstream->tls);
      }
      [[fallthrough]];
    case serve::Type::Listener:
    case serve::Type::ScopedRoutes:
      for (const ir::Listener& listener : topology_.listeners) {
        for (const ir::FilterChain& chain : listener.chains) {
          const bool secret = chain.tls && holds(*chain.tls);
          if (key.type == serve::Type::Secret ? secret : key.type == serve::Type::Listener && listener.name == key.name) {
            addObject(listener.ref);
            if (key.type == serve::Type::Listener && module_object_) addObject(module_object_->ref);
            if (chain.tls) addSecret(*chain.tls);
            if (chain.tcp) {
              for (const ir::TcpProxy::Target& target : chain.tcp->targets) addObject(target.mapping);
            }
            if (const auto it = tables_.find(chain.table); it != tables_.end()) {
              for (const ir::VirtualHost& host : it->second.spec.virtual_hosts) addObject(host.host);
            }
          }
          for (const ir::Scope& scope : chain.scopes) {
            if (listener.name + "/" + scope.hostname != key.name &&
                !(key.type == serve::Type::Listener && listener.name == key.name))
              continue;
            addObject(listener.ref);
            if (const auto it = tables_.find(scope.table); it != tables_.end()) {
              for (const ir::VirtualHost& host : it->second.spec.virtual_hosts) addObject(host.host);
            }
          }
        }
      }
      break;
    case serve::Type::Routes:
      if (const auto it = tables_.find(key.name); it != tables_.end()) {
        for (const ir::VirtualHost& virtual_host : it->second.spec.virtual_hosts) {
          addObject(virtual_host.host);
          auto host = hosts_.find(compile::orderName(virtual_host.host));
          if (host == hosts_.end()) host = hosts_.find("");
          if (host == hosts_.end()) continue;
          for (const ClassEntry* of : host->second.classes) {
            for (const GroupEntry* group : of->groups) {
              for (const auto& [order, member] : group->members) addMapping(member->object->ref);
            }
          }
        }
      }
      break;
  }
  return {refs.begin(), refs.end()};
}

nlohmann::ordered_json Engine::Impl::ir() const {
  Json out = {{"listeners", Json::array()}, {"hosts", Json::array()}, {"route_tables", Json::array()}, {"clusters", Json::array()}};
  for (const ir::Listener& listener : topology_.listeners) out["listeners"].push_back(json(listener));
  for (const auto& [order, entry] : hosts_) {
    if (!entry.result.host) continue;
    const ir::Host& host = *entry.result.host;
    Json one = {{"host", host.ref.ns + "/" + host.ref.name}, {"hostname", host.hostname}};
    if (host.tls) one["secret"] = host.tls->secret_namespace + "/" + host.tls->secret_name;
    one["insecure_action"] = name(host.insecure_action);
    std::vector<const GroupEntry*> groups;
    for (const ClassEntry* of : entry.classes) groups.insert(groups.end(), of->groups.begin(), of->groups.end());
    std::sort(groups.begin(), groups.end(), GroupOrder());
    one["routes"] = Json::array();
    for (const GroupEntry* group : groups) {
      Json route = {{"match", json(*group->match)}, {"to", Json::array()}};
      std::vector<ir::Leg> legs;
      std::vector<const ClusterEntry*> clusters;
      for (const auto& [member_name, member] : group->members) {
        legs.push_back(member->result->leg);
        clusters.push_back(member->cluster);
      }
      const auto cluster = [&](size_t leg) {
        return clusters[leg] && clusters[leg]->problem.empty() ? clusters[leg]->name : std::string{};
      };
      uint32_t before = 0;
      const compile::SharesResult shares = compile::shares(legs);
      for (const compile::Share& share : shares.shares) {
        const double percent = (share.cumulative - before) / (compile::kAllRequests / 100.0);
        route["to"].push_back(json(legs[share.leg], cluster(share.leg), percent));
        before = share.cumulative;
      }
      if (shares.shadow) {
        const ir::Leg& shadow = legs[*shares.shadow];
        route["copies_to"] = {{"mapping", shadow.mapping.ns + "/" + shadow.mapping.name},
                              {"percent", std::min<int64_t>(shadow.weight.value_or(100), 100)},
                              {"cluster", cluster(*shares.shadow)}};
      }
      one["routes"].push_back(std::move(route));
    }
    out["hosts"].push_back(std::move(one));
  }
  for (const auto& [table_name, entry] : tables_) {
    Json one = {{"name", table_name}, {"virtual_hosts", Json::array()}};
    for (const ir::VirtualHost& host : entry.spec.virtual_hosts) {
      one["virtual_hosts"].push_back(
          {{"hostname", host.hostname}, {"host", host.host.ns + "/" + host.host.name}, {"treatment", name(host.treatment)}});
    }
    if (!entry.spec.misdirected.empty()) one["answered_421"] = entry.spec.misdirected;
    out["route_tables"].push_back(std::move(one));
  }
  std::map<std::string, const ClusterEntry*> by_name;
  for (const auto& [upstream, cluster] : clusters_) by_name.emplace(cluster.name, &cluster);
  for (const auto& [cluster_name, cluster] : by_name) {
    const ir::Upstream& upstream = *cluster->upstream;
    Json one = {{"name", cluster_name}, {"host", upstream.host}, {"port", upstream.port}};
    describeUpstream(upstream, one);
    const bool dns = cluster->discovery && cluster->discovery->kind == ir::Discovery::Kind::Dns;
    one["discovery"] = !cluster->discovery                       ? "none"
                       : !cluster->discovery->assignment.empty() ? cluster->discovery->assignment
                       : dns                                     ? "DNS"
                                                                 : "address";
    if (cluster->discovery && !cluster->discovery->host.empty()) one["external_name"] = cluster->discovery->host;
    for (const ObjectRef& ref : cluster->mappings) one["mappings"].push_back(ref.ns + "/" + ref.name);
    out["clusters"].push_back(std::move(one));
  }
  return out;
}

std::map<Kind, ObjectCounts> Engine::Impl::objectCounts() const {
  std::map<Kind, ObjectCounts> out;
  for (const auto& [kind, total] : totals_) {
    if (total > 0) out[kind].accepted = total;
  }
  for (const ObjectRef& ref : rejected_) {
    ObjectCounts& counts = out[ref.kind];
    --counts.accepted;
    ++counts.rejected;
  }
  return out;
}

}  // namespace emissary::engine
