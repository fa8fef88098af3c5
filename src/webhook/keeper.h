#pragma once
// Keeps API servers and the webhook of one mind about certificates: the authority in a Secret, which all replicas follow; the CRDs,
// whose caBundle tells API servers to trust it; and the certificate that this replica shows. The elected replica writes the first
// two.
//
// At no moment is a certificate shown that API servers do not trust yet, or one that they do not trust any more: a new authority is
// trusted beside the old one first, in all CRDs, a while before anything that it signed is shown, and the old one a while after.
//
// On the thread of the loop, but for ready().

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kube/client.h"
#include "kube/loop.h"
#include "status/lease.h"
#include "webhook/authority.h"
#include "webhook/crd.h"
#include "webhook/follower.h"

namespace emissary::webhook {

inline constexpr std::string_view kSecretName = "emissary-ingress-webhook-ca";
inline constexpr std::string_view kLeaseName = "emissary-ca-mgr-leader";

struct KeeperOptions {
  ServiceName service;
  std::string crd_selector;
  bool manage_ca = true;
  bool manage_crds = true;
  /// Of this replica, in the election.
  std::string identity;
  /// Seconds since the epoch.
  std::function<int64_t()> wall_clock;
};

/// The names by which a Service is asked for.
std::vector<std::string> namesOf(const ServiceName& service);

class Keeper {
 public:
  /// Called with the pair to show from now on.
  using Show = std::function<void(const Pair&)>;
  /// Called with how many CRDs have to be converted, and how many of them trust what is shown.
  using Count = std::function<void(size_t all, size_t trusting)>;

  Keeper(KeeperOptions options, kube::Loop& loop, kube::Client& client, Show show, Count count);
  ~Keeper();
  Keeper(const Keeper&) = delete;

  void start();
  /// Gives the Lease back; then `done`.
  void stop(std::function<void()> done);

  /// Any thread: there is a certificate to show, and all CRDs trust who signed it.
  bool ready() const { return ready_; }

 private:
  struct Secret;
  /// What is shown.
  struct Shown {
    std::string authority;
    int64_t made = 0;
    int64_t not_after = 0;
  };

  void readSecret(const nlohmann::json& secret);
  void secretsRead();
  void crdsRead();
  void evaluate();
  void tick();
  void soon(std::chrono::milliseconds pause);
  void choose();
  void show(int64_t now);
  size_t trusting(std::string_view authority) const;
  bool allTrust(std::string_view authority) const { return trusting(authority) == crds_.size(); }
  bool leads() const { return lease_ && lease_->leads(); }
  void keepAuthority();
  void writeAuthority();
  void wroteAuthority(const kube::Response& response);
  void keepCrds();
  void writeCrd(const Crd& crd, const std::vector<std::string>& bundle);
  void wroteCrd(const std::string& name, const kube::Response& response);
  std::vector<std::string> bundle() const;
  std::vector<std::string> trustedNow() const;
  void tell(const std::string& topic, const std::string& problem);

  const KeeperOptions options_;
  kube::Loop& loop_;
  kube::Client& client_;
  const Show show_;
  const Count count_;
  std::optional<status::Lease> lease_;
  Follower secrets_;
  Follower crds_follower_;

  // The Secret as last read.
  std::string secret_text_;  // JSON; "" : there is none
  Pair authority_;           // usable, or empty
  std::string previous_;     // PEM, those before it
  bool going_ = false;       // it is being deleted
  bool secret_known_ = false;
  std::string authority_problem_;
  /// Those that were used and are not any more, each until then.
  std::map<std::string, int64_t> retired_;

  std::vector<Crd> crds_;
  std::vector<Crd> reading_;
  bool crds_known_ = false;

  std::optional<Shown> shown_;
  /// Since when all CRDs trust the authority that is not shown yet.
  std::optional<kube::Loop::Clock::time_point> trusted_since_;
  std::atomic<bool> ready_ = false;

  kube::Client::Call secret_call_ = 0;
  std::map<std::string, kube::Client::Call> crd_calls_;
  kube::Loop::Clock::time_point secret_not_before_{};
  std::map<std::string, kube::Loop::Clock::time_point> crd_not_before_;
  std::map<std::string, std::string> problems_;
  kube::Loop::Timer tick_ = 0;
  kube::Loop::Timer soon_ = 0;
};

}  // namespace emissary::webhook
