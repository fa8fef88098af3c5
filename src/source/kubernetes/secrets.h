#pragma once
// Secrets: of those that no object names nothing is kept but the name. Where not all may be listed, each one named is followed by
// itself.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "source/kubernetes/outlet.h"
#include "source/kubernetes/reflector.h"
#include "source/kubernetes/trouble.h"

namespace emissary::source {

class AllSecrets;
class NamedSecret;

class Secrets {
 public:
  Secrets(Shared& shared, Outlet& outlet, Contact& contact);
  ~Secrets();
  Secrets(const Secrets&) = delete;
  Secrets& operator=(const Secrets&) = delete;

  /// When all that may name Secrets is listed.
  void start();
  void stop();
  /// Everything that is named has been told, or cannot be had.
  bool settled() const;
  /// Who names these is different now.
  void referencesMoved(const std::set<SecretKey>& touched);
  /// settled() may have changed.
  std::function<void()> on_state;

 private:
  friend class AllSecrets;
  friend class NamedSecret;

  struct Entry {
    bool kept = false;
    Hash128 hash;
    uint32_t round = 0;
  };
  /// Of a Secret that is there, and named only now.
  struct Fetch {
    explicit Fetch(const KubernetesBounds& bounds) : backoff(bounds.backoff_first, bounds.backoff_most) {}
    kube::Client::Call call = 0;
    kube::Loop::Timer timer = 0;
    Backoff backoff;
    bool failed = false;
  };

  bool wanted(const SecretKey& key) const;
  std::string pathOf(const SecretKey& key) const;
  std::string selectorsFor(const SecretKey& key) const;
  /// The object, where somebody names it; else null.
  ObjectPtr read(const Item& item) const;
  /// It is on the server; `object`: null where it was not read.
  void put(const SecretKey& key, const ObjectPtr& object);
  /// It is not, any more.
  void erase(const SecretKey& key);
  /// Nobody names it any more.
  void release(const SecretKey& key);

  void fetch(const SecretKey& key);
  void tryFetch(const SecretKey& key);
  void onFetched(const SecretKey& key, kube::Response response);
  void endFetch(const SecretKey& key);

  /// The list of all is complete.
  void allListed();
  /// The list of all is refused.
  void followNames();
  void follow(const SecretKey& key);
  void unfollow(const SecretKey& key);
  void tellRefusals();
  void changed();

  Shared& shared_;
  Outlet& outlet_;
  Contact& contact_;
  KindStats& stats_;
  std::map<SecretKey, Entry> entries_;
  std::map<SecretKey, Fetch> fetches_;
  std::unique_ptr<AllSecrets> all_;
  /// Where not all may be listed.
  bool by_name_ = false;
  std::map<SecretKey, std::unique_ptr<NamedSecret>> named_;
  /// Those that may still be in a call of theirs.
  std::vector<std::unique_ptr<NamedSecret>> dropped_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace emissary::source
