#include "compile/upstream.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>

#include "compile/mapping.h"
#include "compile/service_text.h"

namespace emissary::compile {
namespace {

using Resolver = ir::Upstream::Resolver;

constexpr int64_t kDefaultConnectTimeoutMs = 3000;

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

// The Kubernetes Service that a host name can mean: svc, svc.ns, svc.ns.svc[.cluster.local].
void nameService(ir::Upstream& upstream, std::string_view host, std::string_view default_namespace) {
  const size_t first = host.find('.');
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

UpstreamResult compileUpstream(const Object& object, const UpstreamRequest& request, const MappingContext& context) {
  const Installation& installation = context.installation;
  UpstreamResult result;
  const auto find = [&](Severity severity, std::string_view field, std::string message) {
    result.findings.push_back(findingOn(object, severity, std::string(field), std::move(message)));
  };

  const std::string resolver_name = request.resolver.value_or(context.module.resolver.value_or("kubernetes-service"));
  const std::optional<Kind> resolver = context.resolver(resolver_name, object.ref.ns);
  if (!resolver || *resolver == Kind::ConsulResolver) {
    find(Severity::Error, "spec.resolver",
         resolver ? fmt::format("\"{}\" is a ConsulResolver, which this version does not support", resolver_name)
                  : fmt::format("\"{}\" is unknown; write kubernetes-service, endpoint, or the name of a resolver object",
                                resolver_name));
    result.unusable = true;
    return result;
  }

  ServiceTextResult parsed = parseServiceText(request.service);
  if (!parsed.error.empty()) {
    find(Severity::Error, "spec.service", fmt::format("{}. {}", parsed.error, request.consequence));
    return result;
  }
  const ServiceText& service = parsed.value;
  if (!service.remark.empty()) find(Severity::Notice, "spec.service", service.remark);
  if (request.tls && !request.tls->empty()) {
    find(Severity::Error, "spec.tls",
         fmt::format("is not acted on in this version. {} rather than sent with other TLS settings than asked for",
                     request.consequence));
    return result;
  }

  ir::Upstream upstream;
  if (service.scheme == "https") upstream.tls.emplace();
  upstream.port = service.port.value_or(upstream.tls ? 443 : 80);
  upstream.resolver = *resolver == Kind::KubernetesEndpointResolver ? Resolver::Endpoint : Resolver::Service;
  upstream.host = service.host;
  if (forbidden(service, upstream.port, installation)) {
    find(Severity::Error, "spec.service",
         fmt::format("\"{}\" is an address of the gateway's own administration or link-local, which no Mapping may reach. {}",
                     request.service.substr(0, 200), request.consequence));
    return result;
  }
  const bool bare = service.host.find_first_of(".:") == std::string::npos && service.host != "localhost";
  if (bare && object.ref.ns != installation.ns) upstream.host += "." + object.ref.ns;
  if (!service.ip && service.host != "localhost") nameService(upstream, upstream.host, installation.ns);

  upstream.http2 = request.http2;
  upstream.connect_timeout_ms = request.connect_timeout_ms.value_or(kDefaultConnectTimeoutMs);
  const std::string host_text = service.host.find(':') != std::string::npos ? "[" + upstream.host + "]" : upstream.host;
  const std::string port_text = service.port ? fmt::format(":{}", *service.port) : "";
  upstream.stat_name = request.stats_name.empty() ? sanitized(host_text + port_text) : request.stats_name;
  if (upstream.tls) {
    const std::string& name = request.host_rewrite.empty() ? upstream.host : request.host_rewrite;
    if (!isIpAddress(name)) upstream.tls->sni = name.substr(0, name.find(':'));
  }

  std::string joined = "cluster";
  const auto append = [&](std::string_view part) {
    joined += '_';
    joined += part;
  };
  if (!request.marker.empty()) append(request.marker);
  append((service.scheme.empty() ? "" : service.scheme + "://") + host_text + port_text);
  if (upstream.tls) append("otls");
  if (upstream.tls && !request.host_rewrite.empty()) append("hr-" + request.host_rewrite);
  append(object.ref.ns);
  upstream.base_name = clusterName(joined);
  upstream.tagged = upstream.http2 || upstream.connect_timeout_ms != kDefaultConnectTimeoutMs || !request.stats_name.empty() ||
                    upstream.resolver != Resolver::Service;
  result.upstream = std::move(upstream);
  return result;
}

}  // namespace emissary::compile
