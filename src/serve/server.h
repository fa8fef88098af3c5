#pragma once
// The xDS server: holds what is published, answers every Envoy that connects by delta ADS. One thread (`serve`) owns all its
// state; the gRPC threads only pass messages. Nothing here blocks on a client: a slow one has one response in
// flight and its later changes merge.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "serve/resource.h"

namespace emissary::serve {

/// An answer of Envoy's, for status and diagnostics.
struct Refusal {
  ResourceKey key;
  std::string version;
  std::string detail;
};

/// Called from the serve thread.
struct Observer {
  virtual ~Observer() = default;
  /// The first stream sent everything that belongs to `generation`.
  virtual void onSent(uint64_t generation) = 0;
  /// Every resource of `generation` was acknowledged or refused by all connected clients, or is past its bound.
  virtual void onAnswered(uint64_t generation) = 0;
  /// The same with no bound: what Envoy did not answer is not confirmed, however long it takes.
  virtual void onConfirmed(uint64_t /*generation*/) {}
  /// The set of refused resources changed.
  virtual void onRefused(const std::vector<Refusal>& all) = 0;
  virtual void onResponse(Type type, size_t resources, size_t bytes) = 0;
  virtual void onNack(Type type) = 0;
  virtual void onStreams(size_t connected) = 0;
  /// What all connected clients have is another. Those that lack more than what is published takes into account wait for an Update
  /// made for them.
  virtual void onEnvoy(const ir::EnvoyBuild& /*envoy*/) {}
  /// Routes that wait for clusters longer than their bound (names of RouteConfigurations).
  virtual void onHeld(const std::vector<std::string>& held) = 0;
};

struct StreamOptions {
  /// How long Routes wait for a cluster that was sent and not answered.
  std::chrono::milliseconds hold_bound{3000};
  /// The same, while the client withholds its answers about clusters anyway.
  std::chrono::milliseconds stuck_bound{250};
  /// How long a removed cluster outlives the last routes that name it: retries, shadows.
  std::chrono::milliseconds removal_grace{5000};
  /// The most that one response holds.
  size_t chunk_resources = 500;
  size_t chunk_bytes = 1 << 20;
};

struct ServerOptions {
  /// "unix:/path" or "127.0.0.1:8003".
  std::string address;
  /// A generation that a client did not answer in this time counts as answered.
  std::chrono::milliseconds answer_bound{15000};
  /// A Listener whose address Envoy could not bind is offered again after this time: whoever holds the address may have left. Every
  /// other refusal lies in the bytes and is final.
  std::chrono::milliseconds address_retry{5000};
  StreamOptions stream;
};

class Transport;

class Server {
 public:
  Server(const ServerOptions& options, Observer& observer);
  /// For tests: carried by something else than gRPC.
  Server(ServerOptions options, Observer& observer, std::unique_ptr<Transport> transport);
  ~Server();

  /// Start listening. False, with `error` set, when the address cannot be bound.
  bool start(std::string& error);
  /// From any thread.
  void publish(Update update);
  /// Ends all streams; afterwards the observer is not called any more.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace emissary::serve
