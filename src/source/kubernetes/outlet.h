#pragma once
// Where everything that was read comes together on its way to the store. Until the first Synced it is kept; after that it goes on
// at each flush(), in order, as one batch; unless it is held for a moment, until Secrets that it names are there too.

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "kube/loop.h"
#include "model/live_status.h"
#include "source/event.h"
#include "source/kubernetes/options.h"
#include "source/kubernetes/references.h"

namespace emissary::source {

using Observer = std::function<void(std::vector<model::Sighting>)>;

class Outlet {
 public:
  Outlet(kube::Loop& loop, const KubernetesOptions& options, Sink sink, Observer observer);
  ~Outlet();

  /// Told of Secrets whose references have moved, before what moved them goes on.
  std::function<void(const std::set<SecretKey>&)> on_references;

  void upsert(ObjectPtr object);
  void remove(const ObjectRef& ref);
  void observe(model::Sighting sighting);
  /// What is to be said about `path`, in place of what was said before.
  void tell(const std::string& path, std::vector<Finding> findings);

  void flush();
  /// What comes waits for release(secret), but not for ever.
  void hold(const SecretKey& secret);
  void release(const SecretKey& secret);
  /// Everything has been told once. Once.
  void sync();
  bool synced() const { return synced_; }
  /// Nothing goes on any more.
  void stop();

  const References& references() const { return references_; }
  /// Named by the installation itself.
  void refer(std::vector<compile::SecretReference> references);

 private:
  void send();

  kube::Loop& loop_;
  const KubernetesOptions& options_;
  const Sink sink_;
  const Observer observer_;
  References references_;
  Batch batch_;
  std::vector<model::Sighting> sightings_;
  std::map<std::string, std::vector<Finding>> told_;
  std::set<SecretKey> held_;
  kube::Loop::Timer patience_ = 0;
  bool synced_ = false;
  bool stopped_ = false;
};

}  // namespace emissary::source
