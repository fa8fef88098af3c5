#include "engine/policy_json.h"

#include <nlohmann/json.hpp>

namespace emissary::engine {
namespace {

using Json = nlohmann::ordered_json;

Json json(const model::RegexRewrite& rewrite) { return {{"pattern", rewrite.pattern}, {"substitution", rewrite.substitution}}; }

Json json(const ir::Redirect& redirect) {
  Json out = {{"status", redirect.status}, {"host", redirect.host}};
  if (!redirect.scheme.empty()) out["scheme"] = redirect.scheme;
  if (redirect.port) out["port"] = *redirect.port;
  if (redirect.path) out["path"] = *redirect.path;
  if (redirect.prefix_rewrite) out["prefix"] = *redirect.prefix_rewrite;
  if (redirect.regex_rewrite) out["regex"] = json(*redirect.regex_rewrite);
  return out;
}

Json json(const std::vector<model::HeaderValue>& headers) {
  Json out = Json::array();
  for (const model::HeaderValue& header : headers) {
    Json one = {{"name", header.name}, {"value", header.value}};
    if (!header.append) one["append"] = false;
    out.push_back(std::move(one));
  }
  return out;
}

Json json(const model::Cors& cors) {
  Json out = {{"origins", cors.origins}};
  if (!cors.methods.empty()) out["methods"] = cors.methods;
  if (!cors.headers.empty()) out["headers"] = cors.headers;
  if (!cors.exposed_headers.empty()) out["exposed_headers"] = cors.exposed_headers;
  if (cors.credentials) out["credentials"] = true;
  if (!cors.max_age.empty()) out["max_age"] = cors.max_age;
  return out;
}

Json json(const model::RetryPolicy& retry) {
  Json out = {{"retry_on", retry.retry_on}};
  if (retry.num_retries) out["num_retries"] = *retry.num_retries;
  if (retry.per_try_timeout_ms) out["per_try_timeout_ms"] = *retry.per_try_timeout_ms;
  if (!retry.retriable_status_codes.empty()) out["retriable_status_codes"] = retry.retriable_status_codes;
  if (retry.base_interval_ms) out["base_interval_ms"] = *retry.base_interval_ms;
  if (retry.max_interval_ms) out["max_interval_ms"] = *retry.max_interval_ms;
  return out;
}

Json json(const model::LoadBalancer& balancer) {
  using By = model::LoadBalancer::HashBy;
  switch (balancer.hash_by) {
    case By::Header: return {{"header", balancer.name}};
    case By::Cookie: return {{"cookie", balancer.name}};
    case By::SourceIp: return "source_ip";
    case By::Nothing: break;
  }
  return nullptr;
}

}  // namespace

void addPolicy(const ir::RoutePolicy& policy, Json& out) {
  if (policy.redirect) out["redirect"] = json(*policy.redirect);
  if (policy.cors) out["cors"] = json(*policy.cors);
  if (policy.retry_policy) out["retry_policy"] = json(*policy.retry_policy);
  if (policy.high_priority) out["priority"] = *policy.high_priority ? "high" : "default";
  if (policy.hash) out["hash"] = json(*policy.hash);
  if (!policy.add_request_headers.empty()) out["add_request_headers"] = json(policy.add_request_headers);
  if (!policy.add_response_headers.empty()) out["add_response_headers"] = json(policy.add_response_headers);
  if (!policy.remove_request_headers.empty()) out["remove_request_headers"] = policy.remove_request_headers;
  if (!policy.remove_response_headers.empty()) out["remove_response_headers"] = policy.remove_response_headers;
}

}  // namespace emissary::engine
