#include "compile/route_policy.h"

#include <fmt/format.h>

#include <algorithm>

#include "compile/mapping.h"
#include "compile/service_text.h"

namespace emissary::compile {
namespace {

constexpr std::string_view kLinkerd = "l5d-dst-override";

bool hashes(const model::LoadBalancer& balancer) { return balancer.hash_by != model::LoadBalancer::HashBy::Nothing; }

/// The Mapping's where it says something, be it nothing.
template <typename T>
const T& orElse(const std::optional<T>& own, const std::optional<T>& module) {
  static const T kNone{};
  return own ? *own : module ? *module : kNone;
}

/// Linkerd routes by this header: the service as a name in the cluster.
void addLinkerd(const ir::Upstream& upstream, std::vector<model::HeaderValue>& headers) {
  const auto at = std::lower_bound(headers.begin(), headers.end(), kLinkerd, [](const auto& a, auto b) { return a.name < b; });
  if (at != headers.end() && at->name == kLinkerd) return;  // the Mapping knows better
  std::string host;
  for (const char c : upstream.host) host += c == '%' ? "%%" : std::string(1, c);
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  headers.insert(at, {std::string(kLinkerd), fmt::format("{}:{}", host, upstream.port), false});
}

}  // namespace

bool compileRedirect(const Object& object, const model::Mapping& mapping, MappingResult& result) {
  const ServiceTextResult parsed = parseServiceText(mapping.service);
  if (!parsed.error.empty()) {
    result.findings.push_back(findingOn(object, Severity::Error, "spec.service", parsed.error + ". Nothing is redirected"));
    return false;
  }
  const ServiceText& service = parsed.value;
  if (!service.remark.empty()) {
    result.findings.push_back(findingOn(object, Severity::Notice, "spec.service",
                                        "the path and query of a service are ignored; write path_redirect or prefix_redirect"));
  }
  ir::Redirect redirect;
  redirect.scheme = service.scheme;
  redirect.host = service.host.find(':') != std::string::npos ? "[" + service.host + "]" : service.host;
  redirect.port = service.port;
  redirect.path = mapping.policy->path_redirect;
  redirect.prefix_rewrite = mapping.policy->prefix_redirect;
  redirect.regex_rewrite = mapping.policy->regex_redirect;
  redirect.status = mapping.policy->redirect_response_code;
  result.leg.policy.edit().redirect = std::move(redirect);
  return true;
}

void compileRoutePolicy(const model::Mapping& mapping, const MappingContext& context, MappingResult& result) {
  const model::MappingPolicy& own = *mapping.policy;
  const model::Module& module = context.module;
  ir::RoutePolicy out = *result.leg.policy;
  out.shadow = own.shadow;
  out.cors = own.cors ? own.cors : module.cors;
  out.add_request_headers = orElse(own.add_request_headers, module.add_request_headers);
  out.add_response_headers = orElse(own.add_response_headers, module.add_response_headers);
  out.remove_request_headers = orElse(own.remove_request_headers, module.remove_request_headers);
  out.remove_response_headers = orElse(own.remove_response_headers, module.remove_response_headers);
  out.high_priority = own.high_priority;
  if (!out.redirect) {
    out.retry_policy = own.retry_policy ? own.retry_policy : module.retry_policy;
    const auto& balancer = own.load_balancer ? own.load_balancer : module.load_balancer;
    if (balancer && hashes(*balancer)) out.hash = balancer;
    if (own.add_linkerd_headers.value_or(module.add_linkerd_headers) && result.leg.upstream) {
      addLinkerd(*result.leg.upstream, out.add_request_headers);
    }
  }
  if (out != ir::RoutePolicy()) result.leg.policy.edit() = std::move(out);
}

}  // namespace emissary::compile
