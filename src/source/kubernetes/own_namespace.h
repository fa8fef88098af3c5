#pragma once
// Our own Namespace, whose labels count for Listeners, where we may see nothing beyond it. A Role of one namespace can grant no
// list and no watch of Namespaces, but a get of its own: it is asked for again and again.

#include <functional>

#include "source/kubernetes/outlet.h"
#include "source/kubernetes/reflector.h"

namespace emissary::source {

class OwnNamespace {
 public:
  OwnNamespace(Shared& shared, Outlet& outlet) : shared_(shared), outlet_(outlet) {}
  ~OwnNamespace() { stop(); }
  OwnNamespace(const OwnNamespace&) = delete;
  OwnNamespace& operator=(const OwnNamespace&) = delete;

  void start() { ask(); }
  void stop();
  /// The server has said something, be it no.
  bool settled() const { return settled_; }
  std::function<void()> on_state;

 private:
  void ask();
  void onAnswer(const kube::Response& response);
  void found(const kube::Response& response);
  void lost();

  Shared& shared_;
  Outlet& outlet_;
  kube::Client::Call call_ = 0;
  kube::Loop::Timer timer_ = 0;  // of the next question
  ObjectPtr object_;
  bool settled_ = false;
};

}  // namespace emissary::source
