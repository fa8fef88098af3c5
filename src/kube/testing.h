#pragma once
// For tests: a loop whose time the test turns, and a client that records what it was asked and answers what the test says.

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "kube/client.h"
#include "kube/loop.h"

namespace emissary::kube {

class FakeLoop : public Loop {
 public:
  Clock::time_point now() const override { return now_; }
  void post(Task task) override { posted_.push_back(std::move(task)); }
  Timer after(std::chrono::milliseconds delay, Task task) override {
    timers_.emplace(++last_, std::pair(now_ + delay, std::move(task)));
    return last_;
  }
  void cancel(Timer timer) override { timers_.erase(timer); }

  /// Run what was posted, and what that posts.
  void settle() {
    while (!posted_.empty()) {
      std::vector<Task> tasks = std::exchange(posted_, {});
      for (Task& task : tasks) task();
    }
  }
  /// Let time pass; timers run in order of their time.
  void advance(std::chrono::milliseconds by) {
    const Clock::time_point end = now_ + by;
    settle();
    while (true) {
      const auto next = std::min_element(timers_.begin(), timers_.end(),
                                         [](const auto& a, const auto& b) { return a.second.first < b.second.first; });
      if (next == timers_.end() || next->second.first > end) break;
      now_ = std::max(now_, next->second.first);
      Task task = std::move(next->second.second);
      timers_.erase(next);
      task();
      settle();
    }
    now_ = end;
  }
  size_t timers() const { return timers_.size(); }

 private:
  Clock::time_point now_{std::chrono::hours(1)};
  std::vector<Task> posted_;
  std::map<Timer, std::pair<Clock::time_point, Task>> timers_;
  Timer last_ = 0;
};

class FakeClient : public Client {
 public:
  struct Asked {
    Request request;
    bool is_watch = false;
    Piece piece;
    Done done;
  };

  Call send(Request request, Done done) override { return add({std::move(request), false, nullptr, std::move(done)}); }
  Call watch(Request request, Piece piece, Done done) override {
    return add({std::move(request), true, std::move(piece), std::move(done)});
  }
  void cancel(Call call) override { open_.erase(call); }

  /// The oldest open call whose path begins with `path`; 0: there is none.
  Call find(std::string_view path, bool is_watch = false) const {
    for (const auto& [call, asked] : open_) {
      if (asked.is_watch == is_watch && asked.request.path.starts_with(path)) return call;
    }
    return 0;
  }
  const Request& request(Call call) const { return open_.at(call).request; }
  void answer(Call call, Response response) {
    const Done done = open_.at(call).done;
    open_.erase(call);
    done(std::move(response));
  }
  void answer(Call call, int status, std::string body = "{}") { answer(call, Response{status, std::move(body), {}, ""}); }
  void stream(Call call, std::string_view piece) {
    const Piece copy = open_.at(call).piece;
    copy(piece);
  }
  /// All calls that wait for an answer, oldest first.
  const std::map<Call, Asked>& open() const { return open_; }
  /// Every request ever, "GET /path".
  const std::vector<std::string>& log() const { return log_; }

 private:
  Call add(Asked asked) {
    log_.push_back(asked.request.method + " " + asked.request.path);
    open_.emplace(++last_, std::move(asked));
    return last_;
  }
  std::map<Call, Asked> open_;
  std::vector<std::string> log_;
  Call last_ = 0;
};

}  // namespace emissary::kube
