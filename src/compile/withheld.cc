#include "compile/withheld.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "compile/mapping.h"

namespace emissary::compile {
namespace {

using ir::Extension;
using Policy = model::LoadBalancer::Policy;

std::optional<Extension> extensionOf(Policy policy) {
  switch (policy) {
    case Policy::RoundRobin: break;
    case Policy::LeastRequest: return Extension::LeastRequest;
    case Policy::RingHash: return Extension::RingHash;
    case Policy::Maglev: return Extension::Maglev;
  }
  return std::nullopt;
}

std::optional<Extension> missingPolicy(const std::optional<model::LoadBalancer>& balancer, const ir::EnvoyBuild& envoy) {
  const auto extension = balancer ? extensionOf(balancer->policy) : std::nullopt;
  return extension && !envoy.has(*extension) ? extension : std::nullopt;
}

class Teller {
 public:
  Teller(const Object& object, const ir::EnvoyBuild& envoy, std::string prefix, std::vector<Finding>& findings)
      : object_(object), envoy_(envoy), prefix_(std::move(prefix)), findings_(findings) {}

  void tell(std::string_view field, Extension lacking, std::string_view consequence) {
    findings_.push_back(
        findingOn(object_, Severity::Error, prefix_ + std::string(field),
                  fmt::format("{}, so {}; run an Envoy that has it, or remove the field", envoy_.lacks(lacking), consequence),
                  About::Unsupported));
  }
  /// Tell where `used` and one of `needed` is missing; whether it was told.
  bool check(bool used, std::string_view field, std::initializer_list<Extension> needed,
             std::string_view consequence = "it is left out") {
    if (!used) return false;
    for (const Extension extension : needed) {
      if (envoy_.has(extension)) continue;
      tell(field, extension, consequence);
      return true;
    }
    return false;
  }

