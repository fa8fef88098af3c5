#include "compile/upstream.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>

#include "base/fields_hash.h"
#include "compile/mapping.h"
#include "compile/origination.h"
#include "compile/service_text.h"
#include "compile/upstream_policy.h"

namespace emissary::compile {
namespace {

using Resolver = ir::Upstream::Resolver;

std::string sha1Upper(std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr);
  std::string out;
  for (unsigned int i = 0; i < size; ++i) out += fmt::format("{:02X}", digest[i]);
  return out;
}

std::string sanitized(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    const bool kept = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
    if (!kept) c = '_';
  }
  return out;
}

bool loopback(std::string_view host) {
  return host == "localhost" || host.starts_with("127.") || host == "::1" || host == "0.0.0.0" || host == "::" ||
         host.starts_with("::ffff:127.");
}

bool linkLocal(std::string_view host) {
  return host.starts_with("169.254.") || host.starts_with("::ffff:169.254.") || host.starts_with("fe8") ||
         host.starts_with("fe9") || host.starts_with("fea") || host.starts_with("feb");
}

// Our own admin ports and link-local addresses (cloud metadata) are not for Mapping authors.
bool forbidden(const ServiceText& service, uint16_t port, const Installation& installation) {
  if (service.ip && linkLocal(service.host)) return true;
  if (!loopback(service.host)) return false;
  for (const std::string& address : installation.forbidden_upstreams) {
    const size_t colon = address.rfind(':');
    if (colon != std::string::npos && address.substr(colon + 1) == std::to_string(port)) return true;
  }
  return false;
}

// The Kubernetes Service that a host name can mean: svc, svc.ns, svc.ns.svc[.cluster.local], each also with a dot at its end.
void nameService(ir::Upstream& upstream, std::string_view host, std::string_view default_namespace) {
  const bool absolute = host.ends_with('.');
  if (absolute) host.remove_suffix(1);
  const size_t first = host.find('.');
  if (first == std::string_view::npos && absolute && upstream.resolver == Resolver::Service) return;  // to DNS a top-level domain
  if (first == std::string_view::npos) {
    upstream.service_name = host;
    upstream.service_namespace = default_namespace;
    return;
  }
  const std::string_view rest = host.substr(first + 1);
  const size_t second = rest.find('.');
  const std::string_view tail = second == std::string_view::npos ? "" : rest.substr(second + 1);
  const bool kubernetes_name = tail.empty() || tail == "svc" || tail.starts_with("svc.");
  if (!kubernetes_name && upstream.resolver == Resolver::Service) return;
  upstream.service_name = host.substr(0, first);
  upstream.service_namespace = rest.substr(0, second);
}

}  // namespace

std::string clusterName(std::string_view joined) {
  const std::string name = sanitized(joined);
  if (name.size() <= 60) return name;
  return fmt::format("{}-{}", name.substr(0, 40), sha1Upper(name).substr(0, 16));
}

UpstreamRequest upstreamRequest(const model::Mapping& mapping) {
  UpstreamRequest out;
  out.service = mapping.service;
  out.resolver = mapping.resolver;
  out.tls = mapping.tls;
  out.host_rewrite = mapping.host_rewrite.value_or("");
  out.marker = mapping.policy->shadow ? "shadow" : mapping.cluster_tag;
  out.stats_name = mapping.stats_name;
  out.http2 = mapping.grpc;
  out.connect_timeout_ms = mapping.connect_timeout_ms;
  out.policy = mapping.policy;
  return out;
}

namespace {

class UpstreamCompiler {
 public:
  UpstreamCompiler(const Object& object, const UpstreamRequest& request, const MappingContext& context)
      : object_(object), request_(request), context_(context) {}

  UpstreamResult run() {
    ServiceTextResult parsed = parseServiceText(request_.service);
    if (!resolver()) {
      result_.unusable = true;
      return std::move(result_);
    }
    if (!parsed.error.empty()) {
      find(Severity::Error, "spec.service", fmt::format("{}. {}", parsed.error, request_.consequence));
      return std::move(result_);
    }
    service_ = std::move(parsed.value);
    if (!service_.remark.empty()) find(Severity::Notice, "spec.service", service_.remark);
    address();
    if (transport()) {
      settings();
      names();
      result_.upstream = std::move(upstream_);
    }
    return std::move(result_);
  }

 private:
  void find(Severity severity, std::string_view field, std::string message, About about = About::Content) {
    result_.findings.push_back(findingOn(object_, severity, std::string(field), std::move(message), about));
  }

  // False, with a finding: the object is not to be used.
  bool resolver() {
    const std::string name = request_.resolver.value_or(context_.module.resolver.value_or("kubernetes-service"));
    const std::optional<Kind> kind = context_.resolver(name, object_.ref.ns);
    if (!kind || *kind == Kind::ConsulResolver) {
      find(Severity::Error, "spec.resolver",
           kind ? fmt::format("\"{}\" is a ConsulResolver, which this version does not support", name)
                : fmt::format("\"{}\"{} is unknown; write kubernetes-service, endpoint, or the name of a resolver object", name,
                              request_.resolver ? "" : ", which the Module names,"),
           kind ? About::Unsupported : About::MissingReference);
      return false;
    }
    const bool endpoints = *kind == Kind::KubernetesEndpointResolver;
    upstream_.resolver = endpoints ? Resolver::Endpoint : Resolver::Service;
    if (request_.resolver) {
      const auto standard = context_.resolver(context_.module.resolver.value_or("kubernetes-service"), object_.ref.ns);
      keepOwn(own_endpoints_, std::optional(endpoints), false, standard == Kind::KubernetesEndpointResolver);
    }
    if (!request_.policy->load_balancer) return true;
    if (upstream_.resolver == Resolver::Service) {
      find(Severity::Error, "spec.load_balancer",
           fmt::format("needs the endpoints of its service, which the resolver \"{}\" does not look at; write resolver: endpoint",
                       name));
      return false;
    }
    if (!context_.installation.load_balancers) {
      find(Severity::Error, "spec.load_balancer",
           "is not used, because AMBASSADOR_DISABLE_ENDPOINTS is set; requests go to the endpoints in turn");
    }
    return true;
  }

