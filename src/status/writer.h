#pragma once
// Writes what objects have come to into their `status`: only what differs from what the server has, by server-side apply as one
// field manager, and only while this instance leads. All on the thread of the loop. Nothing waits for it.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kube/client.h"
#include "kube/loop.h"
#include "model/live_status.h"
#include "status/announcer.h"
#include "status/document.h"
#include "status/ledger.h"

namespace emissary::status {

struct WriterOptions {
  std::string field_manager = "emissary";
  /// Requests under way at once.
  size_t in_flight = 16;
  /// A verdict that lacks Envoy's answer alone waits for it: so long, and where the status on the server was written of the same
  /// with an answer, so long. That spares a write, or as many as there are objects at a start.
  std::chrono::milliseconds answer_wait{1000};
  std::chrono::milliseconds known_answer_wait{30000};
  /// Until what the server refuses for good is tried again.
  std::chrono::milliseconds refused_retry{600000};
  std::chrono::milliseconds first_backoff{800};
  std::chrono::milliseconds longest_backoff{30000};
  uint32_t seed = 0;
  /// Seconds since the epoch.
  std::function<int64_t()> wall_clock;
};

/// What became of writes, for metrics.
enum class WriteResult : uint8_t { Written, Gone, Forbidden, Refused, Failed };
std::string_view writeResultName(WriteResult result);

class Writer {
 public:
  struct Outputs {
    /// Of status as a whole, for people; `text` "" takes back what was said under `topic`.
    std::function<void(const std::string& topic, const std::string& text)> problem;
    std::function<void(WriteResult)> wrote;
    /// An error that the status of an object did not tell before. May be null.
    Announcer* announcer = nullptr;
  };

  Writer(WriterOptions options, kube::Loop& loop, kube::Client& client, Outputs outputs);
  ~Writer();
  Writer(const Writer&) = delete;

  void want(const std::vector<Desired>& all);
  void observe(const model::Sighting& sighting);
  /// At once: no request is begun any more when it does not, and those under way are given up.
  void lead(bool leads);

  /// Nothing is under way or due.
  bool idle() const { return in_flight_ == 0 && due_.empty(); }

 private:
  using Clock = kube::Loop::Clock;
  struct Item {
    std::optional<Desired> wanted;
    std::optional<model::LiveStatus> live;
    std::string uid;
    /// Since when what is wanted waits for an answer alone.
    std::optional<Clock::time_point> waits_since;
    std::optional<Clock::time_point> due;
    kube::Client::Call call = 0;
    int failures = 0;
    /// Our last write, and the status that the server made of it: together they need no other write.
    Hash128 sent;
    std::optional<Hash128> made;
    /// Another wrote a reason before us, which is being taken away; once.
    enum class Clearing : uint8_t { No, Now, Done } clearing = Clearing::No;
    /// The server refused the last write for good.
    Clock::time_point refused_until{};
    /// The text of the last Event.
    std::optional<Hash128> announced;
  };
  using Items = std::unordered_map<ObjectRef, Item>;
  enum class Topic : uint8_t { NoSubresource, NoConditions, Forbidden };
  /// What the cluster lets us write of a kind.
  struct KindState {
    /// No conditions before.
    Clock::time_point plain_until{};
    /// No request before.
    Clock::time_point blocked_until{};
    /// A write of it has succeeded, so its status can be written.
    bool proven = false;
    std::set<Topic> topics;
    std::string why;
  };

  void plan(const ObjectRef& ref, Item& item);
  void schedule(const ObjectRef& ref, Item& item, Clock::time_point at);
  void unschedule(const ObjectRef& ref, Item& item);
  void pump();
  void begin(const ObjectRef& ref, Item& item);
  void finished(const ObjectRef& ref, const Hash128& sent, const model::LiveStatus& before, const kube::Response& response);
  void written(const ObjectRef& ref, Item& item, const Hash128& sent, const model::LiveStatus& before,
               const kube::Response& response);
  void missing(const ObjectRef& ref, Item& item);
  void failed(Item& item, const kube::Response& response);
  void refused(const ObjectRef& ref, Item& item, const kube::Response& response);
  void notRefused(const ObjectRef& ref);
  void plain(Kind kind);
  void count(WriteResult result) const;
  void discover();
  void discovered(const kube::Response& response);
  void block(Kind kind, Topic topic, const std::string& why);
  void unblock(Kind kind);
  void tell(Topic topic);
  void giveUp(Item& item);
  void dropIfEmpty(const ObjectRef& ref);
  void announce(const ObjectRef& ref, Item& item, const model::LiveStatus& before);
  Document document(const ObjectRef& ref, const Item& item, const Verdict& verdict) const;
  Shape shapeOf(Kind kind) const;
  bool settled(const Item& item, const Document& document) const;
  std::chrono::milliseconds backoff(int failures);

  const WriterOptions options_;
  kube::Loop& loop_;
  kube::Client& client_;
  const Outputs outputs_;
  std::minstd_rand random_;

  bool leads_ = false;
  Items items_;
  std::set<std::pair<Clock::time_point, ObjectRef>> due_;
  std::map<ObjectRef, std::string> refused_;  // and why
  size_t in_flight_ = 0;
  size_t begun_ = 0;  // since it rested last
  std::map<Kind, KindState> kinds_;
  /// The server asked us to wait, or does not answer.
  Clock::time_point paused_until_{};
  int outages_ = 0;
  kube::Client::Call discovery_ = 0;
  std::optional<Clock::time_point> discovered_at_;
  kube::Loop::Timer timer_ = 0;
};

}  // namespace emissary::status
