#include "compile/mapping.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/lower.h"
#include "compile/route_policy.h"
#include "compile/upstream.h"
#include "compile/withheld.h"
#include "model/regex.h"

namespace emissary::compile {
namespace {

using ir::HostMatch;
using ir::StringMatch;

StringMatch stringMatch(const std::optional<std::string>& value, bool regex) {
  if (!value) return {StringMatch::Kind::Present, "", false};
  return {regex ? StringMatch::Kind::Regex : StringMatch::Kind::Exact, *value, false};
}

// hostname beats host beats an exact :authority header.
HostMatch hostMatch(const model::Mapping& mapping) {
  if (mapping.hostname) return {HostMatch::Kind::Glob, lower(*mapping.hostname)};
  if (mapping.host && mapping.host_regex) return {HostMatch::Kind::Regex, *mapping.host};
  if (mapping.host) return {HostMatch::Kind::Glob, lower(*mapping.host)};
  for (const model::ValueMatch& header : mapping.headers) {
    if (header.name == ":authority" && !header.regex && header.value) return {HostMatch::Kind::Glob, lower(*header.value)};
  }
  return {};
}

ir::Match match(const model::Mapping& mapping, const MappingResult& result) {
  ir::Match out;
  out.precedence = mapping.precedence;
  out.path_kind = mapping.prefix_regex ? ir::PathMatch::Regex : mapping.prefix_exact ? ir::PathMatch::Exact : ir::PathMatch::Prefix;
  out.path = mapping.prefix;
  out.case_sensitive = mapping.case_sensitive.value_or(true);
  for (const model::ValueMatch& header : mapping.headers) {
    if (header.name == ":authority" && !header.regex) continue;
    out.headers.push_back({lower(header.name), stringMatch(header.value, header.regex)});
  }
  std::stable_sort(out.headers.begin(), out.headers.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  out.host = hostMatch(mapping);
  if (mapping.method) out.method = stringMatch(mapping.method, mapping.method_regex);
  for (const model::ValueMatch& parameter : mapping.query_parameters) {
    out.query.push_back({parameter.name, stringMatch(parameter.value, parameter.regex)});
  }
  if (out.host.kind != HostMatch::Kind::Glob) out.labels = result.labels;
  return out;
}

void rewrites(const model::Mapping& mapping, ir::Leg& leg) {
  if (mapping.regex_rewrite) {
    leg.regex_rewrite = mapping.regex_rewrite;
  } else if (const std::string rewrite = mapping.rewrite.value_or("/"); !rewrite.empty()) {
    leg.prefix_rewrite = rewrite;
  }
  leg.host_rewrite = mapping.host_rewrite.value_or("");
  leg.auto_host_rewrite = mapping.auto_host_rewrite && leg.host_rewrite.empty();
}

// Envoy knows an upstream's name where it asks DNS; here DNS is asked for few, and the name is the same.
void autoHostRewrite(ir::Leg& leg) {
  if (!leg.auto_host_rewrite || !leg.upstream || leg.upstream->resolver != ir::Upstream::Resolver::Service) return;
  const std::string& host = leg.upstream->host;
  leg.host_rewrite = host.find(':') == std::string::npos ? host : "[" + host + "]";
  leg.auto_host_rewrite = false;
}

}  // namespace

Finding findingOn(const Object& object, Severity severity, std::string field, std::string message, About about) {
  return {severity, object.ref, std::move(field), std::move(message), object.path, object.line, about};
}

std::vector<std::pair<std::string, std::string>> projectLabels(const Labels& labels, const SelectorKeys& keys) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const std::string& key : keys) {
    if (const auto it = labels.find(key); it != labels.end()) out.emplace_back(it->first, it->second);
  }
  return out;
}

MappingResult compileMapping(const Object& object, const MappingContext& context) {
  MappingResult result;
  const std::optional<model::Mapping> reduced = withhold(object, context.installation.envoy, result.findings);
  const model::Mapping& mapping = reduced ? *reduced : std::get<model::Mapping>(object.spec);
  result.labels = projectLabels(object.labels, context.selector_keys);
  result.match = match(mapping, result);
  ir::Leg& leg = result.leg;
  leg.mapping = object.ref;
  leg.weight = mapping.weight;
  if (leg.weight && *leg.weight < 0) {
    result.findings.push_back(
        findingOn(object, Severity::Error, "spec.weight", fmt::format("is {}; write a percentage from 0 to 100", *leg.weight)));
    result.usable = false;
  }
  const model::RegexSize& regex = mapping.largest_regex;
  if (std::string problem = model::regexSizeProblem(regex.steps, context.module.regex_max_size); !problem.empty()) {
    problem += fmt::format(", or raise regex_max_size in the Module (up to {})", model::kMostRegexSteps);
    result.findings.push_back(findingOn(object, Severity::Error, regex.field, std::move(problem)));
    result.usable = false;
  }
  rewrites(mapping, leg);
  leg.timeout_ms = mapping.timeout_ms.value_or(context.module.cluster_request_timeout_ms.value_or(3000));
  leg.idle_timeout_ms = mapping.idle_timeout_ms;
  leg.upgrades = mapping.allow_upgrade;
  std::sort(leg.upgrades.begin(), leg.upgrades.end());
  leg.upgrades.erase(std::unique(leg.upgrades.begin(), leg.upgrades.end()), leg.upgrades.end());

  if (mapping.policy->host_redirect) {
    if (!compileRedirect(object, mapping, result)) result.usable = false;
  } else {
    UpstreamResult upstream = compileUpstream(object, upstreamRequest(mapping), context);
    if (upstream.unusable) result.usable = false;
    leg.upstream = std::move(upstream.upstream);
    autoHostRewrite(leg);
    std::move(upstream.findings.begin(), upstream.findings.end(), std::back_inserter(result.findings));
  }
  compileRoutePolicy(mapping, context, result);
  return result;
}

}  // namespace emissary::compile
