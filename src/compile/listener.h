#pragma once
// Listeners, Hosts and groups of TCPMappings → filter chains and the RouteConfigurations they need. A function of all of them:
// which Host a Listener takes, who wins a port or a name, is decided by the objects alone.

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "compile/context.h"
#include "ir/ir.h"

namespace emissary::compile {

/// A cleartext chain that routes (not only redirects) for more Hosts than this uses scoped routes. By Hosts and not by routes,
/// since crossing it drains the Listener's connections, and Hosts come and go more rarely.
inline constexpr size_t kScopedRoutesAboveHosts = 4;

struct TcpGroup;

struct TopologyInput {
  /// Usable Listeners, in the order of compile::orderName.
  std::vector<ObjectPtr> listeners;
  /// Hosts in use, in the order of compile::orderName.
  std::vector<const ir::Host*> hosts;
  /// In the order of their keys.
  std::vector<const TcpGroup*> tcp;
  Boxed<model::HttpSettings> http;
  /// Labels of a namespace; empty when it is not known.
  std::function<Labels(const std::string& ns)> namespace_labels;
};

struct Topology {
  std::vector<ir::Listener> listeners;
  std::map<std::string, ir::RouteTable> tables;
  /// TCPMappings that no Listener could take.
  std::set<ObjectRef> unrouted;
  /// Hosts whose certificate a TCPMapping uses.
  std::set<ObjectRef> tcp_hosts;
  /// Without path and line, which the caller knows.
  std::vector<Finding> findings;
};

/// A host name may carry a port; SNI never does.
std::string sniOf(const std::string& hostname);

/// Why nothing can be opened there: our own servers are; "" when it can.
std::string ownPortProblem(const Installation& installation, const std::string& address, uint32_t port);

Topology compileTopology(const TopologyInput& input, const Installation& installation);

}  // namespace emissary::compile
