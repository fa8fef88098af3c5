#pragma once
// From the set of objects to the set of Envoy resources, incrementally: a change evaluates what depends on it and nothing
// else, and the result is the same, byte for byte, as that of a new engine given all objects at once.
//
// Owned by one thread (the compile thread); nothing here locks, blocks, or reads a clock, a file or the environment.

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <vector>

#include "ir/envoy_build.h"
#include "model/finding.h"
#include "model/object.h"
#include "serve/resource.h"

namespace emissary::engine {

struct Options {
  /// AMBASSADOR_ID: objects for other installations are ignored.
  std::string ambassador_id = "default";
  /// AMBASSADOR_NAMESPACE: the control plane's own namespace.
  std::string ns = "default";
  /// AMBASSADOR_SINGLE_NAMESPACE: objects of other namespaces are ignored.
  bool single_namespace = false;
  /// AMBASSADOR_CERTS_SINGLE_NAMESPACE: the same for Secrets alone.
  bool secrets_single_namespace = false;
  /// AMBASSADOR_ENVOY_BIND_ADDRESS: what Listeners bind.
  std::string bind_address = "0.0.0.0";
  /// Addresses ("127.0.0.1:8877") that no Mapping may point to: our admin server, Envoy's, the xDS server.
  std::vector<std::string> forbidden_upstreams;
  /// A virtual host with more routes than this becomes a match tree.
  size_t route_list_limit = 64;
  /// False: DISABLE_STRICT_LABEL_SELECTORS.
  bool strict_labels = true;
  /// False: AMBASSADOR_DISABLE_ENDPOINTS.
  bool load_balancers = true;
  /// Where our admin server is reached from Envoy: the built-in Mappings lead there.
  std::string administration = "127.0.0.1:8877";
  /// Why Envoy, which is on this machine, could not write its access log to this file; "" when it can. Envoy refuses every Listener
  /// whose log cannot be opened, so the standard output takes its place. Null: Envoy's files cannot be seen from here.
  std::function<std::string(const std::string& path)> log_problem;
  /// What the running Envoy can do, as far as it is known at the start.
  ir::EnvoyBuild envoy;
};

/// A certificate that some Listener shows.
struct CertificateUse {
  ObjectRef secret;
  std::vector<ObjectRef> hosts;
  /// Seconds since the epoch.
  int64_t not_before = 0;
  int64_t not_after = 0;
};

/// What `objects` and the metrics report about one kind.
struct ObjectCounts {
  uint64_t accepted = 0;
  uint64_t rejected = 0;
};

struct Change {
  ObjectRef ref;
  /// Null: deleted.
  ObjectPtr object;
};

enum class Table : uint8_t {
  Service,
  Endpoints,
  Secret,
  Host,
  Listener,
  Mapping,
  Cluster,
  Group,
  Association,
  HostRoutes,
  Resource
};
inline constexpr size_t kTables = 11;
std::string_view tableName(Table table);

struct View;

class Engine {
 public:
  explicit Engine(Options options);
  ~Engine();

  /// Apply changes, in order, as one; returns what to publish. `generation` and `arrived` of the result are the caller's.
  serve::Update apply(const std::vector<Change>& changes);

  /// Another Envoy counts from the next apply() on.
  void setEnvoy(ir::EnvoyBuild envoy);

  /// All findings, of parsing and of compiling, sorted. Of objects that other installations own: none. `now` (seconds since the
  /// epoch) judges whether certificates are valid; 0: nobody asks.
  std::vector<Finding> findings(int64_t now = 0) const;
  /// What has become of an object of somebody's: not of those in annotations, of other installations, or built in.
  struct Standing {
    /// Null: it is not there, or not ours.
    ObjectPtr object;
    bool used = false;
  };
  Standing standing(const ObjectRef& ref) const;
  /// The objects that came, changed, went, or are used now and were not (or the reverse), since this was asked last.
  std::set<ObjectRef> takeMoved();
  /// The objects behind a resource, sorted; empty for an unknown one.
  std::vector<ObjectRef> provenance(const serve::ResourceKey& key) const;
  const std::map<serve::ResourceKey, serve::ResourcePtr>& resources() const;
  /// The semantic model: Listeners, Hosts, routes in order, clusters. Secrets' content is not in it.
  nlohmann::ordered_json ir() const;
  /// For diagnostics (engine/view.h): a copy that any thread may read.
  std::shared_ptr<const View> view() const;
  std::map<Kind, ObjectCounts> objectCounts() const;
  /// Sorted by Secret.
  std::vector<CertificateUse> certificates() const;
  /// The Module's settings in use.
  const model::Module& module() const;
  /// Functions evaluated since the start, by Table.
  const std::array<uint64_t, kTables>& evaluations() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace emissary::engine
