#pragma once
// The Loop that waits for real: a thread with epoll. Made, started and stopped by its owner; watch() and unwatch() are for the
// loop's own thread.

#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "kube/loop.h"

namespace emissary::kube {

class EventLoop : public Loop {
 public:
  /// `events`: EPOLLIN, EPOLLOUT … as epoll_wait gives them.
  using OnReady = std::function<void(uint32_t events)>;

  EventLoop();
  ~EventLoop() override;
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  void start();
  /// After it returns nothing runs any more; what was posted and not run is dropped. Not from the loop's own thread.
  void stop();

  Clock::time_point now() const override { return Clock::now(); }
  void post(Task task) override;
  Timer after(std::chrono::milliseconds delay, Task task) override;
  void cancel(Timer timer) override;

  /// Call `ready` whenever `fd` is; replaces what was said of `fd` before.
  void watch(int fd, uint32_t events, OnReady ready);
  void unwatch(int fd);

 private:
  using Due = std::pair<Clock::time_point, Timer>;

  void run();
  int waitTime() const;
  void runTimers();
  void runPosted();

  int epoll_fd_ = -1;
  int wake_fd_ = -1;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;

  std::mutex mutex_;
  std::vector<Task> posted_;

  // The loop's thread's own.
  std::map<Due, Task> timers_;
  std::unordered_map<Timer, Clock::time_point> due_;
  Timer last_timer_ = 0;
  std::unordered_map<int, OnReady> watched_;
};

}  // namespace emissary::kube
