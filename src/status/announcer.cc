#include "status/announcer.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "model/live_status.h"
#include "model/text.h"

namespace emissary::status {
namespace {

constexpr size_t kMostMessage = 1024;  // of Kubernetes'
constexpr const char* kTopic = "events";

}  // namespace

Announcer::Announcer(Options options, kube::Loop& loop, kube::Client& client, Tell tell)
    : options_(std::move(options)),
      loop_(loop),
      client_(client),
      tell_(std::move(tell)),
      tokens_(options_.burst),
      filled_(loop.now()) {}

Announcer::~Announcer() {
  for (const kube::Client::Call call : calls_) client_.cancel(call);
}

void Announcer::warn(const ObjectRef& ref, std::string_view uid, std::string_view reason, std::string_view message) {
  const auto now = loop_.now();
  if (now < blocked_until_) return;
  tokens_ = std::min(options_.burst, tokens_ + options_.per_second * std::chrono::duration<double>(now - filled_).count());
  filled_ = now;
  if (tokens_ < 1) return;
  tokens_ -= 1;

  std::string joined(message);
  std::replace(joined.begin(), joined.end(), '\n', ' ');
  const std::string time = model::timeOf(options_.wall_clock());
  const nlohmann::json event = {
      {"apiVersion", "v1"},
      {"kind", "Event"},
      {"metadata", {{"generateName", ref.name.substr(0, 200) + "."}, {"namespace", ref.ns}}},
      {"involvedObject",
       {{"apiVersion", "getambassador.io/v3alpha1"},
        {"kind", kindName(ref.kind)},
        {"namespace", ref.ns},
        {"name", ref.name},
        {"uid", uid}}},
      {"type", "Warning"},
      {"reason", reason},
      {"message", model::printable(joined, kMostMessage - 8)},
      {"source", {{"component", "emissary"}}},
      {"reportingComponent", "getambassador.io/emissary"},
      {"reportingInstance", options_.instance.substr(0, 128)},
      {"firstTimestamp", time},
      {"lastTimestamp", time},
      {"count", 1},
  };
  const std::string body = event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const auto call = std::make_shared<kube::Client::Call>(0);
  *call = client_.send({"POST", fmt::format("/api/v1/namespaces/{}/events", ref.ns), body},
                       [this, call](const kube::Response& response) {
                         calls_.erase(*call);
                         answered(response);
                       });
  calls_.insert(*call);
}

void Announcer::answered(const kube::Response& response) {
  if (response.ok()) return tell_(kTopic, "");
  if (response.status != 403) return;
  blocked_until_ = loop_.now() + options_.forbidden_retry;
  tell_(kTopic, fmt::format("no Events are made of errors, for it is forbidden: {}; grant create on events", response.text()));
}

}  // namespace emissary::status
