#pragma once
// For tests: an API server that knows Leases, the status of objects and Events, and can be told to fail.

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kube/testing.h"
#include "manifest/parse.h"
#include "model/live_status.h"
#include "status/document.h"

namespace emissary::status::testing {

class FakeServer {
 public:
  using Json = nlohmann::json;

  struct Write {
    std::string client;
    ObjectRef ref;
    kube::Loop::Clock::time_point at;
  };

  explicit FakeServer(kube::FakeLoop& loop) : loop_(loop) {}

  /// Answers one request at once. `client`: who asks.
  kube::Response handle(const std::string& client, const kube::Request& request) {
    if (fault) {
      if (auto response = fault(client, request)) return *response;
    }
    if (request.path.starts_with("/apis/coordination.k8s.io/")) return lease(client, request);
    if (request.path.ends_with("/events")) {
      events.push_back(Json::parse(request.body));
      return ok({});
    }
    if (request.path == "/apis/getambassador.io/v3alpha1") {
      Json resources = Json::array();
      for (const Kind kind : kKinds) {
        resources.push_back({{"name", pluralOf(kind)}});
        if (!without_status.contains(kind)) resources.push_back({{"name", pluralOf(kind) + "/status"}});
      }
      return ok({{"kind", "APIResourceList"}, {"resources", resources}});
    }
    return status(client, request);
  }

  void add(const ObjectRef& ref, Json status = nullptr) {
    objects[ref] = {{"metadata", {{"name", ref.name}}}, {"status", std::move(status)}};
  }
  model::Observed observed(const ObjectRef& ref) const {
    const manifest::ParseResult read = manifest::parse(objects.at(ref).dump());
    return {ref, "uid-" + ref.name, 1, model::readLiveStatus(read.documents.at(0).find("status"))};
  }
  const Json& statusOf(const ObjectRef& ref) const { return objects.at(ref).at("status"); }
  std::string holder() const { return leases.empty() ? "" : leases.begin()->second["spec"].value("holderIdentity", ""); }

  std::map<ObjectRef, Json> objects;
  std::map<std::string, Json> leases;
  std::vector<Json> events;
  std::vector<Write> writes;
  std::set<Kind> without_status;
  /// Fields that others have written.
  std::map<ObjectRef, Json> foreign;
  bool prunes_conditions = false;
  bool refuses_conditions = false;
  std::function<std::optional<kube::Response>(const std::string& client, const kube::Request&)> fault;

 private:
  static kube::Response ok(const Json& body, int status = 200) { return {status, body.dump(), {}, ""}; }
  static kube::Response no(int status, const std::string& message = "") {
    return {status, Json{{"kind", "Status"}, {"message", message}}.dump(), {}, ""};
  }

  kube::Response lease(const std::string&, const kube::Request& request) {
    Json body = request.method == "GET" ? Json() : Json::parse(request.body);
    std::string path = request.path;
    if (request.method == "POST") path += "/" + body["metadata"]["name"].get<std::string>();
    const auto it = leases.find(path);
    if (request.method == "GET") return it == leases.end() ? no(404) : ok(it->second);
    if (request.method == "POST" && it != leases.end()) return no(409);
    if (request.method == "PUT") {
      if (it == leases.end()) return no(404);
      if (body["metadata"].value("resourceVersion", "") != it->second["metadata"]["resourceVersion"]) return no(409);
    }
    body["metadata"]["resourceVersion"] = std::to_string(++version_);
    leases[path] = body;
    return ok(body, request.method == "POST" ? 201 : 200);
  }

  kube::Response status(const std::string& client, const kube::Request& request) {
    const Json body = Json::parse(request.body);
    const ObjectRef ref{kindNamed(body["kind"].get<std::string>()), body["metadata"]["namespace"], body["metadata"]["name"]};
    const auto it = objects.find(ref);
    if (it == objects.end() || without_status.contains(ref.kind)) return no(404);
    if (!request.path.starts_with(statusPath(ref) + "?fieldManager=emissary&force=true")) return no(400);
    if (request.method != "PATCH" || request.content_type != "application/apply-patch+yaml") return no(415);
    Json status = body["status"];
    if (refuses_conditions && status.contains("conditions")) {
      return no(500, "failed to create typed patch object: .status.conditions: field not declared in schema");
    }
    if (prunes_conditions) status.erase("conditions");
    writes.push_back({client, ref, loop_.now()});
    // What is applied becomes the applier's; the rest of others' stays.
    Json& theirs = foreign[ref];
    if (theirs.is_null()) theirs = Json::object();
    for (const auto& [field, value] : status.items()) theirs.erase(field);
    status.update(theirs);
    it->second["status"] = status;
    return ok(it->second);
  }

  kube::FakeLoop& loop_;
  int version_ = 0;
};

/// One instance's connection to it: answers come after a while.
class ServerClient : public kube::Client {
 public:
  ServerClient(std::string name, kube::FakeLoop& loop, FakeServer& server) : name_(std::move(name)), loop_(loop), server_(server) {}

  Call send(kube::Request request, Done done) override {
    const Call call = ++last_;
    open_.insert(call);
    most_ = std::max(most_, open_.size());
    // It arrives half way; whoever has given it up by then may or may not have sent it.
    loop_.after(latency() / 2, [this, call, request = std::move(request), done = std::move(done)] {
      if (dead_ || (!open_.contains(call) && lost_when_cancelled)) return;
      kube::Response response = server_.handle(name_, request);
      loop_.after(latency() / 2, [this, call, response = std::move(response), done] {
        if (!dead_ && open_.erase(call) > 0) done(response);
      });
    });
    return call;
  }
  Call watch(kube::Request, Piece, Done) override { return 0; }
  void cancel(Call call) override { open_.erase(call); }

  /// Nothing comes or goes any more: the process is dead.
  void die() { dead_ = true; }
  size_t most() const { return most_; }

  std::function<std::chrono::milliseconds()> latency = [] { return std::chrono::milliseconds(4); };
  bool lost_when_cancelled = true;

 private:
  const std::string name_;
  kube::FakeLoop& loop_;
  FakeServer& server_;
  std::set<Call> open_;
  Call last_ = 0;
  size_t most_ = 0;
  bool dead_ = false;
};

}  // namespace emissary::status::testing
