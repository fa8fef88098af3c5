#include "supervisor/supervisor.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/log.h"

namespace emissary::supervisor {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

sigset_t ourSignals() {
  sigset_t result;
  sigemptyset(&result);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&result, signal);
  return result;
}

enum class Phase { Running, Draining, EndingEnvoy };

struct Child {
  const Program* program = nullptr;
  pid_t pid = 0;
  bool started_before = false;
  Clock::time_point started;
  milliseconds backoff{0};
  std::optional<Clock::time_point> restart;

  bool up() const { return pid > 0; }
};

class Supervisor {
 public:
  explicit Supervisor(const Options& options) : options_(options), share_(deadlines(options.grace)) {
    if (options.control_plane) control_plane_.program = &*options.control_plane;
    if (options.envoy) envoy_.program = &*options.envoy;
  }

  int run() {
    holdSignals();
    const sigset_t signals = ourSignals();
    signals_ = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals_ < 0) {
      log::error("no signals can be received", {{"error", std::to_string(errno)}});
      return 1;
    }
    // Envoy first: it takes longer to start, and asks for its configuration until somebody answers.
    for (Child* child : {&envoy_, &control_plane_}) {
      if (child->program && !start(*child)) fail();
    }
    while (!result_) {
      wait();
      readSignals();
      reap();
      act(Clock::now());
    }
    close(signals_);
    return *result_;
  }

 private:
  bool start(Child& child) {
    std::string error;
    child.restart.reset();
    child.started = Clock::now();
    child.pid = spawn(*child.program, error);
    if (!child.up()) {
      log::error(error);
      if (child.started_before) schedule(child);
      return false;
    }
    log::info(fmt::format("{} started", child.program->name), {{"pid", std::to_string(child.pid)}});
    child.started_before = true;
    return true;
  }

  void schedule(Child& child) {
    const auto up = std::chrono::duration_cast<milliseconds>(Clock::now() - child.started);
    child.backoff = nextBackoff(options_, child.backoff, up);
    child.restart = Clock::now() + child.backoff;
  }

  /// End with status 1, leaving nothing behind.
  void fail() {
    failed_ = true;
    kill();
  }

  void kill() {
    phase_ = Phase::EndingEnvoy;
    envoy_deadline_ = Clock::now();  // act() kills
    for (Child* child : {&control_plane_, &envoy_}) {
      child->restart.reset();
      if (child->up()) ::kill(child->pid, SIGKILL);
    }
  }

  void wait() {
    std::optional<Clock::time_point> next;
    const auto until = [&](const std::optional<Clock::time_point>& time) {
      if (time) next = std::min(*time, next.value_or(*time));
    };
    until(control_plane_.restart);
    until(envoy_.restart);
    if (phase_ == Phase::Draining) until(control_plane_deadline_);
    if (phase_ == Phase::EndingEnvoy && !killed_) until(envoy_deadline_);
    if (finished()) return;
    int timeout = -1;
    if (next)
      timeout = static_cast<int>(std::clamp<int64_t>(std::chrono::ceil<milliseconds>(*next - Clock::now()).count(), 0, 3'600'000));
    pollfd poll_for{signals_, POLLIN, 0};
    poll(&poll_for, 1, timeout);
  }

  void readSignals() {
    signalfd_siginfo info;
    while (read(signals_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      if (info.ssi_signo != SIGCHLD) stop();
    }
  }

  void stop() {
    if (phase_ != Phase::Running) {
      log::warn("a second signal: ending at once");
      cut_short_ = true;
      return kill();
    }
    log::info("stopping: draining connections", {{"grace_ms", std::to_string(options_.grace.count())}});
    const auto now = Clock::now();
    control_plane_deadline_ = now + share_.control_plane;
    envoy_deadline_ = now + share_.envoy;
    control_plane_.restart.reset();
    phase_ = Phase::Draining;
    if (control_plane_.up()) ::kill(control_plane_.pid, SIGTERM);
  }

  void reap() {
    // Any child only as process 1: otherwise others in this process may have children of their own.
    while (true) {
      int status = 0;
      const pid_t pid = getpid() == 1 ? waitpid(-1, &status, WNOHANG) : reapOurs(status);
      if (pid <= 0) return;
      for (Child* child : {&control_plane_, &envoy_}) {
        if (child->pid == pid) ended(*child, status);
      }
    }
  }

  pid_t reapOurs(int& status) const {
    for (const Child* child : {&control_plane_, &envoy_}) {
      if (!child->up()) continue;
      if (const pid_t pid = waitpid(child->pid, &status, WNOHANG); pid > 0) return pid;
    }
    return 0;
  }

  void ended(Child& child, int status) {
    const pid_t pid = std::exchange(child.pid, 0);
    const std::string text = fmt::format("{} {}", child.program->name, describe(status));
    const log::Fields fields = {{"pid", std::to_string(pid)}};
    if (phase_ == Phase::Running) {
      const bool never_ran = &child == &control_plane_ && child.backoff == milliseconds{0} && first_control_plane_;
      if (&child == &control_plane_) first_control_plane_ = false;
      if (never_ran && WIFEXITED(status) && WEXITSTATUS(status) == kCannotRun) {
        log::error(text, fields);
        return fail();
      }
      schedule(child);
      return log::error(fmt::format("{}; it starts again in {} ms", text, child.backoff.count()), fields);
    }
    log::info(text, fields);
    if (&child == &control_plane_ && !(WIFEXITED(status) && WEXITSTATUS(status) == 0)) cut_short_ = true;
    if (&child == &envoy_ && phase_ == Phase::Draining) schedule(child);  // its clients deserve the rest of the drain
  }

  void act(Clock::time_point now) {
    for (Child* child : {&control_plane_, &envoy_}) {
      if (child->restart && *child->restart <= now) start(*child);
    }
    if (phase_ == Phase::Draining) {
      if (control_plane_.up() && now >= control_plane_deadline_) {
        log::warn("the control plane's drain took too long");
        cut_short_ = true;
        ::kill(control_plane_.pid, SIGKILL);
        endEnvoy();
      } else if (!control_plane_.up()) {
        endEnvoy();
      }
    }
    if (phase_ == Phase::EndingEnvoy && now >= envoy_deadline_ && !killed_ && (control_plane_.up() || envoy_.up())) {
      killed_ = true;
      cut_short_ = true;
      for (const Child* child : {&control_plane_, &envoy_}) {
        if (child->up()) ::kill(child->pid, SIGKILL);
      }
    }
    if (finished()) result_ = failed_ ? 1 : cut_short_ ? 3 : 0;
  }

  void endEnvoy() {
    phase_ = Phase::EndingEnvoy;
    envoy_.restart.reset();
    if (envoy_.up()) ::kill(envoy_.pid, SIGTERM);
  }

  bool finished() const { return phase_ == Phase::EndingEnvoy && !control_plane_.up() && !envoy_.up(); }

  const Options& options_;
  const Deadlines share_;
  int signals_ = -1;
  Phase phase_ = Phase::Running;
  Child control_plane_, envoy_;
  Clock::time_point control_plane_deadline_, envoy_deadline_;
  bool first_control_plane_ = true;
  bool killed_ = false;
  bool failed_ = false;
  bool cut_short_ = false;
  std::optional<int> result_;
};

}  // namespace

Deadlines deadlines(milliseconds grace) {
  // Up to three seconds for the two ends after the drain; of a short grace, half.
  const milliseconds tail = std::min(milliseconds{3000}, grace / 2);
  return {grace - tail, grace - tail * 2 / 3, grace - tail / 3};
}

milliseconds nextBackoff(const Options& options, milliseconds before, milliseconds up) {
  if (before == milliseconds{0} || up >= options.healthy) return options.first_backoff;
  return std::min(before * 2, options.last_backoff);
}

void holdSignals() {
  const sigset_t signals = ourSignals();
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);  // a reader of our log that went away must not end the gateway
}

int supervise(const Options& options) { return Supervisor(options).run(); }

}  // namespace emissary::supervisor
