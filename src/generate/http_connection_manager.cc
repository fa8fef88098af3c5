#include "generate/http_connection_manager.h"

#include <envoy/extensions/common/matching/v3/extension_matcher.pb.h>
#include <envoy/extensions/filters/common/matcher/action/v3/skip_action.pb.h>
#include <envoy/extensions/filters/http/cors/v3/cors.pb.h>
#include <envoy/extensions/filters/http/lua/v3/lua.pb.h>
#include <envoy/extensions/filters/http/router/v3/router.pb.h>
#include <envoy/extensions/http/early_header_mutation/header_mutation/v3/header_mutation.pb.h>
#include <envoy/type/matcher/v3/http_inputs.pb.h>
#include <fmt/format.h>

#include "generate/access_log.h"
#include "generate/any.h"
#include "generate/common.h"
#include "generate/http_filters.h"
#include "generate/preserve_case.h"
#include "generate/route_policy.h"
#include "generate/scope.h"

namespace emissary::generate {
namespace {

namespace core_v3 = envoy::config::core::v3;

constexpr int kRequestHeadersSeconds = 30;

envoy::extensions::filters::http::lua::v3::Lua lua(std::string code) {
  envoy::extensions::filters::http::lua::v3::Lua out;
  out.mutable_default_source_code()->set_inline_string(std::move(code));
  return out;
}

// Scope keys are compared byte by byte, but host names depend neither on case nor on the port that a client names with them.
void lowerCaseFilter(HttpConnectionManager& out) {
  const std::string code = fmt::format(
      "function envoy_on_request(h)\n"
      "  local headers = h:headers()\n"
      "  headers:replace('{0}', (string.gsub(string.lower(headers:get('{0}')), ':%d+$', '')))\n"
      "  h:clearRouteCache()\n"
      "end\n",
      kScopeHeader);
  envoy::extensions::common::matching::v3::ExtensionWithMatcher with;
  with.mutable_extension_config()->set_name("emissary.lower_case_authority");
  packAny(lua(code), with.mutable_extension_config()->mutable_typed_config());

  auto* matcher = with.mutable_xds_matcher()->mutable_matcher_list()->add_matchers();
  auto* upper = matcher->mutable_predicate()->mutable_not_matcher()->mutable_single_predicate();
  envoy::type::matcher::v3::HttpRequestHeaderMatchInput authority;
  authority.set_header_name(":authority");
  upper->mutable_input()->set_name("authority");
  packAny(authority, upper->mutable_input()->mutable_typed_config());
  upper->mutable_value_match()->mutable_safe_regex()->mutable_google_re2();
  upper->mutable_value_match()->mutable_safe_regex()->set_regex(".*[A-Z:].*");
  auto* skip = matcher->mutable_on_match()->mutable_action();
  skip->set_name("skip");
  packAny(envoy::extensions::filters::common::matcher::action::v3::SkipFilter(), skip->mutable_typed_config());

  addFilter("emissary.lower_case_authority", with, out);
}

// A name without a scope of its own is looked up among the wildcards. One look at the metadata only: Envoy's Lua keeps the first
// answer of a stream.
void wildcardFilter(HttpConnectionManager& out) {
  const std::string code = fmt::format(
      "function envoy_on_request(h)\n"
      "  h:route()\n"
      "  if h:virtualHost():metadata():get('{1}') == nil then\n"
      "    local headers = h:headers()\n"
      "    headers:replace('{0}', string.match(headers:get('{0}'), '^[^ ]* ') .. '*')\n"
      "    h:clearRouteCache()\n"
      "  end\n"
      "end\n",
      kScopeHeader, kScopeFound);
  addFilter(std::string(kScopeFilter), lua(code), out);
}

void scopedRoutes(const ir::Listener& listener, HttpConnectionManager& out) {
  envoy::extensions::http::early_header_mutation::header_mutation::v3::HeaderMutation mutation;
  auto* append = mutation.add_mutations()->mutable_append();
  append->mutable_header()->set_key(std::string(kScopeHeader));
  append->mutable_header()->set_value(scopeKey(listener.name, "%REQ(:AUTHORITY)%"));
  append->set_append_action(envoy::config::core::v3::HeaderValueOption::OVERWRITE_IF_EXISTS_OR_ADD);
  auto* early = out.add_early_header_mutation_extensions();
  early->set_name("emissary.scope_key");
  packAny(mutation, early->mutable_typed_config());

  auto* scoped = out.mutable_scoped_routes();
  scoped->set_name(listener.name);
  auto* extractor = scoped->mutable_scope_key_builder()->add_fragments()->mutable_header_value_extractor();
  extractor->set_name(std::string(kScopeHeader));
  extractor->set_index(0);
  adsSource(scoped->mutable_rds_config_source());
  adsSource(scoped->mutable_scoped_rds()->mutable_scoped_rds_config_source());

  lowerCaseFilter(out);
  wildcardFilter(out);
}

void headerCase(const model::HttpSettings& http, core_v3::Http1ProtocolOptions& out) {
  if (http.proper_case) {
    out.mutable_header_key_format()->mutable_proper_case_words();
  } else if (http.preserve_case) {
    preserveCase(out);
  }
}

void clientCertificate(const model::HttpSettings& http, HttpConnectionManager& out) {
  HttpConnectionManager::ForwardClientCertDetails forward{};
  if (HttpConnectionManager::ForwardClientCertDetails_Parse(http.forward_client_cert_details, &forward)) {
    out.set_forward_client_cert_details(forward);
  }
  for (const std::string& name : http.set_client_cert_details) {
    auto* details = out.mutable_set_current_client_cert_details();
    if (name == "subject") details->mutable_subject()->set_value(true);
    if (name == "cert") details->set_cert(true);
    if (name == "chain") details->set_chain(true);
    if (name == "dns") details->set_dns(true);
    if (name == "uri") details->set_uri(true);
  }
}

void protocol(const model::HttpSettings& http, HttpConnectionManager& out) {
  core_v3::Http1ProtocolOptions http1;
  http1.set_accept_http_10(http.accept_http_10);
  if (http.allow_chunked_length) http1.set_allow_chunked_length(*http.allow_chunked_length);
  headerCase(http, http1);
  if (http1.ByteSizeLong() > 0) *out.mutable_http_protocol_options() = http1;

  core_v3::HttpProtocolOptions common;
  if (http.listener_idle_timeout_ms) setMillis(*http.listener_idle_timeout_ms, common.mutable_idle_timeout());
  core_v3::HttpProtocolOptions::HeadersWithUnderscoresAction underscores{};
  if (core_v3::HttpProtocolOptions::HeadersWithUnderscoresAction_Parse(http.headers_with_underscores_action, &underscores)) {
    common.set_headers_with_underscores_action(underscores);
  }
  if (common.ByteSizeLong() > 0) *out.mutable_common_http_protocol_options() = common;
  if (http.max_request_headers_kb) out.mutable_max_request_headers_kb()->set_value(*http.max_request_headers_kb);
}

void requests(const ir::Listener& listener, HttpConnectionManager& out) {
  const model::HttpSettings& http = *listener.http;
  out.set_server_name(http.server_name);
  out.mutable_use_remote_address()->set_value(http.use_remote_address);
  if (listener.trusted_hops > 0) out.set_xff_num_trusted_hops(listener.trusted_hops);
  out.set_preserve_external_request_id(http.preserve_external_request_id);
  out.mutable_normalize_path()->set_value(true);
  out.set_merge_slashes(http.merge_slashes);
  if (http.reject_escaped_slashes) out.set_path_with_escaped_slashes_action(HttpConnectionManager::REJECT_REQUEST);
  out.set_strip_matching_host_port(http.strip_matching_host_port);
  // A client that sends its headers a byte at a time would hold a connection for ever.
  out.mutable_request_headers_timeout()->set_seconds(kRequestHeadersSeconds);
  if (listener.http2_max_concurrent_streams) {
    out.mutable_http2_protocol_options()->mutable_max_concurrent_streams()->set_value(*listener.http2_max_concurrent_streams);
  }
}

// In the order in which requests pass them.
void filters(const model::HttpSettings& http, const ir::EnvoyBuild& envoy, HttpConnectionManager& out) {
  // Always there, so that the first Mapping with cors drains no connection; first, since browsers send preflights without
  // credentials, and so that pages may read the answers of the other filters.
  if (envoy.has(ir::Extension::Cors))
    addFilter(std::string(kCorsFilter), ::envoy::extensions::filters::http::cors::v3::Cors(), out);
  grpcFilters(http, out);
  luaFilter(http, out);
  gzipFilter(http, out);
  bufferFilter(http, out);
  ipFilter(http, out);
  ::envoy::extensions::filters::http::router::v3::Router router;
  router.set_suppress_envoy_headers(http.suppress_envoy_headers);
  addFilter("envoy.filters.http.router", router, out);
}

}  // namespace

HttpConnectionManager httpConnectionManager(const ir::Listener& listener, const ir::FilterChain& chain,
                                            const ir::EnvoyBuild& envoy) {
  const model::HttpSettings& http = *listener.http;
  HttpConnectionManager out;
  out.set_stat_prefix(listener.stat_prefix);
  requests(listener, out);
  protocol(http, out);
  clientCertificate(http, out);
  accessLog(http.access_log, out.add_access_log());
  localReplies(http, out);
  if (chain.scopes.empty()) {
    out.mutable_rds()->set_route_config_name(chain.table);
    adsSource(out.mutable_rds()->mutable_config_source());
  } else {
    scopedRoutes(listener, out);
  }
  filters(http, envoy, out);
  return out;
}

}  // namespace emissary::generate
