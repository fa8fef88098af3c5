#include "control_plane/control_plane.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <memory>

#include "base/log.h"
#include "base/memory.h"
#include "base/version.h"
#include "control_plane/board.h"
#include "control_plane/cluster.h"
#include "control_plane/compiler.h"
#include "control_plane/drain.h"
#include "control_plane/reporter.h"
#include "diagnostics/admin_server.h"
#include "diagnostics/banner.h"
#include "diagnostics/cluster_metrics.h"
#include "diagnostics/console.h"
#include "diagnostics/envoy_metrics.h"
#include "diagnostics/health.h"
#include "diagnostics/metrics.h"
#include "engine/engine.h"
#include "envoy/admin_client.h"
#include "envoy/log_file.h"
#include "serve/server.h"
#include "settings/engine_options.h"
#include "source/directory/directory_source.h"
#include "supervisor/run.h"
#include "supervisor/supervisor.h"

namespace emissary::control_plane {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kReadyProbe = 2s;
constexpr auto kEnvoyMetrics = 1s;
// For somebody who looks: of Envoy for each question, and of the compile thread.
constexpr auto kEnvoyLook = 1s;
constexpr auto kLook = 3s;
// Sent by the kernel when the supervisor dies.
constexpr int kOrphaned = SIGHUP;

sigset_t ourSignals() {
  sigset_t result;
  sigemptyset(&result);
  for (const int signal : {SIGTERM, SIGINT, kOrphaned}) sigaddset(&result, signal);
  return result;
}

engine::Options optionsOf(const settings::Settings& settings) {
  engine::Options options = settings::engineOptions(settings);
  if (!settings.no_envoy) options.log_problem = envoy::logProblem;
  return options;
}

/// Tells metrics, health and the compile thread what the xDS server says. Called from the serve thread.
class Relay : public serve::Observer {
 public:
  Relay(diagnostics::Metrics& metrics, diagnostics::Health& health) : metrics_(metrics), health_(health) {}
  void connect(Compiler& compiler) { compiler_ = &compiler; }

  void onSent(uint64_t generation) override { metrics_.sent(generation, Clock::now()); }
  void onAnswered(uint64_t generation) override {
    metrics_.answered(generation, Clock::now());
    health_.answered(generation);
  }
  void onConfirmed(uint64_t generation) override { compiler_->confirmed(generation); }
  void onRefused(const std::vector<serve::Refusal>& all) override {
    metrics_.refused(all.size());
    compiler_->refused(all);
  }
  void onResponse(serve::Type type, size_t resources, size_t bytes) override { metrics_.response(type, resources, bytes); }
  void onNack(serve::Type type) override { metrics_.nack(type); }
  void onStreams(size_t connected) override {
    metrics_.streams(connected);
    compiler_->connected(connected);
  }
  void onEnvoy(const ir::EnvoyBuild& envoy) override { compiler_->envoy(envoy); }
  void onHeld(const std::vector<std::string>& held) override {
    metrics_.held(held.size());
    for (const std::string& name : held) log::warn("routes wait for clusters that Envoy does not confirm", {{"routes", name}});
  }

 private:
  diagnostics::Metrics& metrics_;
  diagnostics::Health& health_;
  Compiler* compiler_ = nullptr;
};

class ControlPlane {
 public:
  explicit ControlPlane(const settings::Settings& settings)
      : settings_(settings),
        metrics_({std::string(kVersion), settings.ambassador_id, settings::clusterId(settings, ""), settings.single_namespace,
                  settings.log_level == log::Level::Debug}),
        health_(!settings.no_envoy, Clock::now()),
        relay_(metrics_, health_),
        server_({.address = supervisor::adsAddress(settings, settings.run_dir)}, relay_),
        compiler_(optionsOf(settings), std::chrono::seconds(settings.reconfig_max_delay_s.value_or(0)),
                  {[this](serve::Update update) { server_.publish(std::move(update)); }, metrics_, health_, board_, statusSink()}),
        console_(about(settings), looks()),
        admin_(settings.admin, {[this] { return timed("check_alive", [this] { return alive(); }); },
                                [this] { return timed("check_ready", [this] { return ready(); }); }, [this] { return metrics(); },
                                [this](const diagnostics::Request& request) { return console_.answer(request); }}) {
    relay_.connect(compiler_);
    source_ = makeSource();
  }

