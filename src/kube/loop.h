#pragma once
// One thread that waits for many things: timers, tasks from other threads, and (EventLoop) file descriptors. What runs on it runs
// alone, so whatever belongs to one loop needs no lock. Tests have a loop whose time they turn (testing.h).

#include <chrono>
#include <cstdint>
#include <functional>

namespace emissary::kube {

class Loop {
 public:
  using Clock = std::chrono::steady_clock;
  using Task = std::function<void()>;
  /// 0 is no timer.
  using Timer = uint64_t;

  virtual ~Loop() = default;

  virtual Clock::time_point now() const = 0;
  /// Run `task` on the loop's thread, after those posted before. From any thread.
  virtual void post(Task task) = 0;
  /// Run `task` once, after `delay`. On the loop's thread only, as cancel().
  virtual Timer after(std::chrono::milliseconds delay, Task task) = 0;
  /// Nothing happens for a timer that has run, or for 0.
  virtual void cancel(Timer timer) = 0;
};

}  // namespace emissary::kube
