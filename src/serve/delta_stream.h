#pragma once
// The delta protocol towards one client, as a state machine: requests and changes go in, one response at a time comes
// out. No gRPC, no clock, no thread. Owned by the Server, used by the serve thread.
//
// What is to be sent lies in two batches. A batch is emptied in order of Type (make before break); what is published
// meanwhile goes into the later one, so that neither a new resource overtakes what it needs nor a busy type starves the
// others. A change marks names, never scans subscriptions. Routes wait at the Gate for their own clusters alone:
// Envoy withholds every ACK of clusters while any cluster is warming, so other evidence counts as well (settleBy*).

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "serve/gate.h"
#include "serve/published.h"
#include "serve/transport.h"

namespace emissary::serve {

using Time = std::chrono::steady_clock::time_point;

/// What the Server tells its Observer about this stream.
struct StreamEvents {
  virtual ~StreamEvents() = default;
  virtual void onNack(Type type) = 0;
};

/// How much is unfinished, by generation.
class Generations {
 public:
  void add(uint64_t generation) { ++counts_[generation]; }
  void remove(uint64_t generation) {
    const auto it = counts_.find(generation);
    if (--it->second == 0) counts_.erase(it);
  }
  /// Nothing of `generation` or before is unfinished.
  bool above(uint64_t generation) const { return counts_.empty() || counts_.begin()->first > generation; }

 private:
  std::map<uint64_t, size_t> counts_;
};

class DeltaStream {
 public:
  DeltaStream(Published& published, const StreamOptions& options, StreamEvents& events, Time now);

  void request(const Request& request, Time now);
  /// Published::apply returned `keys`.
  void changed(const std::vector<ResourceKey>& keys, Time now);
  /// The next response. Call it when the one before is written; nothing: there is none for now.
  std::optional<Response> next(Time now);
  /// Acts on what is due.
  void tick(Time now);
  /// The client is gone: hands on what its next stream must know.
  void close();
  /// When `tick` has something to do; max() when never.
  Time deadline() const;

  Time openedAt() const { return opened_; }
  /// Nothing of `generation` or before waits to be sent (what is held beyond its bound does not count).
  bool sent(uint64_t generation) const;
  /// Nothing of it waits to be sent or answered.
  bool answered(uint64_t generation) const;
  /// What waits for clusters beyond its bound.
  const std::set<ResourceKey>& held() const { return held_; }
  /// Responses without an answer, for tests and diagnostics.
  size_t outstanding() const;

 private:
  /// One name on this stream.
  struct Entry {
    /// The version that the client confirmed; "": none.
    std::string have;
    /// The one it will have when all that was sent is accepted; "": none, or in doubt.
    std::string offered;
    /// The last one that it refused.
    std::string refused;
    /// Of resources with clusters: what the client may hold.
    ResourcePtr have_form, offered_form;
    /// It holds a form from before this stream whose clusters are not known.
    bool unknown_form = false;
    /// It may hold yet another form, which was sent and whose answer says nothing any more.
    bool in_doubt = false;
    /// Of Cluster: something else than an answer showed that it was accepted.
    bool evident = false;
    bool pending = false;
    /// Send even when unchanged.
    bool force = false;
    /// Send in a response of its own.
    bool alone = false;
    /// It waited at the gate long enough.
    bool ungated = false;
    /// `generation` is counted in unsent_.
    bool counted = false;
    uint64_t generation = 0;
    /// The response without an answer that carries it; 0: none.
    uint64_t nonce = 0;
    Time waiting_since{};
    /// Of Cluster: the ClusterLoadAssignment that its last form sent uses.
    std::string endpoints;
    /// Of Cluster: when it may be removed at the earliest; of others unused.
    Time removal_due{};
  };
  struct Batch {
    std::set<std::string> upserts;
    std::set<std::string> removals;
  };
  /// A response without an answer.
  struct Record {
    std::vector<ResourcePtr> items;
    /// How many it had: later responses take over names.
    size_t count = 0;
    std::vector<std::string> removed;
    uint64_t generation = 0;
    Time at{};
    /// `generation` is counted in open_.
    bool counted = true;
    /// Items that nothing shows to have been accepted.
    size_t doubtful = 0;
  };
  struct TypeState {
    bool requested = false;
    bool wildcard = false;
    /// A wildcard subscription that deserves an answer even when there is nothing.
    bool owes_answer = false;
    /// So much waits that responses are shared, until nothing waits any more.
    bool shares = false;
    std::unordered_set<std::string> names;
    std::unordered_map<std::string, Entry> entries;
    Batch now, later;
    std::map<uint64_t, Record> records;

