#pragma once
// The kernel's notices about folders. Owned by a Follower, called by its thread. An interface so that tests can lose notices.

#include <sys/inotify.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace emissary::source {

struct Notice {
  int watch = 0;
  /// IN_CREATE, IN_CLOSE_WRITE … ; IN_Q_OVERFLOW says that notices were lost.
  uint32_t mask = 0;
  /// Within the watched folder; empty: the folder itself.
  std::string name;
};

class Notifier {
 public:
  virtual ~Notifier() = default;

  /// Readable when there are notices; -1 when there never will be.
  virtual int fd() const = 0;
  /// Watch a folder: a number >= 0, the same for the same folder, or a negative errno.
  virtual int add(const std::string& folder) = 0;
  virtual void remove(int watch) = 0;
  /// All notices there are, without waiting.
  virtual std::vector<Notice> read() = 0;
};

/// inotify.
std::unique_ptr<Notifier> makeNotifier();

}  // namespace emissary::source
