#pragma once
// What others ask the webhook: API servers by HTTPS, kubelets for probes and Prometheus by HTTP. Both answer from threads of their
// own.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "settings/settings.h"
#include "webhook/authority.h"
#include "webhook/metrics.h"

namespace emissary::webhook {

struct Limits {
  /// Of one request, and of all that are under way.
  size_t max_body = 128u << 20;
  size_t max_bodies = 256u << 20;
  size_t max_connections = 128;
  std::chrono::milliseconds handshake{10'000};
  /// From the end of its headers to the end of its answer. API servers wait for 30 s.
  std::chrono::milliseconds request{30'000};
  /// Between two requests on one connection.
  std::chrono::milliseconds idle{20'000};
};

/// TLS 1.3 and nothing older; one path.
class ConvertServer {
 public:
  /// `names`: whoever asks for another server by name is refused.
  ConvertServer(settings::Address address, std::vector<std::string> names, Metrics& metrics, Limits limits = {});
  ~ConvertServer();
  ConvertServer(const ConvertServer&) = delete;

  bool start(std::string& error);
  void stop();
  /// The pair to show from now on, at the next handshake. Without one every handshake fails. Any thread.
  void show(const Pair& pair);
  uint16_t port() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// /probes/live, /probes/ready and /metrics.
class ProbeServer {
 public:
  ProbeServer(settings::Address address, std::function<bool()> ready, const Metrics& metrics);
  ~ProbeServer();
  ProbeServer(const ProbeServer&) = delete;

  bool start(std::string& error);
  void stop();
  uint16_t port() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace emissary::webhook