    bool subscribed(const std::string& name) const { return wildcard || names.contains(name); }
  };
  struct Timer {
    enum class Kind : uint8_t { Assume, Hold, Remove } kind;
    ResourceKey key;
  };

  TypeState& state(Type type) { return types_[static_cast<size_t>(type)]; }
  const TypeState& state(Type type) const { return types_[static_cast<size_t>(type)]; }
  Entry* find(Type type, const std::string& name);

  // Subscriptions.
  void noteInitial(Type type, TypeState& t, const Request& request);
  void subscribe(Type type, const std::string& name, bool first, Time now);
  void unsubscribe(Type type, const std::string& name);
  void startWildcard(Type type, Time now);
  void stopWildcard(Type type);
  void forget(Type type, const std::string& name);

  // What is to be sent.
  void consider(Type type, const std::string& name, bool published, Time now);
  void gone(Type type, const std::string& name, bool published, Time now);
  ResourcePtr choose(const Slot& slot, const Entry& entry) const;
  void enqueue(Type type, const std::string& name, Entry& entry, bool published);
  void unqueue(Type type, const std::string& name, Entry& entry);
  void requeueRemoval(Type type, const std::string& name);
  void count(Entry& entry, bool on);

  // Sending.
  std::optional<Response> build(Type type, Time now);
  std::optional<Response> fill(Type type, std::set<std::string>& names, size_t limit, std::vector<std::string> removed, Time now);
  bool add(Type type, const std::string& name, Record& record, Time now);
  std::vector<std::string> takeRemovals(Type type);
  bool owesEmptyAnswer(Type type) const;
  Response finish(Type type, Record record, std::vector<std::string> removed, Time now);
  bool gated(Type type, const std::string& name, Entry& entry, const Resource& resource, Time now);
  void clusterSent(const std::string& name, Entry& entry, const Resource& resource, Time now);
  void supersede(Type type, const std::string& name, Entry& entry);
  void uncount(Record& record);

  // Answers.
  void answer(Type type, const Request& request, Time now);
  void accepted(Type type, uint64_t nonce, const Record& record, Time now);
  void refused(Type type, uint64_t nonce, const Record& record, const std::string& detail, Time now);
  void settle(const std::string& cluster);
  void settleByEndpoints(const std::string& endpoints, uint64_t nonce, Time now);

  // Time.
  void holdExpired(const ResourceKey& key, Time now);
  void removeClusters(std::vector<std::string> due, Time now);

  Published& published_;
  const StreamOptions options_;
  StreamEvents& events_;
  const Time opened_;
  bool started_ = false;
  uint64_t next_nonce_ = 1;
  TypeState types_[kTypes];
  Gate gate_;
  /// ClusterLoadAssignments to send before anything else: their clusters were just sent.
  std::set<std::string> urgent_;
  /// The same, of names that the client does not subscribe to yet.
  std::unordered_set<std::string> owed_;
  /// ClusterLoadAssignment → clusters sent that use it.
  std::unordered_map<std::string, std::set<std::string>> users_;
  std::multimap<Time, Timer> timers_;
  /// Generation → how many names wait to be sent, how many responses to be answered.
  Generations unsent_, open_;
  std::set<ResourceKey> held_;
};

}  // namespace emissary::serve
