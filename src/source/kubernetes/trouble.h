#pragma once
// What is wrong with reading one resource, from the first failure until it is in order again: told as a finding once it has lasted,
// and logged when it begins and ends, not for each try.

#include <functional>
#include <optional>
#include <string>

#include "source/kubernetes/outlet.h"
#include "source/kubernetes/reflector.h"

namespace emissary::source {

/// The API server as a whole: there is one finding for all that cannot reach it, and one of them looks out for its return, so that
/// they need not all wait out their times.
class Contact {
 public:
  Contact(Shared& shared, Outlet& outlet) : shared_(shared), outlet_(outlet) {}
  ~Contact() { stop(); }
  Contact(const Contact&) = delete;
  Contact& operator=(const Contact&) = delete;
  void lost(const std::string& text);
  void regained();
  /// It has answered a look since then: what cannot be reached still has a trouble of its own.
  bool answeredSince(kube::Loop::Clock::time_point time) const { return answered_ > time; }
  void stop();

 private:
  void lookOut();
  void look();

  Shared& shared_;
  Outlet& outlet_;
  bool lost_ = false;
  kube::Loop::Timer timer_ = 0;  // of the next look
  kube::Client::Call call_ = 0;
  kube::Loop::Clock::time_point since_{}, answered_{};
  std::string text_;
};

class Trouble {
 public:
  /// `name`: "mappings.getambassador.io". `path`: what findings are about.
  Trouble(Shared& shared, Outlet& outlet, Contact& contact, std::string name);
  ~Trouble() { end(); }
  Trouble(const Trouble&) = delete;
  Trouble& operator=(const Trouble&) = delete;

  void failed(const Failure& failure);
  /// All is well.
  void over();
  /// No finding any more, whatever the state is.
  void withdraw();
  bool refused() const { return refused_; }
  /// Called once when it has been refused for longer than one waits.
  std::function<void()> on_refused;
  /// How long that is.
  std::chrono::milliseconds refused_patience;
  Severity severity = Severity::Error;
  /// Added to what is said of a refusal.
  std::string consequence;

 private:
  void end();
  void tell();

  Shared& shared_;
  Outlet& outlet_;
  Contact& contact_;
  const std::string name_;
  bool failing_ = false;
  bool refused_ = false;
  kube::Loop::Clock::time_point since_{};
  /// Of the first connection that failed since all was well.
  std::optional<kube::Loop::Clock::time_point> unreached_;
  std::string text_;
  kube::Loop::Timer timer_ = 0;
};

/// What a finding says of a resource that the server refuses to let us read: the server's words, and the cure.
std::string refusalText(const std::string& name, const std::string& verbs, const std::string& server_text);

}  // namespace emissary::source
