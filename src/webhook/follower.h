#pragma once
// Few objects of an API server, read whole and read again whenever a watch says that one of them changed: what events hold is not
// looked at. On the thread of the loop.

#include <chrono>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "kube/client.h"
#include "kube/loop.h"

namespace emissary::webhook {

class Follower {
 public:
  struct Sink {
    std::function<void()> begin;
    std::function<void(const nlohmann::json& object)> object;
    /// All were told since begin().
    std::function<void()> end;
    /// Why they cannot be read; "" when they can again.
    std::function<void(const std::string& why)> trouble;
  };

  /// `selectors`: "&labelSelector=…", escaped.
  Follower(kube::Loop& loop, kube::Client& client, std::string path, std::string selectors, Sink sink);
  ~Follower();
  Follower(const Follower&) = delete;

  void start();
  /// Read them again, soon.
  void hurry();

 private:
  void list();
  void listed(const kube::Response& response);
  void watch(const std::string& version);
  void piece(std::string_view bytes);
  void ended(const kube::Response& response);
  void failed(const std::string& why);
  void again(std::chrono::milliseconds pause);
  void cancel();
  void tell(const std::string& why);

  kube::Loop& loop_;
  kube::Client& client_;
  const std::string path_;
  const std::string selectors_;
  const Sink sink_;

  std::string more_;
  std::string line_;  // how the event that now comes begins
  bool inside_ = false;
  std::chrono::milliseconds backoff_{0};
  std::string trouble_;
  kube::Loop::Clock::time_point began_;
  kube::Client::Call call_ = 0;
  kube::Loop::Timer next_ = 0;
};

}  // namespace emissary::webhook
