#include "webhook/follower.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "webhook/json.h"

namespace emissary::webhook {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

constexpr int kPage = 20;
/// What comes together is read together.
constexpr auto kTogether = 50ms;
constexpr auto kFirstPause = 250ms;
constexpr auto kLongestPause = 10s;
/// How long a watch may last; then all is read again anyway.
constexpr auto kWatch = 240s;
constexpr auto kSilence = 300s;
constexpr std::string_view kBookmark = R"({"type":"BOOKMARK")";

}  // namespace

Follower::Follower(kube::Loop& loop, kube::Client& client, std::string path, std::string selectors, Sink sink)
    : loop_(loop), client_(client), path_(std::move(path)), selectors_(std::move(selectors)), sink_(std::move(sink)) {}

Follower::~Follower() { cancel(); }

void Follower::start() { list(); }
void Follower::hurry() { again(kTogether); }

void Follower::cancel() {
  client_.cancel(std::exchange(call_, 0));
  loop_.cancel(std::exchange(next_, 0));
}

void Follower::again(std::chrono::milliseconds pause) {
  cancel();
  next_ = loop_.after(pause, [this] {
    next_ = 0;
    more_.clear();
    list();
  });
}

void Follower::list() {
  kube::Request request;
  request.path = fmt::format("{}?limit={}{}", path_, kPage, selectors_);
  if (!more_.empty()) request.path += "&continue=" + kube::escaped(more_);
  call_ = client_.send(std::move(request), [this](const kube::Response& response) {
    call_ = 0;
    listed(response);
  });
}

void Follower::listed(const kube::Response& response) {
  if (!response.ok()) return failed(response.text());
  const Json page = Json::parse(response.body, nullptr, false);
  const std::string version = textAt(page, "/metadata/resourceVersion");
  const auto items = page.is_object() ? page.find("items") : page.end();
  if (version.empty() || items == page.end() || !(items->is_array() || items->is_null())) return failed("the answer is no list");
  if (std::exchange(more_, textAt(page, "/metadata/continue")).empty()) sink_.begin();
  for (const Json& item : *items) sink_.object(item);
  if (!more_.empty()) return list();
  backoff_ = 0ms;
  tell("");
  watch(version);
  sink_.end();
}

void Follower::watch(const std::string& version) {
  kube::Request request;
  request.path = fmt::format("{}?watch=1&allowWatchBookmarks=true&timeoutSeconds={}&resourceVersion={}{}", path_, kWatch / 1s,
                             kube::escaped(version), selectors_);
  line_.clear();
  inside_ = false;
  began_ = loop_.now();
  call_ = client_.watch(
      std::move(request), [this](std::string_view bytes) { piece(bytes); },
      [this](const kube::Response& answer) {
        call_ = 0;
        ended(answer);
      });
  next_ = loop_.after(kSilence, [this] {
    next_ = 0;
    hurry();
  });
}

void Follower::piece(std::string_view bytes) {
  for (const char c : bytes) {
    if (c == '\n') {
      inside_ = false;
      line_.clear();
    } else if (!inside_) {
      line_ += c;
      inside_ = line_.size() == kBookmark.size();
      if (inside_ && line_ != kBookmark) return hurry();
    }
  }
}

void Follower::ended(const kube::Response& response) {
  if (response.status != 200 && response.status != 410 && response.status != 0) return failed(response.text());
  const bool short_one = loop_.now() - began_ < 1s;
  again(short_one ? std::chrono::milliseconds(1s) : kTogether);
}

void Follower::failed(const std::string& why) {
  backoff_ = std::clamp<std::chrono::milliseconds>(backoff_ * 2, kFirstPause, kLongestPause);
  again(backoff_);
  tell(why);
}

void Follower::tell(const std::string& why) {
  if (std::exchange(trouble_, why) != why) sink_.trouble(why);
}

}  // namespace emissary::webhook
