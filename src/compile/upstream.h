#pragma once
// An object's `service`, resolver and connection settings → the upstream it asks for.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compile/context.h"
#include "ir/ir.h"

namespace emissary::compile {

/// What any kind of object may ask of an upstream. Absent: the Module's, or the default.
struct UpstreamRequest {
  std::string service;
  std::optional<std::string> resolver;
  /// The TLSContext to originate TLS with.
  std::optional<std::string> tls;
  std::string host_rewrite;
  /// Part of the cluster's name: the object's cluster_tag, or else what the cluster is for ("shadow").
  std::string marker;
  std::string stats_name;
  bool http2 = false;
  std::optional<int64_t> connect_timeout_ms;
  /// Of this, what is said of clusters.
  Boxed<model::MappingPolicy> policy;
  /// What comes of a service that cannot be used, for its findings.
  std::string_view consequence = "Its requests are answered 503";
};
UpstreamRequest upstreamRequest(const model::Mapping& mapping);

struct UpstreamResult {
  /// Absent, with a finding: the service cannot be used.
  std::optional<ir::Upstream> upstream;
  /// The object as a whole is not to be used (its resolver is unknown).
  bool unusable = false;
  std::vector<Finding> findings;
};

struct MappingContext;
/// `object` is who asks.
UpstreamResult compileUpstream(const Object& object, const UpstreamRequest& request, const MappingContext& context);

/// Upstream's cluster name from its parts' text: every character outside [0-9A-Za-z_] becomes '_'; beyond 60 characters the
/// first 40 and 16 digits of the SHA-1 of the whole remain.
std::string clusterName(std::string_view joined);

}  // namespace emissary::compile