 private:
  const Object& object_;
  const ir::EnvoyBuild& envoy_;
  const std::string prefix_;
  std::vector<Finding>& findings_;
};

bool toFile(const std::string& path) {
  static constexpr std::string_view kStreams[] = {"/dev/fd/1", "/dev/fd/2", "/dev/stderr", "/dev/stdout"};
  return std::find(std::begin(kStreams), std::end(kStreams), path) == std::end(kStreams);
}

constexpr std::string_view kByTurns = "endpoints are taken by turns";

void withholdFilters(model::HttpSettings& http, Teller& teller) {
  if (teller.check(!http.lua_scripts.empty(), "lua_scripts", {Extension::Lua})) http.lua_scripts.clear();
  if (teller.check(http.gzip.has_value(), "gzip", {Extension::Compressor, Extension::Gzip})) http.gzip.reset();
  if (teller.check(http.buffer_max_request_bytes.has_value(), "buffer", {Extension::Buffer})) http.buffer_max_request_bytes.reset();
  if (teller.check(http.grpc_http1_bridge, "enable_grpc_http11_bridge", {Extension::GrpcHttp1Bridge}))
    http.grpc_http1_bridge = false;
  if (teller.check(http.grpc_web, "enable_grpc_web", {Extension::GrpcWeb})) http.grpc_web = false;
  if (teller.check(http.grpc_stats.has_value(), "grpc_stats", {Extension::GrpcStats})) http.grpc_stats.reset();
  if (teller.check(http.preserve_case, "header_case_overrides", {Extension::PreserveCase})) http.preserve_case = false;
  if (http.ip_rules) {
    teller.check(true, http.ip_rules->allow ? "ip_allow" : "ip_deny", {Extension::Rbac}, "no Listener for HTTP is opened");
  }
}

}  // namespace

std::optional<model::Mapping> withhold(const Object& object, const ir::EnvoyBuild& envoy, std::vector<Finding>& findings) {
  if (envoy.complete()) return std::nullopt;
  const size_t before = findings.size();
  auto mapping = std::get<model::Mapping>(object.spec);
  Teller teller(object, envoy, "spec.", findings);
  if (teller.check(mapping.policy->cors.has_value(), "cors", {Extension::Cors})) mapping.policy.edit().cors.reset();
  if (teller.check(mapping.policy->respect_dns_ttl, "respect_dns_ttl", {Extension::DnsCluster})) {
    mapping.policy.edit().respect_dns_ttl = false;
  }
  if (const auto missing = missingPolicy(mapping.policy->load_balancer, envoy)) {
    teller.tell("load_balancer", *missing, kByTurns);
    mapping.policy.edit().load_balancer = model::LoadBalancer();  // not the Module's, which was not asked for
  }
  const auto unknown = [&](const model::HealthCheck& check) {
    return !envoy.has(check.grpc ? Extension::GrpcHealthCheck : Extension::HttpHealthCheck);
  };
  const auto& checks = mapping.policy->health_checks;
  if (const auto first = std::find_if(checks.begin(), checks.end(), unknown); first != checks.end()) {
    teller.tell("health_checks", first->grpc ? Extension::GrpcHealthCheck : Extension::HttpHealthCheck, "such checks are left out");
    std::erase_if(mapping.policy.edit().health_checks, unknown);
  }
  if (envoy.one_health_check && mapping.policy->health_checks.size() > 1) {
    findings.push_back(
        findingOn(object, Severity::Error, "spec.health_checks",
                  envoy.called() + " takes one check only, so the first is made; run Envoy 1.40 or newer, or remove the others",
                  About::Unsupported));
    mapping.policy.edit().health_checks.resize(1);
  }
  return findings.size() > before ? std::optional(std::move(mapping)) : std::nullopt;
}

void withhold(const Object& object, const ir::EnvoyBuild& envoy, Boxed<model::Module>& module, std::vector<Finding>& findings) {
  if (envoy.complete() || module.untouched()) return;
  model::Module& out = module.edit();
  Teller teller(object, envoy, "spec.config.", findings);
  withholdFilters(out.http, teller);
  model::AccessLog& log = out.http.access_log;
  if (teller.check(toFile(log.path), "envoy_log_path", {Extension::FileLog}, "the log goes to the standard output")) {
    log.path = model::AccessLog().path;
  }
  if (teller.check(out.cors.has_value(), "cors", {Extension::Cors})) out.cors.reset();
  if (const auto missing = missingPolicy(out.load_balancer, envoy)) {
    teller.tell("load_balancer", *missing, kByTurns);
    out.load_balancer.reset();
  }
}

std::optional<Withheld> withheld(const model::Listener& listener, const model::HttpSettings& http, const ir::EnvoyBuild& envoy) {
  using Layer = model::Listener::Layer;
  const auto not_opened = [&](std::string field, Extension lacking, std::string_view for_what) {
    return Withheld{std::move(field), fmt::format("{}, which {} takes; the Listener is not opened. Run an Envoy that has it",
                                                  envoy.lacks(lacking), for_what)};
  };
  if (listener.has(Layer::PROXY) && !envoy.has(Extension::ProxyProtocol)) {
    return not_opened("spec.protocolStack", Extension::ProxyProtocol, "the PROXY protocol");
  }
  if (listener.has(Layer::TLS) && !envoy.has(Extension::TlsInspector)) {
    return not_opened("spec.protocolStack", Extension::TlsInspector, "TLS");
  }
  if (listener.has(Layer::HTTP) && http.ip_rules && !envoy.has(Extension::Rbac)) {
    return not_opened("", Extension::Rbac, http.ip_rules->allow ? "the Module's ip_allow" : "the Module's ip_deny");
  }
  return std::nullopt;
}

bool findsScopes(const ir::EnvoyBuild& envoy) {
  return envoy.has(Extension::EarlyHeaderMutation) && envoy.has(Extension::Lua) && envoy.has(Extension::MatchDelegate) &&
         envoy.has(Extension::HeaderInput);
}

}  // namespace emissary::compile
