#pragma once
// Kubernetes Events of type Warning for errors that an object did not have before. On the thread of the loop; nobody waits for
// them, and none is tried twice.

#include <chrono>
#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "kube/client.h"
#include "kube/loop.h"
#include "model/ref.h"

namespace emissary::status {

class Announcer {
 public:
  struct Options {
    std::string instance;
    /// Events in a burst, and in a second after it.
    double burst = 50;
    double per_second = 5;
    std::chrono::milliseconds forbidden_retry{600000};
    std::function<int64_t()> wall_clock;
  };
  /// As Writer::Outputs::problem.
  using Tell = std::function<void(const std::string& topic, const std::string& text)>;

  Announcer(Options options, kube::Loop& loop, kube::Client& client, Tell tell);
  ~Announcer();
  Announcer(const Announcer&) = delete;

  void warn(const ObjectRef& ref, std::string_view uid, std::string_view reason, std::string_view message);

 private:
  void answered(const kube::Response& response);

  const Options options_;
  kube::Loop& loop_;
  kube::Client& client_;
  const Tell tell_;
  double tokens_;
  kube::Loop::Clock::time_point filled_;
  kube::Loop::Clock::time_point blocked_until_{};
  std::set<kube::Client::Call> calls_;
};

}  // namespace emissary::status
