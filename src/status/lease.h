#pragma once
// Who of several instances does what one alone should: a Lease of coordination.k8s.io that one of them holds and renews. All on the
// thread of the loop.
//
// Clocks of machines are never compared: a holder's time runs from when this instance saw the record change, by its own monotonic
// clock, and a leader counts its own from before it sent the renewal. So a leader has stopped (renew_within) before anybody else
// begins (duration), however late messages come.

#include <chrono>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <string_view>

#include "kube/client.h"
#include "kube/loop.h"

namespace emissary::status {

struct LeaseOptions {
  /// The gateway's own.
  std::string ns;
  std::string name;
  /// Of this process, unlike that of any other.
  std::string identity;
  /// What the one that leads does, and what is the matter when nobody can: for people.
  std::string duty = "writes the objects' status";
  std::string undone = "no status is written";
  std::chrono::milliseconds duration{15000};
  /// A leader that could not renew for so long is none.
  std::chrono::milliseconds renew_within{10000};
  std::chrono::milliseconds retry{2000};
  /// Between two tries where Leases are forbidden.
  std::chrono::milliseconds forbidden_retry{60000};
  uint32_t seed = 0;
};

/// "emissary-status-<id>", as a name that Kubernetes takes.
std::string leaseName(std::string_view ambassador_id);

/// Host name and random digits.
std::string newIdentity();

class Lease {
 public:
  struct Events {
    /// This instance leads from now on, or does not any more.
    std::function<void(bool)> leads;
    /// Why nobody can lead here, for people; "" when all is well again.
    std::function<void(std::string)> problem;
  };

  Lease(LeaseOptions options, kube::Loop& loop, kube::Client& client, Events events);
  ~Lease();
  Lease(const Lease&) = delete;

  void start();
  /// Leads no more, and gives the Lease back, so that another instance need not wait; then, or when that cannot be had, `done`.
  void stop(std::function<void()> done);

  bool leads() const { return leads_; }

 private:
  using Clock = kube::Loop::Clock;
  using Json = nlohmann::json;

  void look();
  void lookSoon();
  void looked(const kube::Response& response);
  void judge(Json lease);
  void create();
  /// `holder`: whom it names; "": nobody.
  void write(Json lease, const std::string& holder, bool acquire);
  void wrote(const kube::Response& response, Clock::time_point sent);
  void release();
  void released();
  void failed(const kube::Response& response);
  void again(std::chrono::milliseconds pause);
  void setLeads(bool leads);
  void tell(std::string problem);
  Json spec(const Json& before, const std::string& holder, bool acquire) const;
  std::string path() const;
  std::chrono::milliseconds jittered(std::chrono::milliseconds pause);

  const LeaseOptions options_;
  kube::Loop& loop_;
  kube::Client& client_;
  const Events events_;
  std::minstd_rand random_;

  bool leads_ = false;
  bool stopping_ = false;
  /// The Lease as the server last gave it to us while we held it.
  Json held_;
  /// What it looked like, and since when.
  std::string seen_;
  Clock::time_point seen_at_;
  std::string problem_;

  kube::Client::Call call_ = 0;
  kube::Loop::Timer next_ = 0;
  kube::Loop::Timer expiry_ = 0;
  std::function<void()> stopped_;
};

}  // namespace emissary::status