  // The name or address, qualified. The port waits for what TLS says.
  void address() {
    const Installation& installation = context_.installation;
    const bool elsewhere = object_.ref.ns != installation.ns && !context_.module.use_ambassador_namespace_for_service_resolution;
    const bool bare = service_.host.find_first_of(".:") == std::string::npos && service_.host != "localhost";
    upstream_.host = service_.host;
    if (bare && elsewhere) upstream_.host += "." + object_.ref.ns;
    if (!service_.ip && service_.host != "localhost")
      nameService(upstream_, upstream_.host, elsewhere ? object_.ref.ns : installation.ns);
  }

  // TLS, and with it the port. False, with a finding: it cannot be used.
  bool transport() {
    const FindingSink sink = [this](Severity severity, std::string_view field, std::string message, About about) {
      find(severity, field, std::move(message), about);
    };
    Origination origination = originate(object_, request_, service_.scheme, upstream_.host, context_, sink);
    if (origination.failed) return false;
    upstream_.tls = std::move(origination.tls);
    tls_context_ = std::move(origination.context);
    upstream_.port = service_.port.value_or(upstream_.tls ? 443 : 80);
    if (!forbidden(service_, upstream_.port, context_.installation)) return true;
    find(Severity::Error, "spec.service",
         fmt::format("\"{}\" is an address of the gateway's own administration or link-local, which no Mapping may reach. {}",
                     request_.service.substr(0, 200), request_.consequence));
    return false;
  }

  void settings() {
    upstream_.http2 = request_.http2;
    upstream_.connect_timeout_ms = request_.connect_timeout_ms.value_or(kDefaultConnectTimeoutMs);
    ir::UpstreamPolicy policy = upstreamPolicy(request_, context_.module, context_.installation.load_balancers);
    if (!upstream_.http2) leaveOutGrpcChecks(policy);
    if (policy != ir::UpstreamPolicy()) upstream_.policy.edit() = std::move(policy);
  }

  // Envoy refuses a cluster that asks by gRPC and speaks HTTP/1.1.
  void leaveOutGrpcChecks(ir::UpstreamPolicy& policy) {
    if (std::erase_if(policy.health_checks, [](const model::HealthCheck& check) { return check.grpc; }) == 0) return;
    find(Severity::Error, "spec.health_checks", "a check by grpc needs grpc: true beside it; it is left out");
  }

  void names() {
    const std::string host = service_.host.find(':') != std::string::npos ? "[" + upstream_.host + "]" : upstream_.host;
    const std::string place = service_.port ? fmt::format("{}:{}", host, *service_.port) : host;
    const std::string& stats = request_.stats_name.empty() ? context_.module.stats_name : request_.stats_name;
    upstream_.stat_name = stats.empty() ? sanitized(place) : stats;

    std::string joined = "cluster";
    const auto append = [&](std::string_view part) {
      joined += '_';
      joined += part;
    };
    const std::string rewritten = upstream_.tls && !request_.host_rewrite.empty() ? "hr-" + request_.host_rewrite : "";
    if (!request_.marker.empty()) append(request_.marker);
    append((service_.scheme.empty() ? "" : service_.scheme + "://") + place);
    if (upstream_.tls) append("otls");
    if (!tls_context_.empty() && service_.scheme.empty()) append(*request_.tls);
    if (!rewritten.empty()) append(rewritten);
    append(object_.ref.ns);
    joined += policyTags(*upstream_.policy, loadBalancerOf(request_, context_.module, context_.installation.load_balancers));
    upstream_.base_name = clusterName(joined);

    OwnSettings own = ownSettings(request_, context_.module);
    // A load_balancer is part of the name, and goes with endpoints alone.
    const bool own_balancer = request_.policy->load_balancer && context_.installation.load_balancers;
    if (!own_balancer) own.endpoints = own_endpoints_;
    if (!service_.scheme.empty()) own.tls_context = tls_context_;
    upstream_.tagged = own != OwnSettings();
    FieldsHash hash;
    hash.add(own);
    for (const std::string& text : {upstream_.host, tls_context_, rewritten}) hash.add(text);
    hash.add(upstream_.port);
    hash.add(own_balancer);
    upstream_.name_hash = hash.hash().hex();
  }

  const Object& object_;
  const UpstreamRequest& request_;
  const MappingContext& context_;
  ServiceText service_;
  std::string tls_context_;
  std::optional<bool> own_endpoints_;
  ir::Upstream upstream_;
  UpstreamResult result_;
};

}  // namespace

UpstreamResult compileUpstream(const Object& object, const UpstreamRequest& request, const MappingContext& context) {
  return UpstreamCompiler(object, request, context).run();
}

}  // namespace emissary::compile
