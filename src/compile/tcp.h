#pragma once
// TCPMappings: which connections each takes and where they go; how those that take the same ones share them.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compile/host.h"
#include "compile/mapping.h"
#include "ir/ir.h"

namespace emissary::compile {

/// Connections by where they arrive and the name they ask for. TCPMappings with equal keys form a group (canary).
struct TcpKey {
  std::string address;
  uint32_t port = 0;
  std::string host;  // "": all that no other key takes
  auto operator<=>(const TcpKey&) const = default;
};

struct TcpMappingResult {
  TcpKey key;
  /// Absent: it cannot be used; `findings` say why.
  std::optional<ir::Upstream> upstream;
  std::vector<Finding> findings;
  bool operator==(const TcpMappingResult&) const = default;
};

/// `object` holds a usable TCPMapping.
TcpMappingResult compileTcpMapping(const Object& object, const MappingContext& context);

struct TcpMember {
  ObjectPtr object;
  std::string cluster;  // "": Envoy would refuse it
};

/// How TLS is terminated where no Host does it.
struct TcpTermination {
  std::optional<ir::TlsTermination> tls;
  std::string problem;  // "": no TLSContext lists the name
  bool operator==(const TcpTermination&) const = default;
};

struct TcpGroup {
  TcpKey key;
  bool passthrough = false;
  TcpTermination termination;
  /// Where its connections go; nothing when no member can take any.
  std::vector<ir::TcpProxy::Target> targets;
  std::optional<int64_t> idle_timeout_ms;
  /// All members but those that differ in what must be equal.
  std::vector<ObjectRef> mappings;
  std::set<ObjectRef> refused;
  std::vector<Finding> findings;
  bool operator==(const TcpGroup&) const = default;
};

/// `members`: at least one, in the order of compile::orderName.
TcpGroup compileTcpGroup(const TcpKey& key, const std::vector<TcpMember>& members, TcpTermination termination);

/// `contexts`: usable TLSContexts that list the name, in the order of compile::orderName. The first that can terminate TLS counts.
TcpTermination terminationByContext(const std::vector<ObjectPtr>& contexts, const HostLookups& lookups);

}  // namespace emissary::compile
