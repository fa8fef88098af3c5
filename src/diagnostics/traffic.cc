// Groups, their routes, the clusters behind them and how these do.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "compile/built_in.h"
#include "diagnostics/names.h"
#include "diagnostics/selection.h"

namespace emissary::diagnostics {
namespace {

using engine::View;

const model::Mapping& mappingOf(const View::Member& member) { return std::get<model::Mapping>(member.mapping->spec); }

/// 50 rather than 50.0.
Json number(double value) {
  if (value == std::floor(value)) return static_cast<int64_t>(value);
  return value;
}

Json health(const std::string& text, const Json& metric, const char* color) {
  return {{"health", text}, {"hmetric", metric}, {"hcolor", color}};
}

Json statsOf(const Index& index, const View::Cluster& cluster) {
  const EnvoyState& envoy = *index.scene.envoy;
  if (!envoy.updated) {
    Json out = {{"valid", false}, {"reason", "Envoy has not told its statistics yet"}};
    out.update(health("no statistics yet", "startup", "grey"));
    return out;
  }
  const auto it = envoy.clusters.find(statName(cluster.upstream.stat_name));
  if (it == envoy.clusters.end()) {
    Json out = {{"valid", false}, {"reason", fmt::format("Envoy does not know the cluster {}", cluster.name)}};
    out.update(health("undefined cluster", "undefined cluster", "orange"));
    return out;
  }
  const ClusterStats& stats = it->second;
  const uint64_t ok = stats.completed - std::min(stats.completed, stats.answers_5xx);
  Json out = {{"valid", true}, {"reason", fmt::format("told by Envoy {} s ago", index.scene.envoy_age)}};
  if (stats.completed == 0) {
    out.update(health("no requests yet", "waiting", "grey"));
    out["healthy_percent"] = nullptr;
  } else {
    const auto percent = static_cast<int64_t>(std::lround(100.0 * static_cast<double>(ok) / static_cast<double>(stats.completed)));
    const char* color = percent >= 90 ? "green" : percent >= 70 ? "yellow" : "red";
    out.update(health(fmt::format("{}% healthy", percent), percent, color));
    out["healthy_percent"] = percent;
  }
  out["healthy_members"] = stats.healthy_members;
  out["total_members"] = stats.total_members;
  out["update_attempts"] = stats.update_attempts;
  out["update_successes"] = stats.update_successes;
  out["update_percent"] = stats.update_attempts == 0 ? 0 : stats.update_successes * 100 / stats.update_attempts;
  out["upstream_ok"] = ok;
  out["upstream_4xx"] = stats.answers_4xx;
  out["upstream_5xx"] = stats.answers_5xx;
  out["upstream_bad"] = stats.answers_5xx;
  return out;
}

Json healthOf(const Index& index, const View::Member& member) {
  if (const auto cluster = index.clusters.find(member.cluster); cluster != index.clusters.end()) {
    return statsOf(index, *cluster->second);
  }
  if (member.role == View::Member::Role::Redirect) return health("redirected", "redirect", "grey");
  return health("its requests are answered 503", "no cluster", "red");
}

/// Where a group sends its requests: one entry a Mapping.
Json targetsOf(const Index& index, const View::Group& group) {
  Json out = Json::array();
  for (const View::Member& member : group.members) {
    Json one = {{"name", member.cluster}, {"service", mappingOf(member).service}, {"weight", number(member.percent)}};
    if (member.role == View::Member::Role::Redirect) one["type_label"] = "redirect";
    if (member.role == View::Member::Role::Shadow) one["type_label"] = "shadow";
    Json stats = healthOf(index, member);
    one["_health"] = std::move(stats["health"]);
    one["_hmetric"] = std::move(stats["hmetric"]);
    one["_hcolor"] = std::move(stats["hcolor"]);
    one["_rkey"] = rkey(member.mapping->ref);
    out.push_back(std::move(one));
  }
  return out;
}

Json matches(const std::vector<ir::NamedMatch>& all) {
  using Kind = ir::StringMatch::Kind;
  Json out = Json::array();
  for (const ir::NamedMatch& one : all) {
    out.push_back({{"name", one.name},
                   {"value", one.match.kind == Kind::Present ? "*" : one.match.value},
                   {"regex", one.match.kind == Kind::Regex}});
  }
  return out;
}

Json rewriteOf(const model::Mapping& mapping) {
  if (mapping.regex_rewrite)
    return {{"pattern", mapping.regex_rewrite->pattern}, {"substitution", mapping.regex_rewrite->substitution}};
  return mapping.rewrite.value_or("/");
}

/// What both the list of routes and the list of groups tell of a group.
Json commonOf(const View::Group& group) {
  const ir::Match& match = group.match;
  Json out;
  out["prefix"] = match.path;
  if (match.path_kind == ir::PathMatch::Regex) out["prefix_regex"] = true;
  if (match.path_kind == ir::PathMatch::Exact) out["prefix_exact"] = true;
  out["rewrite"] = rewriteOf(mappingOf(group.members.front()));
  out["method"] = match.method ? match.method->value : "*";
  out["headers"] = matches(match.headers);
  if (!match.query.empty()) out["query_parameters"] = matches(match.query);
  out["host"] = match.host.kind == ir::HostMatch::Kind::None ? "*" : match.host.text;
  if (match.host.kind == ir::HostMatch::Kind::Regex) out["host_regex"] = true;
  out["precedence"] = match.precedence;
  return out;
}

Json memberOf(const Index& index, const View::Member& member) {
  const ObjectRef& ref = member.mapping->ref;
  const model::Mapping& mapping = mappingOf(member);
  const auto group = index.group_of.find(ref);
  Json out = {{"name", ref.name}, {"namespace", ref.ns}, {"location", rkey(ref)}, {"prefix", mapping.prefix}};
  out["rewrite"] = rewriteOf(mapping);
  const ir::HostMatch& host = index.view.groups[group->second].match.host;
  out["host"] = host.kind == ir::HostMatch::Kind::None ? "*" : host.text;
  out["cluster_name"] = member.cluster;
  out["cluster_service"] = mapping.service;
  out["weight"] = number(member.percent);
  out["_active"] = member.used();
  out["_errored"] = index.errors.contains(ref);
  out["_rkey"] = rkey(ref);
  return out;
}

Json groupOf(const Index& index, size_t i) {
  const View::Group& group = index.view.groups[i];
  const ObjectRef& first = group.members.front().mapping->ref;
  Json out = {{"kind", "IRHTTPMappingGroup"}, {"name", "GROUP: " + first.name}, {"group_id", index.group_ids[i]}};
  out.update(commonOf(group));
  out["_active"] = group.hosts > 0;
  out["_errored"] = false;
  out["_rkey"] = rkey(first);
  out["location"] = rkey(first);
  out["hosts"] = group.hosts;
  Json& mappings = out["mappings"] = Json::array();
  for (const View::Member& member : group.members) {
    mappings.push_back(memberOf(index, member));
    if (index.errors.contains(member.mapping->ref)) out["_errored"] = true;
  }
  return out;
}

Json tcpGroupOf(const Index& index, const View::TcpGroup& group) {
  const ObjectRef& first = group.members.front().mapping->ref;
  Json out = {{"kind", "IRTCPMappingGroup"},
              {"name", "GROUP: " + first.name},
              {"group_id", tcpGroupId(group.address, group.port, group.host)},
              {"address", group.address},
              {"port", group.port},
              {"host", group.host.empty() ? "*" : group.host}};
  out["_active"] = std::any_of(group.members.begin(), group.members.end(), [](const auto& m) { return m.weight > 0; });
  out["_errored"] = false;
  out["_rkey"] = out["location"] = rkey(first);
  Json& mappings = out["mappings"] = Json::array();
  for (const View::TcpGroup::Member& member : group.members) {
    const ObjectRef& ref = member.mapping->ref;
    const bool errored = index.errors.contains(ref);
    if (errored) out["_errored"] = true;
    mappings.push_back({{"name", ref.name},
                        {"namespace", ref.ns},
                        {"location", rkey(ref)},
                        {"cluster_name", member.cluster},
                        {"cluster_service", std::get<model::TcpMapping>(member.mapping->spec).service},
                        {"weight", member.weight},
                        {"_active", member.weight > 0},
                        {"_errored", errored},
                        {"_rkey", rkey(ref)}});
  }
  return out;
}

}  // namespace

Json routeInfoJson(const Selection& of) {
  const Index& index = of.index;
  Json out = Json::array();
  for (const size_t i : of.groups) {
    const View::Group& group = index.view.groups[i];
    const std::string key = rkey(group.members.front().mapping->ref);
    const bool any = group.match.host.kind == ir::HostMatch::Kind::None || group.match.host.text == "*";
    const std::string& host = any ? index.scene.host : group.match.host.text;
    Json one = {{"key", index.scene.scheme + "://" + host + group.match.path}};
    one.update(commonOf(group));
    one["clusters"] = targetsOf(index, group);
    const Labels& labels = group.members.front().mapping->labels;
    if (const auto it = labels.find("ambassador_diag_class"); it != labels.end()) one["diag_class"] = it->second;
    if (compile::isBuiltIn(group.members.front().mapping->ref)) one["diag_class"] = "private";
    one["_route"] = groupOf(index, i);
    one["_source"] = key;
    one["_group_id"] = index.group_ids[i];
    out.push_back(std::move(one));
  }
  return out;
}

Json tcpGroupsJson(const Selection& of) {
  Json out = Json::object();
  for (const View::TcpGroup& group : of.index.view.tcp_groups) {
    const auto& members = group.members;
    if (std::none_of(members.begin(), members.end(), [&](const auto& m) { return of.has(m.mapping->ref); })) continue;
    append(out, "grp-" + tcpGroupId(group.address, group.port, group.host), tcpGroupOf(of.index, group));
  }
  return out;
}

Json groupsJson(const Selection& of) {
  Json out = Json::object();
  for (const size_t i : of.groups) append(out, "grp-" + of.index.group_ids[i], groupOf(of.index, i));
  out.update(tcpGroupsJson(of));
  return out;
}

Json clusterInfoJson(const Selection& of) {
  Json out = Json::object();
  for (const View::Cluster* cluster : of.clusters) {
    const ir::Upstream& upstream = cluster->upstream;
    Json one = {{"name", cluster->name}, {"kind", "IRCluster"}};
    const bool v6 = upstream.host.find(':') != std::string::npos;
    one["service"] =
        fmt::format("{}{}{}{}:{}", upstream.tls ? "https://" : "", v6 ? "[" : "", upstream.host, v6 ? "]" : "", upstream.port);
    one["alt_stat_name"] = upstream.stat_name;
    one["tls"] = upstream.tls.has_value();
    if (upstream.tls) one["sni"] = upstream.tls->sni;
    one["grpc"] = upstream.http2;
    one["connect_timeout_ms"] = upstream.connect_timeout_ms;
    one["discovery"] = cluster->discovery;
    if (!cluster->problem.empty()) one["problem"] = cluster->problem;
    for (const ObjectRef& ref : cluster->mappings) one["_referenced_by"].push_back(rkey(ref));
    const Json stats = statsOf(of.index, *cluster);
    for (const char* key : {"health", "hmetric", "hcolor"}) one[std::string("_") + key] = stats[key];
    append(out, cluster->name, std::move(one));
  }
  return out;
}

Json clusterStatsJson(const Selection& of) {
  Json out = Json::object();
  for (const View::Cluster* cluster : of.clusters) append(out, cluster->name, statsOf(of.index, *cluster));
  return out;
}

/// AuthService, RateLimitService, TracingService in use: {type, name, cluster, _source, _service_weight}.
Json servicesJson(const Selection&) { return Json::array(); }

Json resolversJson(const Selection& of) {
  Json out = Json::array();
  for (const View::Resolver& resolver : of.index.view.resolvers) {
    std::set<std::string> groups;
    for (const ObjectRef& ref : resolver.mappings) {
      const auto group = of.index.group_of.find(ref);
      if (of.has(ref) && group != of.index.group_of.end()) groups.insert("grp-" + of.index.group_ids[group->second]);
    }
    const bool object = !resolver.object.name.empty();
    if (groups.empty() && !(object && of.has(resolver.object))) continue;
    out.push_back({{"kind", kindName(resolver.kind)},
                   {"name", resolver.name},
                   {"_source", object ? rkey(resolver.object) : "--internal--"},
                   {"groups", groups}});
  }
  return out;
}

}  // namespace emissary::diagnostics
