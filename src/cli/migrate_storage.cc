#include <fmt/format.h>

#include <condition_variable>
#include <cstdio>
#include <memory>
#include <mutex>
#include <thread>

#include "base/version.h"
#include "cli/commands.h"
#include "kube/config.h"
#include "kube/curl_client.h"
#include "kube/event_loop.h"
#include "webhook/storage_migration.h"

namespace emissary::cli {
namespace {

/// Requests that run side by side.
constexpr size_t kTogether = 16;
constexpr std::chrono::seconds kPause{2};

/// Waits for the answers to requests that a loop sends, some at a time.
class Asker {
 public:
  Asker(const kube::Config& config) : client_(config, loop_, fmt::format("emissary-migrate-storage/{}", kVersion)) {
    loop_.start();
  }
  ~Asker() { loop_.stop(); }

  std::vector<kube::Response> ask(std::vector<kube::Request> requests) {
    if (requests.empty()) return {};
    answers_.assign(requests.size(), {});
    requests_ = std::move(requests);
    next_ = done_ = 0;
    loop_.post([this] {
      for (size_t i = 0; i < kTogether; ++i) sendNext();
    });
    std::unique_lock lock(mutex_);
    all_.wait(lock, [this] { return done_ == requests_.size(); });
    return std::move(answers_);
  }

 private:
  void sendNext() {
    if (next_ == requests_.size()) return;
    const size_t index = next_++;
    client_.send(requests_[index], [this, index](kube::Response response) {
      answers_[index] = std::move(response);
      sendNext();
      std::lock_guard lock(mutex_);
      if (++done_ == requests_.size()) all_.notify_one();
    });
  }

  kube::EventLoop loop_;
  kube::CurlClient client_;
  std::vector<kube::Request> requests_;  // between ask() and its end the loop's
  std::vector<kube::Response> answers_;
  size_t next_ = 0;
  std::mutex mutex_;
  std::condition_variable all_;
  size_t done_ = 0;
};

}  // namespace

int migrateStorage(const settings::Settings& settings) {
  log::init(settings.log_level, settings.json_logging, "migrate-storage");
  std::string error;
  const auto config = kube::findConfig(settings.kubeconfig, settings.kubernetes_host, settings.kubernetes_port, error);
  if (!config) {
    std::fprintf(stderr, "emissary migrate-storage: %s\n", error.c_str());
    return 1;
  }
  Asker asker(*config);
  const webhook::MigrationHooks hooks{
      [&](std::vector<kube::Request> requests) { return asker.ask(std::move(requests)); },
      [] { std::this_thread::sleep_for(kPause); },
      [](const std::string& text) {
        std::printf("%s\n", text.c_str());
        std::fflush(stdout);
      },
      [](const std::string& text) { std::fprintf(stderr, "error: %s\n", text.c_str()); },
  };
  const bool good = webhook::migrateStorage(hooks, {settings.apply, settings.drop_older});
  if (good && !settings.apply) std::puts("nothing was written: --apply does it");
  return good ? 0 : 1;
}

}  // namespace emissary::cli