  bool start(std::string& error) {
    if (!server_.start(error)) {
      error += "; choose another address with --ads-address";
      return false;
    }
    if (followsCluster() && !startReporter(error)) return false;
    if (!admin_.start(error)) return false;
    compiler_.start();
    if (!source_->start(error)) return false;
    following_ = cluster_;
    return true;
  }

  DrainEnd drain(const std::function<bool(std::chrono::milliseconds)>& sleep) {
    health_.drainBegins();
    DrainPlan plan;
    plan.with_envoy = !settings_.no_envoy;
    plan.delay = std::chrono::seconds(settings_.drain_delay_s.value_or(0));
    plan.budget = supervisor::deadlines(std::chrono::seconds(settings_.grace_s)).drain;
    const auto ask = [this](const std::string& method, const std::string& path) { return askEnvoy(method, path, kReadyProbe); };
    return control_plane::drain(plan, {[] { return Clock::now(); }, sleep, ask});
  }

  void stop() {
    source_->stop();
    if (reporter_) reporter_->stop();
    compiler_.stop();
    server_.stop();
    admin_.stop();
  }

 private:
  bool followsCluster() const { return settings_.config_dir.empty(); }

  std::function<void(std::vector<status::Desired>)> statusSink() {
    if (!followsCluster()) return nullptr;
    return [this](std::vector<status::Desired> all) { reporter_->want(std::move(all)); };
  }

  bool startReporter(std::string& error) {
    const auto config = clusterConfig(settings_, error);
    if (!config) return false;
    reporter_ = std::make_unique<Reporter>(*config, status::PublisherOptions{settings_.ns, settings_.ambassador_id},
                                           [this](source::Batch batch) { compiler_.submit(std::move(batch)); });
    reporter_->start();
    return true;
  }

  std::unique_ptr<source::Source> makeSource() {
    source::Sink sink = [this](source::Batch batch) { compiler_.submit(std::move(batch)); };
    if (!followsCluster()) {
      return std::make_unique<source::DirectorySource>(
          source::DirectoryOptions{
              .path = settings_.config_dir, .default_namespace = settings_.ns, .variables = settings_.variables},
          std::move(sink));
    }
    const auto identified = [this](const std::string& uid) {
      const std::string id = settings::clusterId(settings_, uid);
      metrics_.cluster(id);
      console_.cluster(id);
    };
    const auto observer = [this](std::vector<model::Sighting> all) { reporter_->observe(std::move(all)); };
    auto cluster = std::make_unique<Cluster>(settings_, Cluster::Outputs{std::move(sink), observer, identified});
    cluster_ = cluster.get();
    return cluster;
  }

  std::optional<envoy::Reply> askEnvoy(const std::string& method, const std::string& path, std::chrono::milliseconds time) const {
    return envoy::ask("127.0.0.1", settings_.envoy_admin_port, method, path, time);
  }

  static diagnostics::About about(const settings::Settings& settings) {
    char hostname[256] = "";
    gethostname(hostname, sizeof hostname - 1);
    return {std::string(kVersion),
            hostname,
            settings.ambassador_id,
            settings.ns,
            settings.single_namespace,
            settings::clusterId(settings, ""),
            std::chrono::system_clock::now(),
            settings.statsd.has_value(),
            settings.load_balancers};
  }

  diagnostics::Console::Sources looks() {
    diagnostics::Console::Sources sources;
    sources.state = [this] { return compiler_.look(kLook); };
    sources.envoy = [this](const std::string& method, const std::string& path) -> std::optional<std::string> {
      if (settings_.no_envoy) return std::nullopt;
      auto reply = askEnvoy(method, path, kEnvoyLook);
      if (!reply || reply->status != 200) return std::nullopt;
      return std::move(reply->body);
    };
    sources.debug = [this](bool on) { metrics_.debug(on); };
    if (!settings_.banner_endpoint.empty()) {
      sources.banner = [this] { return diagnostics::fetchBanner(settings_.banner_endpoint, kEnvoyLook); };
    }
    return sources;
  }

  template <typename Probe>
  bool timed(const char* name, Probe probe) {
    const Clock::time_point begin = Clock::now();
    const bool result = probe();
    console_.timers().add(name, Clock::now() - begin);
    return result;
  }

