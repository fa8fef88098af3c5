#pragma once
// One kind: what of it is on the API server, as far as it matters to us, told to the outlet as it changes; and where the kind
// stands: listed, not served, or not to be read.

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "model/object.h"
#include "source/kubernetes/discovery.h"
#include "source/kubernetes/outlet.h"
#include "source/kubernetes/reflector.h"
#include "source/kubernetes/trouble.h"

namespace emissary::source {

/// `item` as an object; null where it is nothing to us: another installation's, or without what it is watched for.
ObjectPtr objectOf(const Item& item, const Resource& resource, std::string_view version, const KubernetesOptions& options);

/// "&labelSelector=…&fieldSelector=…" as the options and the resource ask.
std::string selectorsOf(const Resource& resource, const KubernetesOptions& options, const std::string& more_fields = {});

class KindWatch : public Feed {
 public:
  enum class State : uint8_t {
    Trying,
    Listed,
    Absent,   // not served
    Refused,  // for longer than one waits
  };

  KindWatch(Shared& shared, Outlet& outlet, Contact& contact, Discovery& discovery, const Resource& resource);
  ~KindWatch() override;

  void start();
  void stop();
  /// What was read is out of date: tell that it is gone, until the next list.
  void forget();
  bool running() const { return running_; }
  State state() const { return state_; }
  bool settled() const { return state_ != State::Trying; }
  /// Listed, and not refused since.
  bool current() const { return state_ == State::Listed && !trouble_.refused(); }
  /// Another kind is read in its place where it may not be read itself.
  void asSubstituted(std::string consequence);
  const Resource& resource() const { return resource_; }
  /// Called when state() has become another, or stayed Listed by another list; before what came is flushed.
  std::function<void()> on_state;
  /// It may not be read. At once where nothing of it was read yet; else when that lasts, for servers that have just started refuse
  /// much.
  std::function<void()> on_refusal;

  void begin() override;
  void add(const Item& item) override;
  void finish() override;
  void changed(const Item& item) override;
  void deleted(const Item& item) override;
  void flush() override { outlet_.flush(); }
  void failed(const Failure& failure) override;
  void healthy() override;

 private:
  struct Entry {
    Hash128 hash;
    uint64_t uid = 0;
    int64_t generation = 0;
    uint32_t round = 0;
  };

  static std::string keyOf(std::string_view ns, std::string_view name);
  ObjectRef refOf(const std::string& key) const;
  bool same(const Entry& entry, const Object& object) const;
  ObjectPtr read(const Item& item);
  void put(const ObjectPtr& object);
  bool drop(const std::string& key);
  void become(State state);
  void follow(size_t version);
  void askDiscovery();
  void stopAsking();
  void onDiscovery(size_t version, bool served);
  void gone();
  void countBurst();
  void warnVanished(size_t count);

  Shared& shared_;
  Outlet& outlet_;
  Discovery& discovery_;
  const Resource& resource_;
  KindStats& stats_;
  Trouble trouble_;
  Reflector reflector_;
  size_t version_ = 0;  // of resource_.versions

  State state_ = State::Trying;
  bool running_ = false;
  bool listed_ = false;
  std::unordered_map<std::string, Entry> entries_;
  uint32_t round_ = 0;
  std::vector<ObjectPtr> staged_;

  // Discovery: of each version, whether the last look found it.
  bool asking_ = false;
  bool missing_[2] = {false, false};
  int looks_ = 0;
  kube::Loop::Clock::time_point first_look_{};
  // Deletions that follow each other.
  size_t burst_ = 0;
  kube::Loop::Clock::time_point last_deletion_{};
};

}  // namespace emissary::source
