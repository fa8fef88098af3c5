#pragma once
// Objects from a Kubernetes API server, followed live. Everything runs on the thread of the loop; the sink is called there too.
//
// The first batch holds everything and ends with Synced. It comes when every kind is listed, is found not served, or may not be
// read and has been waited for; not before the server can be reached. From then on each batch is what one piece of a watch brought.
// A watch that is lost deletes nothing: only what the server says is gone is gone.

#include <memory>

#include "kube/client.h"
#include "kube/loop.h"
#include "source/event.h"
#include "source/kubernetes/options.h"
#include "source/kubernetes/outlet.h"
#include "source/kubernetes/stats.h"

namespace emissary::source {

class KubernetesSource {
 public:
  /// `observer`: told what each object of getambassador.io says in its status, at each sight of it; null: nobody asks.
  KubernetesSource(const KubernetesOptions& options, kube::Loop& loop, kube::Client& client, Sink sink,
                   Observer observer = nullptr);
  ~KubernetesSource();

  void start();
  /// After it returns nothing is called any more.
  void stop();

  /// From any thread.
  const KubernetesStats& stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace emissary::source
