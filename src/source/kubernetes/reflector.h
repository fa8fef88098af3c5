#pragma once
// Follows one resource: lists it, then watches from where the list ended, for ever. A list comes as the beginning of the watch
// where the server offers that (sendInitialEvents), else in pages. What it reads goes to a Feed; it keeps no objects itself.
//
// What it relies on: only an event DELETED and a complete list say that an object is gone. So whatever goes wrong with a watch
// ends in another watch from the last version seen, or, when that cannot be, in another list.

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kube/client.h"
#include "kube/loop.h"
#include "source/kubernetes/answer.h"
#include "source/kubernetes/backoff.h"
#include "source/kubernetes/options.h"
#include "source/kubernetes/stats.h"

namespace emissary::source {

struct Failure {
  enum class What : uint8_t {
    Connection,  // no answer, or one that broke off
    Refused,     // 403, and what else no other try will cure
    NotFound,    // 404
    Other,
  };
  What what = What::Other;
  /// One line for people.
  std::string text;
};

class Feed {
 public:
  virtual ~Feed() = default;

  /// A list begins; what an earlier one brought without finish() is void.
  virtual void begin() = 0;
  virtual void add(const Item& item) = 0;
  /// The list is complete.
  virtual void finish() = 0;
  /// Added or modified; else deleted.
  virtual void changed(const Item& item) = 0;
  virtual void deleted(const Item& item) = 0;
  /// A piece of the stream ends.
  virtual void flush() = 0;
  /// Once for each try that fails. What ends normally or can be taken up at once is no failure.
  virtual void failed(const Failure& failure) = 0;
  /// Something has come again from the server.
  virtual void healthy() = 0;
};

class Reflector;

/// What all parts of a source share.
struct Shared {
  kube::Loop& loop;
  kube::Client& client;
  AnswerReader& reader;
  const KubernetesOptions& options;
  Chance& chance;
  KubernetesStats& stats;
  /// All there are.
  std::set<Reflector*> reflectors = {};
  /// The server has said that it does not stream lists.
  bool pages_only = false;
};

class Reflector {
 public:
  struct Target {
    /// "/api/v1/services"
    std::string path;
    /// "&labelSelector=…", or nothing.
    std::string selectors;
    bool namespaced = true;
    /// Objects in a page, if fewer than usual.
    int page = 1 << 20;
  };

  Reflector(Shared& shared, Target target, Feed& feed, KindStats& stats);
  ~Reflector();
  Reflector(const Reflector&) = delete;
  Reflector& operator=(const Reflector&) = delete;

  /// List and watch. Nothing happens when it runs already.
  void start();
  /// The feed is not called any more.
  void stop();
  bool running() const { return running_; }
  /// The server is back: when this waits because it was away, it need not wait longer.
  void hurry();
  /// Before start().
  void retarget(std::string path) { target_.path = std::move(path); }

 private:
  enum class Next : uint8_t { List, Watch };

  void list();
  void requestPage();
  void onPage(kube::Response response);
  void listed(const ListHead& head);
  void watch();
  /// `all`: first what there is, then what changes.
  void follow(bool all);
  /// Part of a list that comes as a stream.
  bool onInitial(const WatchEvent& event, std::string_view line);
  void onStreamRefused(const kube::Response& response);
  void onPiece(std::string_view piece);
  /// False: the watch is over, and what to do next is settled.
  bool onLine(std::string_view line);
  void onError(const WatchEvent& event);
  void onWatchEnd(const kube::Response& response);
  void onStatus(int status, std::string text, std::optional<std::chrono::seconds> retry_after, bool too_new, Next next);
  void expired();
  void fail(Failure::What what, std::string text, Next next, std::optional<std::chrono::seconds> retry_after = {});
  void again(Next next, std::chrono::milliseconds delay);
  void checkSilence();
  void endCall();

  Shared& shared_;
  Target target_;
  Feed& feed_;
  KindStats& stats_;
  Backoff backoff_;

  bool running_ = false;
  kube::Client::Call call_ = 0;
  kube::Loop::Timer timer_ = 0;                 // of the next try
  Next next_ = Next::List;                      // what it will be
  bool passing_ = false;                        // the last failure may have been the server's being away
  kube::Loop::Clock::time_point not_before_{};  // as the server has asked
  kube::Loop::Timer silence_ = 0;               // of a watch
  /// Of the last list, then of what the watch said; empty: ask for the newest.
  std::string version_;
  std::string more_;
  /// Asked for at once; fewer where answers are large.
  int page_;
  kube::Loop::Clock::time_point began_{}, last_byte_{}, expired_at_{};
  bool watching_ = false;
  bool initial_ = false;   // of a watch: what comes is the list
  bool in_pages_ = false;  // the next list; a streamed one has failed
  /// Lines that wait for the end of the list that comes as a stream.
  std::vector<std::string> late_;
  bool heard_ = false;
  /// Lists alone do not make it well.
  bool watch_refused_ = false;
  /// What has come of a line; kept with room for the reader's padding.
  std::string buffer_;
};

}  // namespace emissary::source
