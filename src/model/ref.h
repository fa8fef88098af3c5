#pragma once
// The kinds we know and the reference that identifies an object.

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace emissary {

enum class Kind : uint8_t {
  Unknown,
  // getambassador.io
  AuthService,
  ConsulResolver,
  DevPortal,
  Host,
  KubernetesEndpointResolver,
  KubernetesServiceResolver,
  Listener,
  LogService,
  Mapping,
  Module,
  RateLimitService,
  TCPMapping,
  TLSContext,
  TracingService,
  // Kubernetes
  ConfigMap,
  Endpoints,
  EndpointSlice,
  Ingress,
  IngressClass,
  Namespace,
  Secret,
  Service,
};

std::string_view kindName(Kind kind);
/// Kind::Unknown for a name that is not ours to read.
Kind kindNamed(std::string_view name);
/// The API group that `kind` must be written with: "getambassador.io", "" (core), "discovery.k8s.io", "networking.k8s.io".
std::string_view kindGroup(Kind kind);

struct ObjectRef {
  Kind kind = Kind::Unknown;
  std::string ns;
  std::string name;

  auto operator<=>(const ObjectRef&) const = default;
  bool operator==(const ObjectRef&) const = default;
  /// "Mapping edge/cart"
  std::string text() const;
};

}  // namespace emissary

template <>
struct std::hash<emissary::ObjectRef> {
  size_t operator()(const emissary::ObjectRef& ref) const noexcept {
    const size_t a = std::hash<std::string>{}(ref.ns);
    const size_t b = std::hash<std::string>{}(ref.name);
    return (a * 31 + b) * 31 + static_cast<size_t>(ref.kind);
  }
};
