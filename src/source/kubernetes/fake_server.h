#pragma once
// For tests: an API server in memory behind a FakeClient. Objects with versions, a history that can be compacted, pages, watches,
// field selectors by name and namespace, discovery; and everything that can go wrong, as the test says.

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kube/testing.h"
#include "source/kubernetes/kinds.h"

namespace emissary::source {

class FakeServer {
 public:
  using Json = nlohmann::json;
  /// A request, taken apart.
  struct Asked {
    std::string path, plural, ns;
    std::map<std::string, std::string> query;
    bool is_watch = false;
    std::string value(const std::string& key) const {
      const auto it = query.find(key);
      return it == query.end() ? "" : it->second;
    }
  };

  explicit FakeServer(kube::FakeClient& client) : client_(client) {
    for (const Resource& resource : resources()) served.emplace(resource.plural);
  }

  /// An answer other than the usual; nothing: the usual one.
  std::function<std::optional<kube::Response>(const Asked&)> intercept;
  /// What becomes of the bytes of a watch on the way; false: the connection breaks after them.
  std::function<bool(std::string&)> spoil;
  std::set<std::string> served;
  /// Versions of groups that are there: "/apis/networking.k8s.io/v1".
  std::set<std::string> missing_versions;
  bool expired_as_event = false;
  /// Lists may come as the beginning of a watch.
  bool streams = true;

  static Json refusal(int code, const std::string& message) {
    return {{"kind", "Status"}, {"apiVersion", "v1"}, {"status", "Failure"}, {"code", code}, {"message", message}};
  }
  static kube::Response failure(int code, const std::string& message) { return {code, refusal(code, message).dump(), {}, ""}; }

  void put(Kind kind, const std::string& ns, const std::string& name, Json object) {
    const Resource& resource = resourceOf(kind);
    auto& all = objects_[std::string(resource.plural)];
    const std::string key = ns + "/" + name;
    const auto it = all.find(key);
    Json& metadata = object["metadata"];
    metadata["name"] = name;
    if (!ns.empty()) metadata["namespace"] = ns;
    metadata["resourceVersion"] = std::to_string(++version_);
    if (!metadata.contains("uid"))
      metadata["uid"] = it != all.end() ? it->second["metadata"]["uid"] : Json("u" + std::to_string(version_));
    if (!metadata.contains("generation")) {
      const bool same = it != all.end() && it->second.value("spec", Json()) == object.value("spec", Json());
      metadata["generation"] = it == all.end() ? 1 : it->second["metadata"]["generation"].get<int>() + (same ? 0 : 1);
    }
    record(it == all.end() ? "ADDED" : "MODIFIED", resource, object);
    all[key] = std::move(object);
  }
  void setStatus(Kind kind, const std::string& ns, const std::string& name, const Json& status) {
    Json object = objects_.at(std::string(resourceOf(kind).plural)).at(ns + "/" + name);
    object["status"] = status;
    put(kind, ns, name, std::move(object));
  }
  void remove(Kind kind, const std::string& ns, const std::string& name) {
    const Resource& resource = resourceOf(kind);
    auto& all = objects_[std::string(resource.plural)];
    const auto it = all.find(ns + "/" + name);
    if (it == all.end()) return;
    Json object = it->second;
    object["metadata"]["resourceVersion"] = std::to_string(++version_);
    record("DELETED", resource, object);
    all.erase(it);
  }
  const std::map<std::string, Json>& all(Kind kind) { return objects_[std::string(resourceOf(kind).plural)]; }

  /// What happened before now is forgotten, and lists begun cannot be continued.
  void compact() {
    compacted_ = version_;
    snapshots_.clear();
  }
  int64_t version() const { return version_; }
  /// Back, or ahead.
  void setVersion(int64_t version) {
    version_ = version;
    std::erase_if(history_, [version](const Event& event) { return event.version > version; });
  }

