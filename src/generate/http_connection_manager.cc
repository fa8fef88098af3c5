#include "generate/http_connection_manager.h"

#include <envoy/extensions/access_loggers/stream/v3/stream.pb.h>
#include <envoy/extensions/common/matching/v3/extension_matcher.pb.h>
#include <envoy/extensions/filters/common/matcher/action/v3/skip_action.pb.h>
#include <envoy/extensions/filters/http/lua/v3/lua.pb.h>
#include <envoy/extensions/filters/http/router/v3/router.pb.h>
#include <envoy/extensions/http/early_header_mutation/header_mutation/v3/header_mutation.pb.h>
#include <envoy/type/matcher/v3/http_inputs.pb.h>
#include <fmt/format.h>

#include "generate/any.h"
#include "generate/common.h"
#include "generate/scope.h"

namespace emissary::generate {
namespace {

using envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;
using envoy::extensions::filters::network::http_connection_manager::v3::HttpFilter;

constexpr int kRequestHeadersSeconds = 30;

// Scripts parse this line: it is upstream's.
constexpr std::string_view kAccessLog =
    "ACCESS [%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% %RESPONSE_FLAGS% "
    "%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" "
    "\"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\"\n";

void accessLog(HttpConnectionManager& out) {
  envoy::extensions::access_loggers::stream::v3::StdoutAccessLog log;
  log.mutable_log_format()->mutable_text_format_source()->set_inline_string(std::string(kAccessLog));
  auto* entry = out.add_access_log();
  entry->set_name("envoy.access_loggers.stdout");
  packAny(log, entry->mutable_typed_config());
}

envoy::extensions::filters::http::lua::v3::Lua lua(std::string code) {
  envoy::extensions::filters::http::lua::v3::Lua out;
  out.mutable_default_source_code()->set_inline_string(std::move(code));
  return out;
}

// Scope keys are compared byte by byte, but host names do not depend on case.
void lowerCaseFilter(HttpConnectionManager& out) {
  const std::string code = fmt::format(
      "function envoy_on_request(h)\n"
      "  local headers = h:headers()\n"
      "  headers:replace('{0}', string.lower(headers:get('{0}')))\n"
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
  upper->mutable_value_match()->mutable_safe_regex()->set_regex(".*[A-Z].*");
  auto* skip = matcher->mutable_on_match()->mutable_action();
  skip->set_name("skip");
  packAny(envoy::extensions::filters::common::matcher::action::v3::SkipFilter(), skip->mutable_typed_config());

  HttpFilter* filter = out.add_http_filters();
  filter->set_name("emissary.lower_case_authority");
  packAny(with, filter->mutable_typed_config());
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
  HttpFilter* filter = out.add_http_filters();
  filter->set_name(std::string(kScopeFilter));
  packAny(lua(code), filter->mutable_typed_config());
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
  extractor->set_element_separator("\n");  // cannot occur: the whole value is the key
  extractor->set_index(0);
  adsSource(scoped->mutable_rds_config_source());
  adsSource(scoped->mutable_scoped_rds()->mutable_scoped_rds_config_source());

  lowerCaseFilter(out);
  wildcardFilter(out);
}

}  // namespace

HttpConnectionManager httpConnectionManager(const ir::Listener& listener, const ir::FilterChain& chain) {
  HttpConnectionManager out;
  out.set_stat_prefix(listener.stat_prefix);
  out.set_server_name("envoy");
  out.mutable_use_remote_address()->set_value(true);
  if (listener.trusted_hops > 0) out.set_xff_num_trusted_hops(listener.trusted_hops);
  out.mutable_normalize_path()->set_value(true);
  // A client that sends its headers a byte at a time would hold a connection for ever.
  out.mutable_request_headers_timeout()->set_seconds(kRequestHeadersSeconds);
  if (listener.http2_max_concurrent_streams) {
    out.mutable_http2_protocol_options()->mutable_max_concurrent_streams()->set_value(*listener.http2_max_concurrent_streams);
  }
  accessLog(out);
  if (chain.scopes.empty()) {
    out.mutable_rds()->set_route_config_name(chain.table);
    adsSource(out.mutable_rds()->mutable_config_source());
  } else {
    scopedRoutes(listener, out);
  }
  HttpFilter* router = out.add_http_filters();
  router->set_name("envoy.filters.http.router");
  packAny(envoy::extensions::filters::http::router::v3::Router(), router->mutable_typed_config());
  return out;
}

}  // namespace emissary::generate
