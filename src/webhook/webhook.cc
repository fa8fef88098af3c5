#include "webhook/webhook.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <ctime>
#include <future>
#include <memory>
#include <optional>

#include "base/log.h"
#include "base/version.h"
#include "kube/config.h"
#include "kube/curl_client.h"
#include "kube/event_loop.h"
#include "status/lease.h"
#include "webhook/keeper.h"
#include "webhook/metrics.h"
#include "webhook/servers.h"

namespace emissary::webhook {
namespace {

using namespace std::chrono_literals;

/// In a container: how long to go on after a stop was asked for, until nobody is sent here any more.
constexpr int kLeaving = 5;
constexpr auto kRelease = 3s;
constexpr const char* kUsualNamespace = "emissary-system";

KeeperOptions keeperOptions(const settings::WebhookSettings& settings, const std::string& ns) {
  KeeperOptions out;
  out.service = {ns, settings.service};
  out.crd_selector = settings.crd_selector;
  out.manage_ca = settings.manage_ca;
  out.manage_crds = settings.manage_crds;
  out.identity = status::newIdentity();
  out.wall_clock = [] { return static_cast<int64_t>(std::time(nullptr)); };
  return out;
}

class Webhook {
 public:
  Webhook(const settings::WebhookSettings& settings, const kube::Config& config, const std::string& ns)
      : client_(config, loop_, fmt::format("emissary-webhook/{}", kVersion)),
        convert_(settings.https, namesOf({ns, settings.service}), metrics_),
        keeper_(
            keeperOptions(settings, ns), loop_, client_, [this](const Pair& pair) { show(pair); },
            [this](size_t all, size_t trusting) { metrics_.crds(all, trusting); }),
        probes_(settings.probes, [this] { return !leaving_ && keeper_.ready(); }, metrics_) {}
  ~Webhook() { loop_.stop(); }

  bool start(std::string& error) {
    if (!probes_.start(error) || !convert_.start(error)) return false;
    loop_.post([this] { keeper_.start(); });
    loop_.start();
    return true;
  }

  /// Not ready any more, and serving still.
  void leave() { leaving_ = true; }

  void stop() {
    const auto released = std::make_shared<std::promise<void>>();
    loop_.post([this, released] { keeper_.stop([released] { released->set_value(); }); });
    released->get_future().wait_for(kRelease);
    convert_.stop();
    probes_.stop();
    loop_.stop();
  }

 private:
  void show(const Pair& pair) {
    convert_.show(pair);
    metrics_.shown(validityOf(pair.certificate).not_after);
  }

  Metrics metrics_{kVersion};
  kube::EventLoop loop_;
  kube::CurlClient client_;
  ConvertServer convert_;
  Keeper keeper_;
  std::atomic<bool> leaving_ = false;
  ProbeServer probes_;
};

}  // namespace

int run(const settings::Settings& settings) {
  log::init(settings.log_level, settings.json_logging || !isatty(STDERR_FILENO), "webhook");
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT}) sigaddset(&signals, signal);
  sigprocmask(SIG_BLOCK, &signals, nullptr);  // before any thread, so that all of them leave the signals to this one
  ::signal(SIGPIPE, SIG_IGN);

  std::string error;
  const auto config = kube::findConfig(settings.kubeconfig, settings.kubernetes_host, settings.kubernetes_port, error);
  if (!config) {
    log::error(error);
    return 1;
  }
  const std::string& asked = settings.webhook.ns;
  const std::string ns = !asked.empty() ? asked : !config->ns.empty() ? config->ns : kUsualNamespace;
  const auto webhook = std::make_unique<Webhook>(settings.webhook, *config, ns);
  if (!webhook->start(error)) {
    log::error(error);
    return 1;
  }
  log::info("converting objects for the API server",
            {{"service", ns + "/" + settings.webhook.service}, {"address", settings.webhook.https.text()}});
  int signal = 0;
  while (sigwait(&signals, &signal) != 0) {
  }
  log::info("stopping");
  webhook->leave();
  const timespec pause{.tv_sec = getpid() == 1 ? kLeaving : 0, .tv_nsec = 0};
  if (pause.tv_sec > 0) sigtimedwait(&signals, nullptr, &pause);
  webhook->stop();
  return 0;
}

}  // namespace emissary::webhook
