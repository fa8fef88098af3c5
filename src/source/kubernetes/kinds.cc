#include "source/kubernetes/kinds.h"

#include <fmt/format.h>

#include <array>

#include "kube/client.h"

namespace emissary::source {
namespace {

constexpr std::string_view kV3[2] = {"v3alpha1", ""};

constexpr Resource ours(Kind kind, std::string_view plural, bool refers = false) {
  return {.kind = kind, .group = kOurGroup, .versions = {kV3[0], kV3[1]}, .plural = plural, .refers = refers};
}

constexpr std::array<Resource, kResources> kRows = {
    ours(Kind::AuthService, "authservices"),
    ours(Kind::ConsulResolver, "consulresolvers"),
    ours(Kind::DevPortal, "devportals"),
    ours(Kind::Host, "hosts", true),
    ours(Kind::KubernetesEndpointResolver, "kubernetesendpointresolvers"),
    ours(Kind::KubernetesServiceResolver, "kubernetesserviceresolvers"),
    ours(Kind::Listener, "listeners"),
    ours(Kind::LogService, "logservices"),
    ours(Kind::Mapping, "mappings"),
    ours(Kind::Module, "modules"),
    ours(Kind::RateLimitService, "ratelimitservices"),
    ours(Kind::TCPMapping, "tcpmappings"),
    ours(Kind::TLSContext, "tlscontexts", true),
    ours(Kind::TracingService, "tracingservices"),
    // These two for what is written in their annotations, too.
    Resource{.kind = Kind::Service, .group = "", .versions = {"v1", ""}, .plural = "services", .refers = true},
    Resource{
        .kind = Kind::Ingress, .group = "networking.k8s.io", .versions = {"v1", "v1beta1"}, .plural = "ingresses", .refers = true},
    Resource{.kind = Kind::EndpointSlice, .group = "discovery.k8s.io", .versions = {"v1", ""}, .plural = "endpointslices"},
    // Only where there are no slices to be had.
    Resource{.kind = Kind::Endpoints,
             .group = "",
             .versions = {"v1", ""},
             .plural = "endpoints",
             .field_selector = "metadata.namespace!=kube-system"},
    // Their labels count for Listeners. No selector was ever meant for them.
    Resource{.kind = Kind::Namespace,
             .group = "",
             .versions = {"v1", ""},
             .plural = "namespaces",
             .namespaced = false,
             .selected = false,
             .optional = true},
    Resource{.kind = Kind::Secret, .group = "", .versions = {"v1", ""}, .plural = "secrets"},
};

}  // namespace

std::span<const Resource> resources() { return kRows; }

size_t resourceIndex(Kind kind) {
  size_t index = 0;
  while (index + 1 < kRows.size() && kRows[index].kind != kind) ++index;
  return index;
}

std::string apiVersion(const Resource& resource, std::string_view version) {
  return resource.group.empty() ? std::string(version) : fmt::format("{}/{}", resource.group, version);
}

std::string groupPath(std::string_view group, std::string_view version) {
  return group.empty() ? fmt::format("/api/{}", version) : fmt::format("/apis/{}/{}", group, version);
}

std::string resourcePath(const Resource& resource, std::string_view version, std::string_view ns) {
  const std::string base = groupPath(resource.group, version);
  if (ns.empty() || !resource.namespaced) return fmt::format("{}/{}", base, resource.plural);
  return fmt::format("{}/namespaces/{}/{}", base, kube::escaped(ns), resource.plural);
}

std::string resourceName(const Resource& resource) {
  return resource.group.empty() ? std::string(resource.plural) : fmt::format("{}.{}", resource.plural, resource.group);
}

}  // namespace emissary::source
