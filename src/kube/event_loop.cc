#include "kube/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace emissary::kube {
namespace {

constexpr int kMostAtOnce = 64;

void check(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

EventLoop::EventLoop() : epoll_fd_(epoll_create1(EPOLL_CLOEXEC)), wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  check(epoll_fd_, "epoll_create1");
  check(wake_fd_, "eventfd");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wake_fd_;
  check(epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_fd_, &event), "epoll_ctl");
}

EventLoop::~EventLoop() {
  stop();
  close(wake_fd_);
  close(epoll_fd_);
}

void EventLoop::start() {
  thread_ = std::thread([this] { run(); });
}

void EventLoop::stop() {
  stopping_ = true;
  post(nullptr);
  if (thread_.joinable()) thread_.join();
}

void EventLoop::post(Task task) {
  {
    std::lock_guard lock(mutex_);
    posted_.push_back(std::move(task));
  }
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof one);  // full means that it is awake already
}

Loop::Timer EventLoop::after(std::chrono::milliseconds delay, Task task) {
  const Clock::time_point at = now() + delay;
  timers_.emplace(Due(at, ++last_timer_), std::move(task));
  due_.emplace(last_timer_, at);
  return last_timer_;
}

void EventLoop::cancel(Timer timer) {
  const auto it = due_.find(timer);
  if (it == due_.end()) return;
  timers_.erase(Due(it->second, timer));
  due_.erase(it);
}

void EventLoop::watch(int fd, uint32_t events, OnReady ready) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  const bool known = watched_.contains(fd);
  watched_[fd] = std::move(ready);
  // A descriptor that was closed meanwhile has left the epoll set, and its number may have come back.
  int result = epoll_ctl(epoll_fd_, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
  if (result < 0 && errno == ENOENT) result = epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event);
  if (result < 0 && errno == EEXIST) result = epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event);
  check(result, "epoll_ctl");
}

void EventLoop::unwatch(int fd) {
  if (watched_.erase(fd) > 0) epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
}

int EventLoop::waitTime() const {
  if (timers_.empty()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first.first - now());
  return static_cast<int>(std::clamp<int64_t>(left.count(), 0, 3'600'000));
}

void EventLoop::runTimers() {
  const Clock::time_point until = now();  // those that come meanwhile wait for the next round
  while (!stopping_ && !timers_.empty() && timers_.begin()->first.first <= until) {
    auto first = timers_.extract(timers_.begin());
    due_.erase(first.key().second);
    first.mapped()();
  }
}

void EventLoop::runPosted() {
  std::vector<Task> tasks;
  {
    std::lock_guard lock(mutex_);
    tasks = std::exchange(posted_, {});
  }
  for (Task& task : tasks) {
    if (task && !stopping_) task();
  }
}

void EventLoop::run() {
  std::array<epoll_event, kMostAtOnce> events;
  while (!stopping_) {
    const int count = epoll_wait(epoll_fd_, events.data(), kMostAtOnce, waitTime());
    for (int i = 0; i < count && !stopping_; ++i) {
      const int fd = events[static_cast<size_t>(i)].data.fd;
      if (fd == wake_fd_) {
        uint64_t ignored = 0;
        [[maybe_unused]] const ssize_t size = read(wake_fd_, &ignored, sizeof ignored);
        continue;
      }
      const auto it = watched_.find(fd);
      if (it == watched_.end()) continue;  // an event before it of this round has ended it
      const OnReady ready = it->second;
      ready(events[static_cast<size_t>(i)].events);
    }
    runPosted();
    runTimers();
  }
}

}  // namespace emissary::kube
