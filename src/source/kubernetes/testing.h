#pragma once
// For tests of this folder: a source between a FakeServer and a store that adds up what it is told.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "kube/testing.h"
#include "source/kubernetes/fake_server.h"
#include "source/kubernetes/kubernetes_source.h"

namespace emissary::source {

class World {
 public:
  using Json = nlohmann::json;

  /// `streaming`: lists come as streams where the server has it. In pages there is more to see.
  explicit World(KubernetesOptions given = {}, bool streaming = false) : server(client), options(std::move(given)) {
    options.seed = 1;
    options.bounds.streaming = streaming;
    if (options.ns == "default") options.ns = "own";
  }

  void start() {
    source = std::make_unique<KubernetesSource>(
        options, loop, client, [this](Batch batch) { take(std::move(batch)); },
        [this](std::vector<model::Sighting> sightings) {
          for (model::Sighting& sighting : sightings) seen.push_back(std::move(sighting));
        });
    source->start();
    settle();
  }
  void settle() {
    do {
      loop.settle();
    } while (server.step());
    loop.settle();
  }
  /// Time passes, in small steps, and the server answers.
  void pass(std::chrono::milliseconds time, std::chrono::milliseconds step = std::chrono::milliseconds(100)) {
    for (auto left = time; left.count() > 0; left -= step) {
      loop.advance(std::min(step, left));
      settle();
    }
  }

  // ---- what the store would hold
  void take(Batch batch) {
    EXPECT_FALSE(batch.events.empty());
    for (const Event& event : batch.events) {
      if (const auto* upsert = std::get_if<Upsert>(&event)) objects[upsert->object->ref] = upsert->object;
      if (const auto* deletion = std::get_if<Delete>(&event)) {
        EXPECT_EQ(objects.erase(deletion->ref), 1u) << deletion->ref.text();
        deleted.push_back(deletion->ref.text());
      }
      if (const auto* told = std::get_if<FileFindings>(&event)) {
        findings[told->path] = told->findings;
        if (told->findings.empty()) findings.erase(told->path);
      }
      if (std::holds_alternative<Synced>(event)) ++synced;
    }
    batches.push_back(std::move(batch));
  }
  /// "Mapping default/a", sorted by kind.
  std::string held() const {
    std::string out;
    for (const auto& [ref, object] : objects) out += (out.empty() ? "" : ", ") + ref.text();
    return out;
  }
  bool has(Kind kind, const std::string& ns, const std::string& name) const { return objects.contains({kind, ns, name}); }
  std::string told() const {
    std::string out;
    for (const auto& [path, about] : findings) {
      for (const Finding& finding : about) {
        out += path + ": " + std::string(severityName(finding.severity)) + ": " +
               (finding.object.kind == Kind::Unknown ? "" : finding.object.text() + " " + finding.field + ": ") + finding.message +
               "\n";
      }
    }
    return out;
  }
  const KindStats& stats(Kind kind) const { return source->stats().kinds[resourceIndex(kind)]; }
  /// Of the log of requests, those that hold `part`.
  std::vector<std::string> asked(const std::string& part) const {
    std::vector<std::string> out;
    for (const std::string& line : client.log()) {
      if (line.find(part) != std::string::npos) out.push_back(line);
    }
    return out;
  }

  // ---- objects
  void mapping(const std::string& name, const std::string& prefix = "/", Json more = Json::object()) {
    Json spec = {{"hostname", "*"}, {"prefix", prefix}, {"service", "s"}};
    spec.update(more);
    server.put(Kind::Mapping, "default", name, {{"spec", spec}});
  }
  void host(const std::string& name, const std::string& secret) {
    server.put(Kind::Host, "default", name, {{"spec", {{"hostname", name + ".x"}, {"tlsSecret", {{"name", secret}}}}}});
  }
  void secret(const std::string& name, const std::string& text = "dGV4dA==", const std::string& ns = "default") {
    server.put(Kind::Secret, ns, name, {{"type", "Opaque"}, {"data", {{"tls.crt", text}}}});
  }

  kube::FakeLoop loop;
  kube::FakeClient client;
  FakeServer server;
  KubernetesOptions options;
  std::unique_ptr<KubernetesSource> source;
  std::map<ObjectRef, ObjectPtr> objects;
  std::map<std::string, std::vector<Finding>> findings;
  std::vector<Batch> batches;
  std::vector<std::string> deleted;
  std::vector<model::Sighting> seen;
  int synced = 0;
};

}  // namespace emissary::source
