#include "compile/tcp.h"

#include <fmt/format.h>

#include <algorithm>

#include "compile/canary.h"
#include "compile/secret_name.h"
#include "compile/upstream.h"

namespace emissary::compile {
namespace {

/// The field in which two members of a group differ that have one connection setup; "" when they agree.
std::string_view difference(const model::TcpMapping& a, const model::TcpMapping& b) {
  if (a.tls_passthrough != b.tls_passthrough) return "metadata.annotations";
  if (a.tls != b.tls) return "spec.tls";
  if (a.circuit_breakers != b.circuit_breakers) return "spec.circuit_breakers";
  if (a.enable_ipv4 != b.enable_ipv4) return "spec.enable_ipv4";
  if (a.enable_ipv6 != b.enable_ipv6) return "spec.enable_ipv6";
  if (a.idle_timeout_ms != b.idle_timeout_ms) return "spec.idle_timeout_ms";
  return "";
}

UpstreamRequest upstreamRequest(const model::TcpMapping& mapping) {
  UpstreamRequest request;
  request.service = mapping.service;
  request.resolver = mapping.resolver;
  request.tls = mapping.tls;
  request.marker = mapping.cluster_tag;
  request.stats_name = mapping.stats_name;
  request.consequence = "The TCPMapping is not used";
  if (mapping.circuit_breakers || mapping.enable_ipv4 || mapping.enable_ipv6) {
    model::MappingPolicy& policy = request.policy.edit();
    policy.circuit_breakers = mapping.circuit_breakers;
    policy.enable_ipv4 = mapping.enable_ipv4;
    policy.enable_ipv6 = mapping.enable_ipv6;
  }
  return request;
}

// As a Host would terminate it that names the context and its secret: one set of rules decides who may connect.
TcpTermination terminate(const ObjectPtr& context, const HostLookups& lookups) {
  const auto& spec = std::get<model::TlsContext>(context->spec);
  if (spec.secret.empty()) return {std::nullopt, fmt::format("{} names no secret", context->ref.text())};
  model::Host host;
  host.hostname = spec.hosts.front();
  host.tls_context = context->ref.name;
  const SecretName secret = secretName(spec.secret, context->ref.ns, spec.secret_namespacing.value_or(lookups.secret_namespacing));
  host.tls_secret_name = secret.name;
  host.tls_secret_namespace = secret.ns;
  Object object;
  object.ref = {Kind::Host, context->ref.ns, context->ref.name};
  object.spec = std::move(host);
  HostLookups own = lookups;
  own.tls_context = [&](std::string_view, std::string_view) { return context; };
  HostResult made = compileHost(object, own);
  if (made.host) return {std::move(made.host->tls), ""};
  std::string why = "see there";
  for (const Finding& finding : made.findings) {
    if (finding.severity == Severity::Error) why = finding.message.substr(0, finding.message.find(". The Host is not served"));
  }
  return {std::nullopt, fmt::format("{} cannot be used: {}", context->ref.text(), why)};
}

/// Shares as small numbers where whole percentages tell them.
void setWeights(std::vector<ir::TcpProxy::Target>& targets) {
  constexpr uint32_t kPercent = kAllRequests / 100;
  const bool whole = std::all_of(targets.begin(), targets.end(), [](const auto& t) { return t.weight % kPercent == 0; });
  for (ir::TcpProxy::Target& target : targets) target.weight /= whole ? kPercent : 1;
}

}  // namespace

TcpMappingResult compileTcpMapping(const Object& object, const MappingContext& context) {
  const auto& mapping = std::get<model::TcpMapping>(object.spec);
  TcpMappingResult result;
  result.key = {mapping.address.empty() ? context.installation.bind_address : mapping.address, mapping.port, mapping.host};
  UpstreamResult upstream = compileUpstream(object, upstreamRequest(mapping), context);
  if (!upstream.unusable) result.upstream = std::move(upstream.upstream);
  result.findings = std::move(upstream.findings);
  const ir::EnvoyBuild& envoy = context.installation.envoy;
  for (const ir::Extension needed : {ir::Extension::TcpProxy, ir::Extension::TlsInspector}) {
    if (envoy.has(needed) || (needed == ir::Extension::TlsInspector && mapping.host.empty())) continue;
    result.findings.push_back(findingOn(object, Severity::Error, needed == ir::Extension::TcpProxy ? "" : "spec.host",
                                        envoy.lacks(needed) + ", so the TCPMapping is not used; run an Envoy that has it",
                                        About::Unsupported));
    result.upstream.reset();
  }
  return result;
}

TcpGroup compileTcpGroup(const TcpKey& key, const std::vector<TcpMember>& members, TcpTermination termination) {
  TcpGroup group;
  group.key = key;
  group.termination = std::move(termination);
  const Object& first = *members.front().object;
  const auto& leading = std::get<model::TcpMapping>(first.spec);
  group.passthrough = leading.tls_passthrough;
  group.idle_timeout_ms = leading.idle_timeout_ms;
  std::vector<const TcpMember*> used;
  std::vector<ir::Leg> legs;
  for (const TcpMember& member : members) {
    const Object& object = *member.object;
    const auto& mapping = std::get<model::TcpMapping>(object.spec);
    if (const std::string_view field = difference(mapping, leading); !field.empty()) {
      group.refused.insert(object.ref);
      group.findings.push_back(findingOn(object, Severity::Error, std::string(field),
                                         fmt::format("differs from that of {}, which takes the same connections; the TCPMapping is "
                                                     "not used. Write the same in both",
                                                     first.ref.text()),
                                         About::Conflict));
      continue;
    }
    group.mappings.push_back(object.ref);
    if (member.cluster.empty()) continue;
    used.push_back(&member);
    legs.emplace_back().weight = mapping.weight;
  }
  if (legs.empty()) return group;
  const SharesResult split = shares(legs);
  for (const auto& problem : split.problems) {
    group.findings.push_back(findingOn(*used[problem.leg]->object, problem.severity, std::string(problem.field), problem.message));
  }
  uint32_t before = 0;
  for (const Share& share : split.shares) {
    const TcpMember& member = *used[share.leg];
    group.targets.push_back({member.cluster, share.cumulative - before, member.object->ref});
    before = share.cumulative;
  }
  setWeights(group.targets);
  return group;
}

TcpTermination terminationByContext(const std::vector<ObjectPtr>& contexts, const HostLookups& lookups) {
  TcpTermination result;
  for (const ObjectPtr& context : contexts) {
    TcpTermination made = terminate(context, lookups);
    if (made.tls) return made;
    if (result.problem.empty()) result.problem = std::move(made.problem);
  }
  return result;
}

}  // namespace emissary::compile
