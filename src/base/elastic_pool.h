#pragma once
// The threads of an HTTP server of httplib: as many as there are connections, up to a bound; kept once made.

#include <httplib.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace emissary {

class ElasticPool : public httplib::TaskQueue {
 public:
  /// `most_waiting`: while so many connections wait for a thread, no more are accepted.
  explicit ElasticPool(size_t most, size_t most_waiting = SIZE_MAX) : most_(most), most_waiting_(most_waiting) {}

  void enqueue(std::function<void()> task) override {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return ended_ || tasks_.size() < most_waiting_; });
    tasks_.push_back(std::move(task));
    if (idle_ < tasks_.size() && threads_.size() < most_) threads_.emplace_back([this] { work(); });
    ready_.notify_one();
  }

  /// More connections wait than threads do.
  bool crowded() {
    std::lock_guard lock(mutex_);
    return idle_ < tasks_.size();
  }

  void shutdown() override {
    {
      std::lock_guard lock(mutex_);
      ended_ = true;
    }
    ready_.notify_all();
    room_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      ++idle_;
      ready_.wait(lock, [this] { return ended_ || !tasks_.empty(); });
      --idle_;
      if (tasks_.empty()) return;
      std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      room_.notify_one();
      lock.unlock();
      task();
      lock.lock();
    }
  }

  const size_t most_;
  const size_t most_waiting_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::condition_variable room_;
  std::deque<std::function<void()>> tasks_;
  std::vector<std::thread> threads_;
  size_t idle_ = 0;
  bool ended_ = false;
};

}  // namespace emissary
