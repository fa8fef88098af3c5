#pragma once
// The cluster that objects come from: a thread with an event loop, the client of its API server, and the source that follows it.
// Made by the control plane where no folder of manifests was named; start() and stop() by its owner.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "kube/config.h"
#include "kube/curl_client.h"
#include "kube/event_loop.h"
#include "settings/settings.h"
#include "source/kubernetes/kubernetes_source.h"
#include "source/source.h"

namespace emissary::control_plane {

/// As whom and where: what the settings say. Nothing, with a reason, when there is no such cluster.
std::optional<kube::Config> clusterConfig(const settings::Settings& settings, std::string& error);

class Cluster : public source::Source {
 public:
  struct Outputs {
    source::Sink sink;
    /// What objects say in their status; null: nobody asks.
    source::Observer observer;
    /// The uid of the namespace that stands for the cluster (or, in single-namespace mode, for us in it). Called at most once.
    std::function<void(const std::string& uid)> identified;
  };

  Cluster(const settings::Settings& settings, Outputs outputs);
  ~Cluster() override;

  bool start(std::string& error) override;
  void stop() override;

  /// Once it has started.
  const source::KubernetesStats& stats() const { return source_->stats(); }

 private:
  void identify();

  const settings::Settings& settings_;
  const Outputs outputs_;
  kube::EventLoop loop_;
  std::unique_ptr<kube::CurlClient> client_;
  std::unique_ptr<source::KubernetesSource> source_;
};

}  // namespace emissary::control_plane
