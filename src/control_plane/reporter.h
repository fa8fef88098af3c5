#pragma once
// The thread that writes objects' status, with a loop and a client of its own, so that neither reading objects nor traffic ever
// waits for it. Made by the control plane where objects come from a cluster.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kube/config.h"
#include "kube/curl_client.h"
#include "kube/event_loop.h"
#include "source/event.h"
#include "status/publisher.h"

namespace emissary::control_plane {

class Reporter {
 public:
  /// `sink`: told what keeps status from being written.
  Reporter(const kube::Config& config, const status::PublisherOptions& options, source::Sink sink);
  ~Reporter();

  void start();
  /// Lets another instance write, and ends. Takes as long as one request to the API server, at most two seconds.
  void stop();

  // From any thread.
  void want(std::vector<status::Desired> all) { publisher_.want(std::move(all)); }
  void observe(std::vector<model::Sighting> all) { publisher_.observe(std::move(all)); }
  const status::Counters& counters() const { return publisher_.counters(); }

 private:
  kube::EventLoop loop_;
  kube::CurlClient client_;
  status::Publisher publisher_;
  bool running_ = false;
};

/// In Prometheus' text format.
std::string metricsText(const status::Counters& counters);

}  // namespace emissary::control_plane
