#pragma once
// What the generator hands to the server: named, versioned, serialised Envoy resources. Immutable, shared by all
// streams.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/envoy_build.h"

namespace emissary::serve {

/// In the order in which a client must learn of them (make before break).
enum class Type : uint8_t { Cluster, Endpoints, Secret, Listener, ScopedRoutes, Routes };
inline constexpr int kTypes = 6;

/// "type.googleapis.com/envoy.config.cluster.v3.Cluster" …
std::string_view typeUrl(Type type);
std::optional<Type> typeOfUrl(std::string_view url);
/// "cluster", "endpoints", "secret", "listener", "scoped_routes", "routes": label values of metrics.
std::string_view typeLabel(Type type);

struct Resource {
  Type type = Type::Cluster;
  std::string name;
  /// Hash of the bytes, hexadecimal: equal version, equal bytes, in every process.
  std::string version;
  /// A serialised envoy.service.discovery.v3.Resource (name, version, Any): goes out as it is.
  std::string wire;
  /// Of Routes: the clusters that its routes name, sorted, each once. A Listener may list its own in the same way (then
  /// it waits for them as Routes do, and they outlive it). Empty for the others.
  std::vector<std::string> clusters;
  /// Of Cluster: the ClusterLoadAssignment it uses, or "" when it is no EDS cluster.
  std::string endpoints;
};

using ResourcePtr = std::shared_ptr<const Resource>;

struct ResourceKey {
  Type type = Type::Cluster;
  std::string name;
  auto operator<=>(const ResourceKey&) const = default;
};

/// One published configuration, as the difference to the one before.
struct Update {
  uint64_t generation = 0;
  std::vector<ResourcePtr> upserts;
  std::vector<ResourceKey> removals;
  /// When the oldest of the events behind it arrived.
  std::chrono::steady_clock::time_point arrived;
  /// The Envoy that it is made for.
  ir::EnvoyBuild envoy;
};

/// Make the wire form of `message`'s bytes.
ResourcePtr makeResource(Type type, std::string name, std::string_view message_bytes, std::vector<std::string> clusters = {},
                         std::string endpoints = {});

}  // namespace emissary::serve
