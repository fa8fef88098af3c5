#include "diagnostics/console.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/memory.h"
#include "diagnostics/features.h"
#include "diagnostics/overview.h"
#include "diagnostics/page.h"

namespace emissary::diagnostics {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kDiag = "/ambassador/v0/diag";
constexpr size_t kLarge = 1 << 20;  // of an answer, which took ten times as much to make
constexpr std::string_view kFavicon = "/ambassador/v0/favicon.ico";
constexpr std::string_view kDebug = "/debug";
constexpr std::string_view kPing = "/_internal/v0/ping";
constexpr std::string_view kFeatures = "/_internal/v0/features";

bool isKnown(std::string_view path) {
  const bool diag = path.starts_with(kDiag) && (path.size() == kDiag.size() || path[kDiag.size()] == '/');
  return diag || path == kFavicon || path == kDebug || path == kPing || path == kFeatures;
}

Reply text(int status, std::string body) { return {status, "text/plain; charset=utf-8", std::move(body), ""}; }
Reply html(std::string body) { return {200, "text/html; charset=utf-8", std::move(body), ""}; }
Reply json(const Json& value) {
  return {200, "application/json", value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n", ""};
}

bool wantsJson(const Request& request) { return !request.parameter("json").empty() || !request.parameter("filter").empty(); }

bool admitted(const engine::DiagnosticsRule& rule, bool local) { return rule.enabled || local || rule.allow_non_local; }

/// Without the text of the sources, which a patch would only blow up. With keys in order: the library compares those faster.
nlohmann::json forPatch(const Scene& scene) {
  Json all = overview(scene);
  for (Json& element : all["ambassador_elements"]) {
    for (Json& object : element["objects"]) object.erase("serialization");
  }
  return nlohmann::json::parse(all.dump(-1, ' ', false, Json::error_handler_t::replace));
}

/// Counts who is in the line, himself included.
class Place {
 public:
  explicit Place(std::atomic<int>& line) : line_(line), number_(++line) {}
  ~Place() { --line_; }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  int number() const { return number_; }

 private:
  std::atomic<int>& line_;
  const int number_;
};

}  // namespace

Console::Console(About about, Sources sources)
    : sources_(std::move(sources)), envoy_(sources_.envoy), about_(std::make_shared<const About>(std::move(about))) {}

void Console::cluster(const std::string& id) {
  std::lock_guard lock(about_mutex_);
  About now = *about_;
  now.cluster_id = id;
  about_ = std::make_shared<const About>(std::move(now));
}

Reply Console::answer(const Request& request) {
  if (!isKnown(request.path)) return text(404, "Not found\n");
  if (request.method != "GET" && request.method != "HEAD") return text(405, "Method not allowed\n");
  if (request.path == kFavicon) return {200, "image/svg+xml", std::string(favicon()), ""};
  if (request.path == kDebug) return {200, "application/json", debugJson(timers_) + "\n", ""};
  if (request.path == kPing) return request.local ? text(200, "ACK\n") : text(403, "Forbidden\n");
  const Place place(in_line_);
  if (place.number() > kLine) return text(503, "Too many ask for diagnostics at the same time; try again\n");
  Reply reply = route(request);
  if (reply.body.size() > kLarge) memory::giveBack();
  return reply;
}

Reply Console::route(const Request& request) {
  const bool features_wanted = request.path == kFeatures;
  if (features_wanted && !request.local) return text(403, "Forbidden\n");

  std::lock_guard lock(mutex_);
  std::erase_if(seen_, [now = Clock::now()](const auto& seen) { return now - seen.second.at > kPatchMemory; });
  StatePtr state = sources_.state();
  if (!state)
    return text(503, features_wanted ? "Can't do features before configuration" : "Can't do overview before configuration");
  const engine::DiagnosticsRule rule = state->view->diagnostics;
  if (features_wanted) return json(features(sceneOf(std::move(state), request)));
  if (!admitted(rule, request.local)) return text(404, "Not found\n");
  if (request.path.size() == kDiag.size()) return {308, "text/plain; charset=utf-8", "", "diag/"};

  // Whoever may look may not yet change how much is logged.
  if (const std::string level = request.parameter("loglevel"); !level.empty()) {
    if (!request.local && !rule.allow_non_local) return text(403, "Forbidden\n");
    if (envoy_.setLevel(level)) sources_.debug(level == "debug");
  }
  const Scene scene = sceneOf(std::move(state), request);
  const std::string source = request.path.substr(kDiag.size() + 1);
  if (source.empty()) return overviewReply(scene, request);

  const bool as_json = wantsJson(request);
  auto found = detail(scene, source, as_json ? request.parameter("filter") : "");
  if (!found) return text(404, "Not found\n");
  if (!as_json) return html(detailPage(*found));
  if (request.parameter("filter").empty()) {
    for (const char* echoed : {"method", "resource"}) (*found)[echoed] = request.parameter(echoed);
  }
  return json(*found);
}

Reply Console::overviewReply(const Scene& scene, const Request& request) {
  const std::string client = request.parameter("patch_client");
  if (!client.empty() && !request.parameter("json").empty() && client.size() <= 256) return patchReply(client, scene);
  if (wantsJson(request)) return json(overview(scene, request.parameter("filter")));
  return html(overviewPage(overviewForPage(scene)));
}

// What a client saw is made again from what it was made of: that is shared, the text would not be.
Reply Console::patchReply(const std::string& client, const Scene& scene) {
  const auto before = seen_.find(client);
  const nlohmann::json old = before == seen_.end() ? nlohmann::json::object() : forPatch(before->second.scene);
  const nlohmann::json patch = nlohmann::json::diff(old, forPatch(scene));
  seen_[client] = {scene, Clock::now()};
  if (seen_.size() > kPatchClients) {
    seen_.erase(
        std::min_element(seen_.begin(), seen_.end(), [](const auto& a, const auto& b) { return a.second.at < b.second.at; }));
  }
  return {200, "application/json", patch.dump() + "\n", ""};
}

Scene Console::sceneOf(StatePtr state, const Request& request) {
  const Clock::time_point now = Clock::now();
  Scene scene;
  scene.state = std::move(state);
  scene.envoy = envoy_.look(now);
  {
    std::lock_guard lock(about_mutex_);
    scene.about = about_;
  }
  scene.scheme = request.scheme == "https" ? "https" : "http";
  scene.host = request.host.substr(0, 255);
  scene.now = std::chrono::system_clock::now();
  scene.banner = banner(now);
  if (scene.envoy->updated) scene.envoy_age = std::chrono::duration_cast<std::chrono::seconds>(now - *scene.envoy->updated).count();
  return scene;
}

std::string Console::banner(Clock::time_point now) {
  if (!sources_.banner) return "";
  if (!banner_asked_ || now - *banner_asked_ > EnvoyWatch::kFresh) {
    banner_ = sources_.banner();
    banner_asked_ = now;
  }
  return banner_;
}

}  // namespace emissary::diagnostics
