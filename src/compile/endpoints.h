#pragma once
// Services and their endpoints → the addresses of an assignment (Envoy: ClusterLoadAssignment).

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ir/ir.h"
#include "model/object.h"

namespace emissary::compile {

struct Address {
  std::string ip;
  uint16_t port = 0;
  auto operator<=>(const Address&) const = default;
};

/// All that is known about one Service. Any pointer may be null.
struct ServiceObjects {
  const model::Service* service = nullptr;
  const model::Endpoints* endpoints = nullptr;
  std::vector<const model::EndpointSlice*> slices;
};

/// What of a Service decides how its addresses are found. Moves only when the Service itself changes its nature, never with
/// its endpoints or its address.
struct ServiceShape {
  bool exists = false;
  bool has_cluster_ip = false;
  /// Of an ExternalName Service, lower case.
  std::string external_name;
  std::vector<uint16_t> ports;
  auto operator<=>(const ServiceShape&) const = default;
};
ServiceShape shapeOf(const model::Service* service);

/// How the addresses of `upstream` are found.
ir::Discovery discover(const ir::Upstream& upstream, const ServiceShape& shape);

/// An assignment is one Service's port, through its cluster IP or its endpoints.
struct Assignment {
  bool cluster_ip = false;
  std::string ns;
  std::string service;
  uint16_t port = 0;
  auto operator<=>(const Assignment&) const = default;

  /// "clusterip/<ns>/<service>/<port>" or "k8s/<ns>/<service>/<port>"
  std::string name() const;
};
Assignment assignmentOf(const ir::Upstream& upstream);

/// The addresses, sorted, each once. EndpointSlices count before Endpoints. Ready endpoints; where none is ready those that still
/// serve while they terminate.
std::vector<Address> addressesOf(const Assignment& assignment, const ServiceObjects& objects);

/// What is wrong with asking this Service for this port: "" when nothing is.
std::string portProblem(const ir::Upstream& upstream, const ServiceShape& shape);

}  // namespace emissary::compile
