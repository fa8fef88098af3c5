#include "source/directory/follower.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.h"

namespace emissary::source {

using Clock = std::chrono::steady_clock;

Follower::Follower(const DirectoryOptions& options, Sink sink, DocumentParser parser, std::unique_ptr<Notifier> notifier)
    : sink_(std::move(sink)),
      notifier_(std::move(notifier)),
      loader_(options, std::move(parser)),
      tree_(options.path, loader_, notifier_.get()),
      stop_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (stop_fd_ < 0) log::error("no descriptor left to follow the configuration folder; its changes are not seen");
}

Follower::~Follower() {
  stop();
  if (stop_fd_ >= 0) close(stop_fd_);
}

void Follower::start() {
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
}

void Follower::stop() {
  if (!thread_.joinable()) return;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(stop_fd_, &one, sizeof(one));
  thread_.join();
}

int Follower::millisecondsToWait() const {
  const auto due = tree_.nextDue();
  if (!due) return -1;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*due - Clock::now()).count();
  return static_cast<int>(std::clamp<int64_t>(wait, 0, 60'000));
}

void Follower::run() {
  Batch first{{}, Clock::now()};
  tree_.scan();
  first.events = loader_.takeEvents();
  first.events.emplace_back(Synced{});
  sink_(std::move(first));

  while (stop_fd_ >= 0) {
    pollfd fds[] = {{stop_fd_, POLLIN, 0}, {notifier_->fd(), POLLIN, 0}};
    poll(fds, 2, millisecondsToWait());
    if (fds[0].revents != 0) return;
    Batch batch{{}, Clock::now()};
    if (fds[1].revents != 0) tree_.apply(notifier_->read());
    tree_.settle(batch.arrived);
    batch.events = loader_.takeEvents();
    if (!batch.events.empty()) sink_(std::move(batch));
  }
}

Batch Follower::readOnce(const DirectoryOptions& options, const DocumentParser& parser) {
  Batch batch{{}, Clock::now()};
  Loader loader(options, parser);
  Tree tree(options.path, loader, nullptr);
  tree.scan();
  batch.events = loader.takeEvents();
  batch.events.emplace_back(Synced{});
  return batch;
}

}  // namespace emissary::source