  /// Answer what is asked, and send watches what has happened. False: there was nothing to do.
  bool step() {
    bool any = false;
    std::vector<kube::Client::Call> calls;
    for (const auto& [call, asked] : client_.open()) calls.push_back(call);
    for (const kube::Client::Call call : calls) {
      if (client_.open().contains(call)) any |= serve(call);
    }
    return any;
  }
  /// Until all is quiet.
  void run() {
    for (int i = 0; i < 10'000 && step(); ++i) {
    }
  }
  /// To every watch, as servers do about once a minute.
  void bookmark() {
    std::vector<kube::Client::Call> calls;
    for (const auto& [call, asked] : client_.open()) {
      if (asked.is_watch && watches_.contains(call)) calls.push_back(call);
    }
    const Json object = {{"metadata", {{"resourceVersion", std::to_string(version_)}}}};
    for (const kube::Client::Call call : calls) client_.stream(call, Json{{"type", "BOOKMARK"}, {"object", object}}.dump() + "\n");
  }
  /// End every watch, as `response` says.
  void endWatches(const kube::Response& response) {
    std::vector<kube::Client::Call> calls;
    for (const auto& [call, asked] : client_.open()) {
      if (asked.is_watch && watches_.contains(call)) calls.push_back(call);
    }
    for (const kube::Client::Call call : calls) client_.answer(call, response);
  }
  static Asked parse(const kube::Request& request, bool is_watch) {
    Asked out;
    out.is_watch = is_watch;
    const size_t mark = request.path.find('?');
    out.path = request.path.substr(0, mark);
    out.plural = out.path.substr(out.path.rfind('/') + 1);
    if (const size_t at = out.path.find("/namespaces/"); at != std::string::npos) {
      const size_t begin = at + std::string("/namespaces/").size();
      out.ns = out.path.substr(begin, out.path.find('/', begin) - begin);
    }
    std::string query = mark == std::string::npos ? "" : request.path.substr(mark + 1);
    while (!query.empty()) {
      const size_t end = query.find('&');
      const std::string pair = query.substr(0, end);
      query = end == std::string::npos ? "" : query.substr(end + 1);
      const size_t equals = pair.find('=');
      out.query[pair.substr(0, equals)] = decoded(pair.substr(equals + 1));
    }
    return out;
  }

 private:
  struct Event {
    int64_t version;
    std::string type;
    std::string plural;
    std::string api_version;
    std::string kind;
    Json object;
  };

