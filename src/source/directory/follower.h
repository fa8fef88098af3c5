#pragma once
// The thread of a DirectorySource: waits for notices, has the tree look, and tells the sink. start() and stop() are its
// owner's; all else happens on its own thread. The parser of documents and the notifier are given, for tests.

#include <memory>
#include <thread>

#include "source/directory/loader.h"
#include "source/directory/notifier.h"
#include "source/directory/tree.h"

namespace emissary::source {

class Follower {
 public:
  Follower(const DirectoryOptions& options, Sink sink, DocumentParser parser, std::unique_ptr<Notifier> notifier);
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  void start();
  /// After it returns the sink is not called any more. Not from within the sink.
  void stop();

  static Batch readOnce(const DirectoryOptions& options, const DocumentParser& parser);

 private:
  void run();
  int millisecondsToWait() const;

  const Sink sink_;
  const std::unique_ptr<Notifier> notifier_;
  Loader loader_;
  Tree tree_;
  int stop_fd_ = -1;
  std::thread thread_;
};

}  // namespace emissary::source
