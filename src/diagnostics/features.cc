#include "diagnostics/features.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace emissary::diagnostics {
namespace {

using Json = nlohmann::ordered_json;
using engine::View;

template <typename List, typename Condition>
size_t count(const List& list, Condition condition) {
  return static_cast<size_t>(std::count_if(list.begin(), list.end(), condition));
}

void addClusters(const View& view, Json& out) {
  const auto& all = view.clusters;
  const auto grpc = [](const View::Cluster& c) { return c.upstream.http2; };
  const auto tls = [](const View::Cluster& c) { return c.upstream.tls.has_value(); };
  const auto http = [](const View::Cluster& c) { return !c.upstream.http2; };
  const auto endpoints = [](const View::Cluster& c) { return c.upstream.resolver == ir::Upstream::Resolver::Endpoint; };
  out["cluster_count"] = all.size();
  out["cluster_grpc_count"] = count(all, grpc);
  out["cluster_http_count"] = count(all, http);
  out["cluster_tls_count"] = count(all, tls);
  out["cluster_routing_kube_count"] = all.size() - count(all, endpoints);
  out["cluster_routing_envoy_rr_count"] = count(all, endpoints);
  out["tls_origination_count"] = count(all, tls);
  out["endpoint_routing"] = count(all, endpoints) > 0;
}

template <typename T>
Json orNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

void addModule(const model::Module& module, Json& out) {
  const model::HttpSettings& http = module.http;
  out["diagnostics"] = module.diagnostics.enabled;
  out["liveness_probe"] = module.liveness_probe.enabled;
  out["readiness_probe"] = module.readiness_probe.enabled;
  out["use_remote_address"] = http.use_remote_address;
  out["enable_http10"] = http.accept_http_10;
  out["add_linkerd_headers"] = module.add_linkerd_headers;
  out["use_ambassador_namespace_for_service_resolution"] = module.use_ambassador_namespace_for_service_resolution;
  out["proper_case"] = http.proper_case;
  out["preserve_external_request_id"] = http.preserve_external_request_id;
  out["listener_idle_timeout_ms"] = orNull(http.listener_idle_timeout_ms);
  out["headers_with_underscores_action"] =
      http.headers_with_underscores_action.empty() ? Json() : Json(http.headers_with_underscores_action);
  out["max_request_headers_kb"] = orNull(http.max_request_headers_kb);
  out["buffer_limit_bytes"] = orNull(http.buffer_limit_bytes);
  out["allow_chunked_length"] = orNull(http.allow_chunked_length);
  out["server_name"] = http.server_name != model::HttpSettings().server_name;
}

size_t withRole(const View& view, View::Member::Role role) {
  return count(view.groups, [role](const View::Group& g) {
    return std::any_of(g.members.begin(), g.members.end(), [role](const View::Member& m) { return m.role == role; });
  });
}

void addGroups(const View& view, Json& out) {
  using Kind = ir::StringMatch::Kind;
  const auto& all = view.groups;
  const auto has_headers = [](const View::Group& g) { return !g.match.headers.empty(); };
  const auto has_regex_headers = [](const View::Group& g) {
    return std::any_of(g.match.headers.begin(), g.match.headers.end(), [](const auto& h) { return h.match.kind == Kind::Regex; });
  };
  const auto rewrites_host = [](const View::Group& g) {
    return std::any_of(g.members.begin(), g.members.end(), [](const View::Member& m) {
      const auto& mapping = std::get<model::Mapping>(m.mapping->spec);
      return mapping.host_rewrite.has_value() || mapping.auto_host_rewrite;
    });
  };
  out["group_count"] = all.size() + view.tcp_groups.size();
  out["group_http_count"] = all.size();
  out["group_tcp_count"] = view.tcp_groups.size();
  out["group_precedence_count"] = count(all, [](const View::Group& g) { return g.match.precedence != 0; });
  out["group_header_match_count"] = count(all, has_headers);
  out["group_regex_header_count"] = count(all, has_regex_headers);
  out["group_regex_prefix_count"] = 0;
  out["group_host_rewrite_count"] = count(all, rewrites_host);
  out["group_shadow_count"] = withRole(view, View::Member::Role::Shadow);
  out["group_host_redirect_count"] = withRole(view, View::Member::Role::Redirect);
  out["group_canary_count"] = count(all, [](const View::Group& g) { return g.members.size() > 1; });
  out["group_resolver_kube_service_count"] = all.size();
  out["group_resolver_kube_endpoint_count"] = 0;
  size_t mappings = 0;
  for (const View::Group& group : all) mappings += group.members.size();
  out["mapping_count"] = mappings;
}

}  // namespace

Json features(const Scene& scene) {
  const View& view = *scene.state->view;
  Json out;
  const auto contexts = count(view.objects, [](const ObjectPtr& o) { return o->ref.kind == Kind::TLSContext && o->usable; });
  const auto terminating = count(view.hosts, [](const ir::Host& h) { return h.tls.has_value(); });
  out["tls_using_contexts"] = contexts > 0 || terminating > 0;
  out["tls_termination_count"] = terminating;
  addModule(*view.module, out);
  out["statsd"] = scene.about->statsd;
  out["use_proxy_proto"] =
      std::any_of(view.listeners.begin(), view.listeners.end(), [](const auto& l) { return l.proxy_protocol; });
  out["custom_ambassador_id"] = scene.about->ambassador_id != "default";
  const auto services = view.counts.find(Kind::Service);
  out["service_resource_total"] = services == view.counts.end() ? 0 : services->second.accepted;
  addClusters(view, out);
  out["cluster_ingress_count"] = 0;
  addGroups(view, out);
  out["listener_count"] = view.listeners.size();
  out["host_count"] = view.hosts.size();
  Json& invalid = out["invalid_counts"] = Json::object();
  for (const auto& [kind, counts] : view.counts) {
    if (counts.rejected > 0) invalid[std::string(kindName(kind))] = counts.rejected;
  }
  return out;
}

}  // namespace emissary::diagnostics
