#include "kube/credentials.h"

#include <fmt/format.h>

#include <mutex>
#include <thread>
#include <utility>

#include "base/base64.h"
#include "base/log.h"

namespace emissary::kube {
namespace {

using namespace std::chrono_literals;

// As client-go: a token file is looked at again each minute.
constexpr auto kReadAgain = 60s;
constexpr auto kPluginPatience = 60s;
constexpr auto kPluginPause = 10s;
/// Before it expires.
constexpr auto kInTime = 60s;

void trim(std::string& text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
}

}  // namespace

/// What the plugin's thread needs to tell us, or to learn that we are gone.
struct Credentials::Shared {
  std::mutex mutex;
  Credentials* owner = nullptr;
};

Credentials::Credentials(const Config& config, Loop& loop) : config_(config), loop_(loop), shared_(std::make_shared<Shared>()) {
  shared_->owner = this;
}

Credentials::~Credentials() {
  std::lock_guard lock(shared_->mutex);
  shared_->owner = nullptr;
}

void Credentials::readPem(const Pem& from, std::string& out) {
  if (from.file.empty()) {
    out = from.text;
    return;
  }
  std::string error;
  auto text = readSmallFile(from.file, error);
  // A file that is being replaced: what we have goes on.
  if (text && !text->empty()) out = std::move(*text);
  else if (out.empty()) now_.problem = error.empty() ? from.file + " is empty" : error;
}

void Credentials::readFiles() {
  now_.problem.clear();
  readPem(config_.ca, now_.ca);
  readPem(config_.client_certificate, now_.client_certificate);
  readPem(config_.client_key, now_.client_key);
  std::string token = config_.token;
  if (!config_.token_file.empty()) {
    std::string error;
    if (auto text = readSmallFile(config_.token_file, error)) token = std::move(*text);
    else if (now_.authorization.empty()) now_.problem = error;
    else return;
  }
  trim(token);
  if (!token.empty()) now_.authorization = "Bearer " + token;
  else if (!config_.username.empty()) now_.authorization = "Basic " + encodeBase64(config_.username + ":" + config_.password);
}

bool Credentials::fresh() const {
  if (!read_at_) return false;
  if (!config_.exec) return loop_.now() < *read_at_ + kReadAgain;
  return plugin_ && (!plugin_->expires || std::chrono::system_clock::now() + kInTime < *plugin_->expires);
}

void Credentials::get(Ready ready) {
  if (fresh()) {
    ready(now_);
    return;
  }
  read_at_ = loop_.now();
  readFiles();
  if (!config_.exec || loop_.now() < not_before_) {
    ready(now_);
    return;
  }
  waiting_.push_back(std::move(ready));
  fetch();
}

void Credentials::refused() {
  read_at_.reset();
  plugin_.reset();
}

void Credentials::distrusted() { readPem(config_.ca, now_.ca); }

void Credentials::fetch() {
  if (std::exchange(fetching_, true)) return;
  std::thread([config = config_, shared = shared_] {
    std::string error;
    auto got = runPlugin(*config.exec, config, kPluginPatience, error);
    std::lock_guard lock(shared->mutex);
    if (shared->owner == nullptr) return;
    shared->owner->loop_.post([shared, got = std::move(got), error = std::move(error)]() mutable {
      if (shared->owner != nullptr) shared->owner->fetched(std::move(got), error);
    });
  }).detach();
}

void Credentials::fetched(std::optional<ExecCredential> got, const std::string& error) {
  fetching_ = false;
  if (got) {
    now_.problem.clear();
    now_.authorization = got->token.empty() ? "" : "Bearer " + got->token;
    if (!got->client_certificate.empty()) {
      now_.client_certificate = got->client_certificate;
      now_.client_key = got->client_key;
    }
    plugin_ = std::move(got);
  } else {
    log::error("the exec plugin of the kubeconfig gives no credential", {{"command", config_.exec->command}, {"why", error}});
    now_.problem = fmt::format("the exec plugin {} gives no credential: {}", config_.exec->command, error);
    not_before_ = loop_.now() + kPluginPause;
  }
  for (const Ready& ready : std::exchange(waiting_, {})) ready(now_);
}

}  // namespace emissary::kube
