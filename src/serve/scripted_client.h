#pragma once
// For tests: one client of a DeltaStream that does what the test says, on a clock that the test moves. One thread.

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "serve/delta_stream.h"

namespace emissary::serve::testing {

inline std::string numbered(std::string_view prefix, int number) { return std::string(prefix).append(std::to_string(number)); }
inline ResourcePtr cluster(const std::string& name, const std::string& content = "1", const std::string& endpoints = "") {
  return makeResource(Type::Cluster, name, name + content, {}, endpoints);
}
inline ResourcePtr eds(const std::string& name, const std::string& content = "1") { return cluster(name, content, name); }
inline ResourcePtr endpoints(const std::string& name, const std::string& content = "1") {
  return makeResource(Type::Endpoints, name, name + content);
}
inline ResourcePtr naming(Type type, const std::string& name, std::vector<std::string> clusters, const std::string& content) {
  std::string bytes = name + content;
  for (const std::string& cluster : clusters) bytes.append(" ").append(cluster);
  return makeResource(type, name, bytes, std::move(clusters));
}
inline ResourcePtr routes(const std::string& name, std::vector<std::string> clusters, const std::string& content = "1") {
  return naming(Type::Routes, name, std::move(clusters), content);
}
inline ResourcePtr listener(const std::string& name, std::vector<std::string> clusters, const std::string& content = "1") {
  return naming(Type::Listener, name, std::move(clusters), content);
}
inline ResourcePtr other(Type type, const std::string& name, const std::string& content = "1") {
  return makeResource(type, name, name + content);
}

/// What all streams share.
struct World {
  Published published;
  StreamOptions options;
  Time now{std::chrono::hours(1)};
  uint64_t generation = 0;

  std::vector<ResourceKey> apply(std::vector<ResourcePtr> upserts, std::vector<ResourceKey> removals = {}) {
    return published.apply({++generation, std::move(upserts), std::move(removals), now});
  }
};

class Client final : public StreamEvents {
 public:
  explicit Client(World& world) : world_(world), stream_(world.published, world.options, *this, world.now) {}

  void publish(std::vector<ResourcePtr> upserts, std::vector<ResourceKey> removals = {}) {
    changed(world_.apply(std::move(upserts), std::move(removals)));
  }
  void changed(const std::vector<ResourceKey>& keys) { stream_.changed(keys, world_.now); }
  void request(const Request& request) { stream_.request(request, world_.now); }
  void wildcard(Type type) { request({.type = type}); }
  void subscribe(Type type, std::vector<std::string> names) { request({.type = type, .subscribe = std::move(names)}); }
  void unsubscribe(Type type, std::vector<std::string> names) { request({.type = type, .unsubscribe = std::move(names)}); }
  void reconnect(Type type, std::vector<std::string> names, const std::vector<ResourcePtr>& had) {
    Request r{.type = type, .subscribe = std::move(names)};
    for (const ResourcePtr& resource : had) r.versions.emplace_back(resource->name, resource->version);
    request(r);
  }
  void ack(const Response& response) { request({.type = response.type, .nonce = response.nonce}); }
  void nack(const Response& response, const std::string& detail = "bad") {
    request({.type = response.type, .nonce = response.nonce, .refused = true, .detail = detail});
  }
  void pass(std::chrono::milliseconds time) {
    world_.now += time;
    stream_.tick(world_.now);
  }

  std::optional<Response> next() { return stream_.next(world_.now); }
  /// All that can be written without an answer.
  std::vector<Response> drain() {
    std::vector<Response> all;
    while (auto response = next()) all.push_back(std::move(*response));
    return all;
  }
  /// Takes all and accepts all, until there is no more.
  std::vector<Response> drainAndAck() {
    std::vector<Response> all;
    while (auto response = next()) {
      ack(*response);
      all.push_back(std::move(*response));
    }
    return all;
  }

  void onNack(Type) override { ++nacks; }

  DeltaStream& stream() { return stream_; }
  size_t nacks = 0;

 private:
  World& world_;
  DeltaStream stream_;
};

/// "cluster +a +b -c; routes +r" for a list of responses.
inline std::string show(const std::vector<Response>& responses) {
  std::string text;
  for (const Response& response : responses) {
    if (!text.empty()) text += "; ";
    text += typeLabel(response.type);
    for (const ResourcePtr& resource : response.resources) text.append(" +").append(resource->name);
    for (const std::string& name : response.removed) text.append(" -").append(name);
  }
  return text;
}
inline std::string show(const std::optional<Response>& response) { return response ? show(std::vector{*response}) : ""; }

}  // namespace emissary::serve::testing