  static std::string decoded(const std::string& text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '%') {
        out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
        i += 2;
      } else {
        out += text[i];
      }
    }
    return out;
  }
  static bool matches(const Asked& asked, const Json& object) {
    const Json& metadata = object["metadata"];
    if (!asked.ns.empty() && metadata.value("namespace", "") != asked.ns) return false;
    const std::string fields = asked.value("fieldSelector");
    const std::string name = "metadata.name=";
    if (fields.starts_with(name) && metadata["name"] != fields.substr(name.size())) return false;
    return fields != "metadata.namespace!=kube-system" || metadata.value("namespace", "") != "kube-system";
  }
  static std::string kindOfPlural(const std::string& plural) {
    for (const Resource& resource : resources()) {
      if (resource.plural == plural) return std::string(kindName(resource.kind));
    }
    return "";
  }
  void record(const std::string& type, const Resource& resource, const Json& object) {
    history_.push_back({version_, type, std::string(resource.plural), apiVersion(resource, resource.versions[0]),
                        std::string(kindName(resource.kind)), object});
  }

  bool serve(kube::Client::Call call) {
    const auto& open = client_.open().at(call);
    const Asked asked = parse(open.request, open.is_watch);
    if (watches_.contains(call)) return feed(call, asked);
    if (intercept) {
      if (auto answer = intercept(asked)) {
        client_.answer(call, *answer);
        return true;
      }
    }
    const std::string group =
        asked.path.substr(0, asked.path.find('/', asked.path.starts_with("/apis/") ? asked.path.find('/', 6) + 1 : 5));
    if (missing_versions.contains(group)) {
      client_.answer(call, failure(404, "the server could not find the requested resource"));
    } else if (group == asked.path) {
      discover(call, group);
    } else if (asked.path == "/api/v1/namespaces/" + asked.ns) {
      const auto& all = objects_["namespaces"];
      const auto it = all.find("/" + asked.ns);
      it == all.end() ? client_.answer(call, failure(404, "not found")) : client_.answer(call, 200, it->second.dump());
    } else if (!served.contains(asked.plural)) {
      client_.answer(call, failure(404, "the server could not find the requested resource"));
    } else if (asked.is_watch) {
      beginWatch(call, asked);
    } else {
      list(call, asked);
    }
    return true;
  }
  void discover(kube::Client::Call call, const std::string& group) {
    Json names = Json::array();
    for (const Resource& resource : resources()) {
      const bool here = groupPath(resource.group, resource.versions[0]) == group ||
                        (!resource.versions[1].empty() && groupPath(resource.group, resource.versions[1]) == group);
      if (here && served.contains(std::string(resource.plural))) {
        names.push_back({{"name", resource.plural}});
        names.push_back({{"name", std::string(resource.plural) + "/status"}});
      }
    }
    if (names.empty() && group.find(kOurGroup) != std::string::npos) return client_.answer(call, failure(404, "not found"));
    client_.answer(call, 200, Json{{"kind", "APIResourceList"}, {"resources", names}}.dump());
  }
  void list(kube::Client::Call call, const Asked& asked) {
    size_t from = 0;
    int64_t version = version_;
    const std::string more = asked.value("continue");
    if (!more.empty()) {
      version = std::stoll(more.substr(0, more.find(':')));
      from = std::stoul(more.substr(more.find(':') + 1));
      if (!snapshots_.contains({asked.path, version})) return client_.answer(call, failure(410, "the continue token is too old"));
    } else if (!asked.value("resourceVersion").empty() && std::stoll(asked.value("resourceVersion")) > version_) {
      return client_.answer(call, failure(504, "Timeout: Too large resource version: 7, current: 3"));
    }
    std::vector<Json>& snapshot = snapshots_[{asked.path, version}];
    if (more.empty()) {
      snapshot.clear();
      for (const auto& [key, object] : objects_[asked.plural]) {
        if (matches(asked, object)) snapshot.push_back(object);
      }
    }
    const size_t limit = std::stoul(asked.value("limit"));
    Json items = Json::array();
    for (size_t i = from; i < std::min(snapshot.size(), from + limit); ++i) items.push_back(snapshot[i]);
    Json metadata = {{"resourceVersion", std::to_string(version)}};
    if (from + limit < snapshot.size()) metadata["continue"] = std::to_string(version) + ":" + std::to_string(from + limit);
    client_.answer(call, 200, Json{{"kind", "XList"}, {"metadata", metadata}, {"items", items}}.dump());
  }
  void beginWatch(kube::Client::Call call, const Asked& asked) {
    if (asked.value("sendInitialEvents") == "true") return stream(call, asked);
    const int64_t version = std::stoll(asked.value("resourceVersion"));
    if (version > version_) return client_.answer(call, failure(504, "Too large resource version: 7, current: 3"));
    if (version < compacted_) {
      const std::string message = "too old resource version: 1 (2)";
      if (!expired_as_event) return client_.answer(call, failure(410, message));
      watches_[call] = version_;
      return client_.stream(call, Json{{"type", "ERROR"}, {"object", refusal(410, message)}}.dump() + "\n");
    }
    watches_[call] = version;
    feed(call, asked);
  }
  void stream(kube::Client::Call call, const Asked& asked) {
    if (!streams) return client_.answer(call, failure(422, "sendInitialEvents: Forbidden: is not enabled"));
    const std::string oldest = asked.value("resourceVersion");
    if (!oldest.empty() && std::stoll(oldest) > version_)
      return client_.answer(call, failure(504, "Too large resource version: 7, current: 3"));
    std::string lines;
    for (const auto& [key, object] : objects_[asked.plural]) {
      if (!matches(asked, object)) continue;
      Json whole = object;
      whole["kind"] = kindOfPlural(asked.plural);
      lines += Json{{"type", "ADDED"}, {"object", whole}}.dump() + "\n";
    }
    const Json end = {{"resourceVersion", std::to_string(version_)}, {"annotations", {{"k8s.io/initial-events-end", "true"}}}};
    lines += Json{{"type", "BOOKMARK"}, {"object", {{"metadata", end}}}}.dump() + "\n";
    watches_[call] = version_;
    const bool whole = !spoil || spoil(lines);
    client_.stream(call, lines);
    if (!whole && client_.open().contains(call)) client_.answer(call, kube::Response{0, "", {}, "cut"});
  }
  bool feed(kube::Client::Call call, const Asked& asked) {
    std::string lines;
    for (const Event& event : history_) {
      if (event.version <= watches_[call] || event.plural != asked.plural || !matches(asked, event.object)) continue;
      Json object = event.object;
      object["apiVersion"] = event.api_version;
      object["kind"] = event.kind;
      lines += Json{{"type", event.type}, {"object", object}}.dump() + "\n";
    }
    watches_[call] = version_;
    if (lines.empty()) return false;
    const bool whole = !spoil || spoil(lines);
    client_.stream(call, lines);
    if (!whole && client_.open().contains(call)) client_.answer(call, kube::Response{0, "", {}, "cut"});
    return true;
  }

  kube::FakeClient& client_;
  int64_t version_ = 100;
  int64_t compacted_ = 0;
  std::map<std::string, std::map<std::string, Json>> objects_;
  std::vector<Event> history_;
  std::map<kube::Client::Call, int64_t> watches_;
  std::map<std::pair<std::string, int64_t>, std::vector<Json>> snapshots_;
};

}  // namespace emissary::source
