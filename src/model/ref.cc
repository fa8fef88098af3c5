#include "model/ref.h"

#include <fmt/format.h>

#include <array>

#include "model/finding.h"

namespace emissary {
namespace {

struct KindRow {
  Kind kind;
  std::string_view name;
  std::string_view group;
};

constexpr std::string_view kOurs = "getambassador.io";

constexpr std::array kKinds = {
    KindRow{Kind::AuthService, "AuthService", kOurs},
    KindRow{Kind::ConsulResolver, "ConsulResolver", kOurs},
    KindRow{Kind::DevPortal, "DevPortal", kOurs},
    KindRow{Kind::Host, "Host", kOurs},
    KindRow{Kind::KubernetesEndpointResolver, "KubernetesEndpointResolver", kOurs},
    KindRow{Kind::KubernetesServiceResolver, "KubernetesServiceResolver", kOurs},
    KindRow{Kind::Listener, "Listener", kOurs},
    KindRow{Kind::LogService, "LogService", kOurs},
    KindRow{Kind::Mapping, "Mapping", kOurs},
    KindRow{Kind::Module, "Module", kOurs},
    KindRow{Kind::RateLimitService, "RateLimitService", kOurs},
    KindRow{Kind::TCPMapping, "TCPMapping", kOurs},
    KindRow{Kind::TLSContext, "TLSContext", kOurs},
    KindRow{Kind::TracingService, "TracingService", kOurs},
    KindRow{Kind::ConfigMap, "ConfigMap", ""},
    KindRow{Kind::Endpoints, "Endpoints", ""},
    KindRow{Kind::EndpointSlice, "EndpointSlice", "discovery.k8s.io"},
    KindRow{Kind::Ingress, "Ingress", "networking.k8s.io"},
    KindRow{Kind::IngressClass, "IngressClass", "networking.k8s.io"},
    KindRow{Kind::Namespace, "Namespace", ""},
    KindRow{Kind::Secret, "Secret", ""},
    KindRow{Kind::Service, "Service", ""},
};

}  // namespace

std::string_view kindName(Kind kind) {
  for (const KindRow& row : kKinds) {
    if (row.kind == kind) return row.name;
  }
  return "object";
}

Kind kindNamed(std::string_view name) {
  for (const KindRow& row : kKinds) {
    if (row.name == name) return row.kind;
  }
  return Kind::Unknown;
}

std::string_view kindGroup(Kind kind) {
  for (const KindRow& row : kKinds) {
    if (row.kind == kind) return row.group;
  }
  return "";
}

std::string ObjectRef::text() const {
  if (ns.empty()) return fmt::format("{} {}", kindName(kind), name);
  return fmt::format("{} {}/{}", kindName(kind), ns, name);
}

std::string_view severityName(Severity severity) {
  switch (severity) {
    case Severity::Error: return "error";
    case Severity::Warning: return "warning";
    case Severity::Notice: return "notice";
  }
  return "error";
}

}  // namespace emissary
