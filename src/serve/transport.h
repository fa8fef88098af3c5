#pragma once
// The seam between the server and what carries its messages: gRPC in the product, memory in tests. A Transport calls its
// Sink from any thread; a Connection is called by the serve thread only.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ir/envoy_build.h"
#include "serve/resource.h"

namespace emissary::serve {

/// What counts of a DeltaDiscoveryRequest.
struct Request {
  /// Empty: a type that this server does not serve.
  std::optional<Type> type;
  std::vector<std::string> subscribe;
  std::vector<std::string> unsubscribe;
  /// initial_resource_versions: (name, version).
  std::vector<std::pair<std::string, std::string>> versions;
  /// Empty: no answer to a response.
  std::string nonce;
  bool refused = false;
  /// Why, when it is refused.
  std::string detail;
  /// Who asks; told with the first request of a stream.
  std::optional<ir::EnvoyBuild> envoy;
};

/// A DeltaDiscoveryResponse to be.
struct Response {
  Type type = Type::Cluster;
  std::string nonce;
  std::vector<ResourcePtr> resources;
  std::vector<std::string> removed;
};

/// One stream of one client.
class Connection {
 public:
  virtual ~Connection() = default;
  /// Ask for the next request: one is outstanding at most.
  virtual void read() = 0;
  /// One is outstanding at most; Sink::written follows.
  virtual void write(Response response) = 0;
  /// The last call. After it nothing may be read or written.
  virtual void finish() = 0;

  uint64_t id() const { return id_; }

 private:
  static inline std::atomic<uint64_t> next_{1};
  const uint64_t id_ = next_++;
};

class Sink {
 public:
  virtual ~Sink() = default;
  virtual void opened(std::shared_ptr<Connection> connection) = 0;
  virtual void received(uint64_t id, Request request) = 0;
  virtual void written(uint64_t id) = 0;
  /// May be called more than once.
  virtual void closed(uint64_t id) = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;
  /// False, with `error` set, when it cannot listen.
  virtual bool start(Sink& sink, std::string& error) = 0;
  /// Ends all connections; returns when none is left. The serve thread still runs meanwhile.
  virtual void stop() = 0;
};

}  // namespace emissary::serve
