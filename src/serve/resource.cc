#include "serve/resource.h"

#include <array>

#include "base/hash.h"
#include "serve/wire.h"

namespace emissary::serve {
namespace {

struct Names {
  std::string_view url;
  std::string_view label;
};

constexpr std::array<Names, kTypes> kNames = {{
    {"type.googleapis.com/envoy.config.cluster.v3.Cluster", "cluster"},
    {"type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment", "endpoints"},
    {"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret", "secret"},
    {"type.googleapis.com/envoy.config.listener.v3.Listener", "listener"},
    {"type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration", "scoped_routes"},
    {"type.googleapis.com/envoy.config.route.v3.RouteConfiguration", "routes"},
}};

// Fields of envoy.service.discovery.v3.Resource and of google.protobuf.Any.
constexpr uint32_t kVersion = 1;
constexpr uint32_t kAny = 2;
constexpr uint32_t kName = 3;
constexpr uint32_t kAnyUrl = 1;
constexpr uint32_t kAnyValue = 2;

}  // namespace

std::string_view typeUrl(Type type) { return kNames[static_cast<size_t>(type)].url; }
std::string_view typeLabel(Type type) { return kNames[static_cast<size_t>(type)].label; }

std::optional<Type> typeOfUrl(std::string_view url) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i].url == url) return static_cast<Type>(i);
  }
  return std::nullopt;
}

ResourcePtr makeResource(Type type, std::string name, std::string_view message_bytes, std::vector<std::string> clusters,
                         std::string endpoints) {
  auto resource = std::make_shared<Resource>();
  resource->type = type;
  resource->name = std::move(name);
  resource->version = hashBytes(message_bytes).hex();
  resource->clusters = std::move(clusters);
  resource->endpoints = std::move(endpoints);

  const std::string_view url = typeUrl(type);
  const size_t any = wire::bytesSize(url.size()) + wire::bytesSize(message_bytes.size());
  std::string& out = resource->wire;
  out.reserve(wire::bytesSize(resource->version.size()) + wire::bytesSize(any) + wire::bytesSize(resource->name.size()));
  wire::bytes(out, kVersion, resource->version);
  wire::header(out, kAny, any);
  wire::bytes(out, kAnyUrl, url);
  wire::bytes(out, kAnyValue, message_bytes);
  wire::bytes(out, kName, resource->name);
  return resource;
}

}  // namespace emissary::serve
