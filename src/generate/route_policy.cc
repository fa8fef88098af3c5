#include "generate/route_policy.h"

#include <envoy/config/route/v3/route_components.pb.h>
#include <envoy/extensions/filters/http/cors/v3/cors.pb.h>
#include <fmt/format.h>

#include "generate/any.h"
#include "generate/common.h"
#include "model/text.h"

namespace emissary::generate {
namespace {

namespace route_v3 = envoy::config::route::v3;
using envoy::config::core::v3::HeaderValueOption;

template <typename Headers>
void addHeaders(const std::vector<model::HeaderValue>& headers, Headers* out) {
  for (const model::HeaderValue& header : headers) {
    HeaderValueOption* option = out->Add();
    option->mutable_header()->set_key(header.name);
    option->mutable_header()->set_value(header.value);
    option->set_append_action(header.append ? HeaderValueOption::APPEND_IF_EXISTS_OR_ADD
                                            : HeaderValueOption::OVERWRITE_IF_EXISTS_OR_ADD);
  }
}

// A lone "*" is text to Envoy's matcher, and any origin to its filter.
ir::StringMatch originMatch(const std::string& origin) {
  using Kind = ir::StringMatch::Kind;
  const size_t star = origin.find('*');
  if (star == std::string::npos || origin == "*") return {Kind::Exact, origin, false};
  if (star == origin.rfind('*')) {
    if (star == 0) return {Kind::Suffix, origin.substr(1), false};
    if (star + 1 == origin.size()) return {Kind::Prefix, origin.substr(0, star), false};
  }
  return {Kind::Regex, model::globRegex(origin), false};
}

void cors(const model::Cors& cors, route_v3::Route& out) {
  envoy::extensions::filters::http::cors::v3::CorsPolicy policy;
  for (const std::string& origin : cors.origins) stringMatcher(originMatch(origin), policy.add_allow_origin_string_match());
  policy.set_allow_methods(fmt::format("{}", fmt::join(cors.methods, ", ")));
  policy.set_allow_headers(fmt::format("{}", fmt::join(cors.headers, ", ")));
  policy.set_expose_headers(fmt::format("{}", fmt::join(cors.exposed_headers, ", ")));
  policy.set_max_age(cors.max_age);
  if (cors.credentials) policy.mutable_allow_credentials()->set_value(true);
  packAny(policy, &(*out.mutable_typed_per_filter_config())[std::string(kCorsFilter)]);
}

void retry(const model::RetryPolicy& retry, route_v3::RetryPolicy* out) {
  out->set_retry_on(retry.retry_on);
  if (retry.num_retries) out->mutable_num_retries()->set_value(*retry.num_retries);
  if (retry.per_try_timeout_ms) setMillis(*retry.per_try_timeout_ms, out->mutable_per_try_timeout());
  for (const uint32_t code : retry.retriable_status_codes) out->add_retriable_status_codes(code);
  if (!retry.base_interval_ms) return;
  setMillis(*retry.base_interval_ms, out->mutable_retry_back_off()->mutable_base_interval());
  if (retry.max_interval_ms) setMillis(*retry.max_interval_ms, out->mutable_retry_back_off()->mutable_max_interval());
}

void hash(const model::LoadBalancer& balancer, route_v3::RouteAction::HashPolicy* out) {
  using By = model::LoadBalancer::HashBy;
  switch (balancer.hash_by) {
    case By::Nothing: break;
    case By::Header: out->mutable_header()->set_header_name(balancer.name); break;
    case By::SourceIp: out->mutable_connection_properties()->set_source_ip(true); break;
    case By::Cookie:
      out->mutable_cookie()->set_name(balancer.name);
      out->mutable_cookie()->set_path(balancer.cookie_path);
      if (balancer.cookie_ttl_ms) setMillis(*balancer.cookie_ttl_ms, out->mutable_cookie()->mutable_ttl());
      break;
  }
}

route_v3::RedirectAction::RedirectResponseCode redirectCode(uint32_t status) {
  switch (status) {
    case 302: return route_v3::RedirectAction::FOUND;
    case 303: return route_v3::RedirectAction::SEE_OTHER;
    case 307: return route_v3::RedirectAction::TEMPORARY_REDIRECT;
    case 308: return route_v3::RedirectAction::PERMANENT_REDIRECT;
    default: return route_v3::RedirectAction::MOVED_PERMANENTLY;
  }
}

}  // namespace

void redirectAction(const ir::Redirect& redirect, route_v3::RedirectAction* out) {
  out->set_host_redirect(redirect.host);
  if (!redirect.scheme.empty()) out->set_scheme_redirect(redirect.scheme);
  if (redirect.port) out->set_port_redirect(*redirect.port);
  if (redirect.path) out->set_path_redirect(*redirect.path);
  if (redirect.prefix_rewrite) out->set_prefix_rewrite(*redirect.prefix_rewrite);
  if (redirect.regex_rewrite) {
    out->mutable_regex_rewrite()->mutable_pattern()->set_regex(redirect.regex_rewrite->pattern);
    out->mutable_regex_rewrite()->set_substitution(redirect.regex_rewrite->substitution);
  }
  out->set_response_code(redirectCode(redirect.status));
}

void actionPolicy(const ir::RoutePolicy& policy, route_v3::RouteAction* out) {
  if (policy.retry_policy) retry(*policy.retry_policy, out->mutable_retry_policy());
  if (policy.high_priority.value_or(false)) out->set_priority(envoy::config::core::v3::HIGH);
  if (policy.hash) hash(*policy.hash, out->add_hash_policy());
}

void routePolicy(const ir::RoutePolicy& policy, route_v3::Route& out) {
  addHeaders(policy.add_request_headers, out.mutable_request_headers_to_add());
  addHeaders(policy.add_response_headers, out.mutable_response_headers_to_add());
  for (const std::string& name : policy.remove_request_headers) out.add_request_headers_to_remove(name);
  for (const std::string& name : policy.remove_response_headers) out.add_response_headers_to_remove(name);
  if (policy.cors) cors(*policy.cors, out);
}

void mirrorPolicy(const Mirror& mirror, route_v3::RouteAction* out) {
  auto* policy = out->add_request_mirror_policies();
  policy->set_cluster(mirror.cluster);
  policy->mutable_runtime_fraction()->mutable_default_value()->set_numerator(mirror.percent);
}

}  // namespace emissary::generate