  bool envoyUp() const {
    const auto reply = envoy::ask(settings_.ready.host, settings_.ready.port, "GET", "/ready", kReadyProbe);
    return reply && reply->status == 200;
  }

  bool alive() { return health_.alive(Clock::now(), health_.asksEnvoy() && !health_.draining() && envoyUp()); }

  bool ready() const {
    // Envoy is asked only when the answer hangs on it.
    if (!health_.ready(Clock::now(), true)) return false;
    return !health_.asksEnvoy() || health_.ready(Clock::now(), envoyUp());
  }

  std::string metrics() const {
    std::string text;
    if (!settings_.no_envoy) {
      const Clock::time_point end = Clock::now() + kEnvoyMetrics;
      const auto fetch = [&](const std::string& path) -> std::optional<std::string> {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
        if (left <= 0ms) return std::nullopt;
        auto reply = askEnvoy("GET", path, left);
        if (!reply || reply->status != 200) return std::nullopt;
        return std::move(reply->body);
      };
      text = diagnostics::envoyMetrics(board_.current()->stats_names, settings_.all_envoy_metrics, fetch);
    }
    if (const Cluster* cluster = following_) text += diagnostics::clusterMetrics(cluster->stats(), Clock::now());
    if (reporter_) text += metricsText(reporter_->counters());
    return text + metrics_.text();
  }

  const settings::Settings& settings_;
  diagnostics::Metrics metrics_;
  diagnostics::Health health_;
  Board board_;
  Relay relay_;
  serve::Server server_;
  Compiler compiler_;
  diagnostics::Console console_;
  diagnostics::AdminServer admin_;
  std::unique_ptr<Reporter> reporter_;
  std::unique_ptr<source::Source> source_;
  const Cluster* cluster_ = nullptr;                 // what source_ is, where it is one
  std::atomic<const Cluster*> following_ = nullptr;  // the same once it has started
};

/// Nobody else is left to do it.
int orphaned(const settings::Settings& settings) {
  log::error("the supervisor is gone: ending");
  std::error_code ignored;
  if (!settings.run_dir.empty()) std::filesystem::remove_all(settings.run_dir, ignored);
  std::_Exit(1);
}

std::string_view text(DrainEnd end) {
  switch (end) {
    case DrainEnd::Quiet: return "drained: no connection is left";
    case DrainEnd::EnvoyGone: return "drained: Envoy does not answer";
    case DrainEnd::IdleLeft: return "drained: only idle connections are left";
    case DrainEnd::OutOfTime: return "the grace is nearly over and requests are under way";
    case DrainEnd::GivenUp: return "the drain was given up";
  }
  return "";
}

}  // namespace

int run(const settings::Settings& settings) {
  log::init(settings.log_level, settings.json_logging || !isatty(STDERR_FILENO), "control-plane");
  memory::sharePools();
  const sigset_t signals = ourSignals();
  sigprocmask(SIG_BLOCK, &signals, nullptr);  // before any thread, so that all of them leave the signals to this one
  ::signal(SIGPIPE, SIG_IGN);
  if (settings.parent > 0 && !supervisor::followParent(settings.parent, kOrphaned)) return orphaned(settings);

  const auto control_plane = std::make_unique<ControlPlane>(settings);
  std::string error;
  if (!control_plane->start(error)) {
    log::error(error);
    control_plane->stop();
    return supervisor::kCannotRun;
  }
  int signal = 0;
  while (sigwait(&signals, &signal) != 0) {
  }
  if (signal == kOrphaned) return orphaned(settings);

  const auto sleep = [&](std::chrono::milliseconds pause) {
    const timespec time{.tv_sec = pause.count() / 1000, .tv_nsec = pause.count() % 1000 * 1'000'000};
    const int again = sigtimedwait(&signals, nullptr, &time);
    if (again == kOrphaned) orphaned(settings);
    return again < 0;
  };
  const DrainEnd end = control_plane->drain(sleep);
  log::info(text(end));
  control_plane->stop();
  return end == DrainEnd::OutOfTime || end == DrainEnd::GivenUp ? 1 : 0;
}

}  // namespace emissary::control_plane
