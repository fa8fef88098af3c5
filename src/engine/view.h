#pragma once
// What the engine tells of its state for people to look at: plain values, and shared pointers to what is immutable anyway. Made on
// request, by Engine::view(), and then read by any thread; no Secret and no address of an endpoint is in it.
//
// A new kind of traffic gets a list of its own here.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "ir/ir.h"
#include "model/object.h"
#include "serve/resource.h"

namespace emissary::engine {

/// Who may see diagnostics besides clients on this machine: the Module's `diagnostics`.
struct DiagnosticsRule {
  bool enabled = true;
  bool allow_non_local = false;
  bool operator==(const DiagnosticsRule&) const = default;
};

struct View {
  struct Member {
    ObjectPtr mapping;
    enum class Role : uint8_t { Upstream, Redirect, Shadow };
    Role role = Role::Upstream;
    /// "": its requests are answered 503, unless it redirects them.
    std::string cluster;
    /// Of the group's requests.
    double percent = 0;
    bool used() const { return percent > 0 || role == Role::Shadow; }
    bool operator==(const Member& other) const {
      return mapping->ref == other.mapping->ref && mapping->hash == other.mapping->hash && role == other.role &&
             cluster == other.cluster && percent == other.percent;
    }
  };
  /// Mappings that take the same requests.
  struct Group {
    ir::Match match;
    std::vector<Member> members;  // in the order of their names
    /// How many Hosts show it; with none it gets no requests.
    size_t hosts = 0;
    /// Its routes for Envoy: entries of VirtualHost.routes, concatenated.
    std::string routes;
    bool operator==(const Group&) const = default;
  };
  /// TCPMappings that take the same connections.
  struct TcpGroup {
    struct Member {
      ObjectPtr mapping;
      std::string cluster;  // "": Envoy does not get it
      uint32_t weight = 0;  // beside those of the others; 0: it takes no connections
      bool operator==(const Member& other) const {
        return mapping->ref == other.mapping->ref && mapping->hash == other.mapping->hash && cluster == other.cluster &&
               weight == other.weight;
      }
    };
    std::string address;
    uint32_t port = 0;
    std::string host;             // "": all that no other takes
    std::vector<Member> members;  // in the order of their names
    bool operator==(const TcpGroup&) const = default;
  };
  struct Cluster {
    std::string name;
    ir::Upstream upstream;
    /// "DNS", "address", or the name of its endpoints.
    std::string discovery;
    /// Why Envoy does not get it; "" when it does.
    std::string problem;
    std::vector<ObjectRef> mappings;
    bool operator==(const Cluster&) const = default;
  };
  /// A resolver that Mappings use: an object, or one that is always there.
  struct Resolver {
    Kind kind = Kind::KubernetesServiceResolver;
    std::string name;
    ObjectRef object;  // empty name: always there
    std::vector<ObjectRef> mappings;
    bool operator==(const Resolver&) const = default;
  };

  DiagnosticsRule diagnostics;
  Boxed<model::Module> module;
  std::vector<Group> groups;  // in the order in which routes are tried
  std::vector<TcpGroup> tcp_groups;
  std::vector<Cluster> clusters;  // by name
  std::vector<Resolver> resolvers;
  std::vector<ir::Host> hosts;
  std::vector<ir::Listener> listeners;
  /// The objects of getambassador.io that are for this installation, and the built-in Mappings; sorted.
  std::vector<ObjectPtr> objects;
  std::map<Kind, ObjectCounts> counts;
  /// Sorted by type and name, without Secrets and endpoints.
  std::vector<serve::ResourcePtr> resources;
};

}  // namespace emissary::engine
