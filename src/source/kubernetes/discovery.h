#pragma once
// Asks which resources the API server serves, for as long as somebody waits for one. One question for all kinds of a group and
// version; what cannot be answered says nothing.

#include <functional>
#include <map>
#include <set>
#include <string>

#include "source/kubernetes/reflector.h"

namespace emissary::source {

class Discovery {
 public:
  /// Told after each look: whether the resource is served.
  using Answer = std::function<void(bool served)>;

  explicit Discovery(Shared& shared) : shared_(shared) {}
  ~Discovery();
  Discovery(const Discovery&) = delete;
  Discovery& operator=(const Discovery&) = delete;

  /// Ask for "/apis/networking.k8s.io/v1" whether it has "ingresses", now and then again, until forget(). `who`: one question each.
  void ask(const std::string& group_path, const std::string& plural, const void* who, Answer answer);
  void forget(const void* who);

 private:
  struct Question {
    std::string plural;
    Answer answer;
  };
  struct Group {
    std::map<const void*, Question> questions;
    kube::Client::Call call = 0;
    kube::Loop::Timer timer = 0;
    int looks = 0;
  };

  void look(const std::string& path);
  void onAnswer(const std::string& path, kube::Response response);

  Shared& shared_;
  std::map<std::string, Group> groups_;
};

}  // namespace emissary::source
