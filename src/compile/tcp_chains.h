#pragma once
// The part of the topology that TCPMappings make: filter chains on the Listeners there are, and Listeners where there is none.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compile/listener.h"
#include "compile/tcp.h"
#include "ir/ir.h"

namespace emissary::compile {

/// What TCPMappings take of one Listener.
struct TcpClaims {
  std::vector<ir::FilterChain> chains;
  /// Server names that are taken, and by whom.
  std::map<std::string, ObjectRef> names;
  /// Takes whatever no chain takes: there is no HTTP on this port.
  std::optional<ObjectRef> rest;
};

class TcpTopology {
 public:
  /// All must outlive it.
  TcpTopology(const TopologyInput& input, const Installation& installation, Topology& out);

  /// For the Listener on (address, port), whose stack has TLS or not. Once each.
  TcpClaims claim(const std::string& address, uint32_t port, const ObjectRef& listener, bool tls, const std::string& stat_prefix);
  /// Makes Listeners of what was not claimed.
  void openOthers();

 private:
  using Socket = std::pair<std::string, uint32_t>;
  struct RankedHost {
    const ir::Host* host;
    size_t rank;
  };

  /// Absent: the group cannot be routed, which is then told.
  std::optional<ir::FilterChain> chain(const TcpGroup& group, const std::string& stat_prefix);
  bool terminate(const TcpGroup& group, ir::FilterChain& chain);
  const ir::Host* hostFor(const std::string& name) const;
  void refuse(const TcpGroup& group, const std::string& field, const std::string& message, About about = About::Content);

  const TopologyInput& input_;
  const Installation& installation_;
  Topology& out_;
  std::map<Socket, std::vector<const TcpGroup*>> sockets_;
  /// Hosts that terminate TLS, by the order of their host names.
  std::map<std::string, RankedHost> exact_hosts_;
  std::vector<RankedHost> wildcard_hosts_;
};

}  // namespace emissary::compile
