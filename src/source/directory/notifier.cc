#include "source/directory/notifier.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <set>

namespace emissary::source {
namespace {

constexpr uint32_t kMask =
    IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
/// Bounds one read() while somebody writes without end.
constexpr int kMaxReads = 64;

class Inotify : public Notifier {
 public:
  Inotify() : fd_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)), error_(fd_ < 0 ? errno : 0) {}
  ~Inotify() override {
    if (fd_ >= 0) close(fd_);
  }
  Inotify(const Inotify&) = delete;
  Inotify& operator=(const Inotify&) = delete;

  int fd() const override { return fd_; }

  int add(const std::string& folder) override {
    if (fd_ < 0) return -error_;
    const int watch = inotify_add_watch(fd_, folder.c_str(), kMask);
    return watch < 0 ? -errno : watch;
  }

  void remove(int watch) override {
    if (fd_ >= 0) inotify_rm_watch(fd_, watch);
  }

  std::vector<Notice> read() override {
    std::vector<Notice> notices;
    std::set<uint32_t> half_moves;
    int reads = 0;
    while (fd_ >= 0 && reads < kMaxReads && readSome(notices, half_moves)) ++reads;
    if (!half_moves.empty()) {
      // A rename is two notices, and we may have woken between them: its second half is due now, if it is ours at all.
      pollfd wait{fd_, POLLIN, 0};
      if (poll(&wait, 1, 1) > 0) readSome(notices, half_moves);
    }
    return notices;
  }

 private:
  bool readSome(std::vector<Notice>& notices, std::set<uint32_t>& half_moves) {
    const ssize_t got = ::read(fd_, buffer_.data(), buffer_.size());
    for (ssize_t at = 0; at < got;) {
      inotify_event event;
      std::memcpy(&event, buffer_.data() + at, sizeof(event));
      const char* name = buffer_.data() + at + offsetof(inotify_event, name);
      notices.push_back({event.wd, event.mask, event.len > 0 ? std::string(name) : std::string()});
      if (event.mask & IN_MOVED_FROM) half_moves.insert(event.cookie);
      if (event.mask & IN_MOVED_TO) half_moves.erase(event.cookie);
      at += static_cast<ssize_t>(sizeof(event) + event.len);
    }
    return got > 0;
  }

  int fd_;
  int error_;
  alignas(inotify_event) std::array<char, 64 * 1024> buffer_;
};

}  // namespace

std::unique_ptr<Notifier> makeNotifier() { return std::make_unique<Inotify>(); }

}  // namespace emissary::source
