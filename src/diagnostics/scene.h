#pragma once
// Everything that an answer of diagnostics is made of. Immutable, so that an answer of before can be made again.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "diagnostics/envoy_state.h"
#include "engine/view.h"
#include "model/finding.h"

namespace emissary::diagnostics {

/// What the control plane knows of the users' objects at one moment.
struct State {
  uint64_t generation = 0;
  std::shared_ptr<const std::vector<Finding>> findings;
  std::shared_ptr<const engine::View> view;
};
using StatePtr = std::shared_ptr<const State>;

/// Who we are.
struct About {
  std::string version;
  std::string hostname;
  std::string ambassador_id;
  std::string ns;
  bool single_namespace = false;
  std::string cluster_id;
  std::chrono::system_clock::time_point boot;
  bool statsd = false;
  bool load_balancers = true;
};

struct Scene {
  StatePtr state;
  std::shared_ptr<const EnvoyState> envoy;
  std::shared_ptr<const About> about;
  /// How the request says that it came: for the URLs of routes.
  std::string scheme = "http";
  std::string host;
  std::chrono::system_clock::time_point now;
  /// HTML that the operator wants to stand above everything.
  std::string banner;
  /// Seconds since `envoy->updated`, when there was one.
  int64_t envoy_age = 0;
};

/// The state, by the names that people look for. Refers to the scene, which must outlive it.
class Index {
 public:
  explicit Index(const Scene& scene);

  const Scene& scene;
  const engine::View& view;
  std::vector<std::string> group_ids;                                 // of view.groups
  std::map<std::string_view, size_t> groups;                          // by id
  std::map<std::string_view, const engine::View::Cluster*> clusters;  // by name
  std::map<ObjectRef, size_t> group_of;                               // of a Mapping
  std::map<std::string, std::vector<const Object*>> objects;          // by rkey
  std::map<std::string, std::vector<const Finding*>> findings;        // by rkey; "" of files
  std::map<ObjectRef, size_t> errors;                                 // how many of each object

  /// Null when Envoy gets none of this type and name.
  const serve::Resource* resource(serve::Type type, std::string_view name) const;
};

/// "Mapping spec.prefix: …", to stand behind the key of the object; of a file "path:line: …".
std::string sentence(const Finding& finding);

}  // namespace emissary::diagnostics
