#pragma once
// The files below a folder, as the kernel tells of them: which exist, which may have changed. Follows links, watches every
// folder that is involved, and knows nothing of what is in the files. Owned and called by one thread.
//
// A path is always written as reached from the root, also where links lead elsewhere. Notices only say where to look: what
// counts is what is found there then, so that late, repeated or coalesced notices do no harm.
//
// The root itself is special. When it is gone, nothing is concluded about the files in it, except for those whose removal was
// told one by one before; once it is back it is looked through.

#include <sys/stat.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/finding.h"
#include "source/directory/notifier.h"

namespace emissary::source {

class Tree {
 public:
  using Clock = std::chrono::steady_clock;

  class Visitor {
   public:
    virtual ~Visitor() = default;
    /// `path` is a file. `certain`: it was written or replaced; else it may be as it was.
    virtual void file(const std::string& path, const struct stat& state, bool certain) = 0;
    /// Nothing to read is at `path` any more.
    virtual void gone(const std::string& path) = 0;
    /// The file or folder cannot be read, or not followed.
    virtual void problem(const std::string& path, Severity severity, std::string message) = 0;
    /// The folder is in order.
    virtual void fine(const std::string& path) = 0;
  };

  /// Without a notifier: for looking once.
  Tree(std::string root, Visitor& visitor, Notifier* notifier);

  /// Look at everything.
  void scan();
  void apply(const std::vector<Notice>& notices);
  /// Look at what could not be decided at its notice; call it when nextDue() has come.
  void settle(Clock::time_point now);
  std::optional<Clock::time_point> nextDue() const;

 private:
  enum class Type : uint8_t { File, Folder, Nothing };
  /// A name in a folder on whose meaning a link's target depends.
  struct Hop {
    std::string folder;
    std::string name;
    int watch = -1;
    bool operator==(const Hop& other) const { return folder == other.folder && name == other.name; }
  };
  struct Entry {
    Type type = Type::Nothing;
    dev_t device = 0;
    ino_t inode = 0;
    /// Of a folder: its path without links.
    std::string real;
    /// Of a folder.
    int watch = -1;
    /// Of a link.
    std::vector<Hop> hops;
    bool problem = false;
  };
  struct Watch {
    std::set<std::string> folders;
    /// Name → the links that depend on it.
    std::map<std::string, std::set<std::string>> hops;
  };
  struct Doubtful {
    Clock::time_point due;
    int64_t size = 0;
    timespec changed{};
  };

  void look(const std::string& path, bool certain);
  void lookAt(const std::string& path, const struct stat& state, bool link, bool certain);
  void lookRoot(bool certain);
  void lookInto(const std::string& path, const struct stat& state);
  bool descend(const std::string& path, const struct stat& state);
  void lookAtNothing(const std::string& path, int error);
  void become(const std::string& path, Entry& entry, Type type);
  void forget(const std::string& path);
  void forgetBelow(const std::string& path);
  void rootGone(int error);

  void collect(const Notice& notice, std::map<std::string, uint32_t>& dirty, bool& root_moved);
  void lookAtDirty(const std::string& path, uint32_t mask);
  bool postpone(const std::string& path, uint32_t mask);

  void watchFolder(const std::string& path, Entry& entry);
  void watchHops(const std::string& path, Entry& entry);
  std::vector<Hop> resolve(const std::string& path) const;
  void releaseFolder(const std::string& path, Entry& entry);
  void releaseHop(const std::string& path, const Hop& hop);
  void releaseHops(const std::string& path, Entry& entry);
  void dropIfUnused(int watch);
  void watchEnded(int watch);

  const std::string root_;
  Visitor& visitor_;
  Notifier* const notifier_;
  std::map<std::string, Entry> entries_;
  std::unordered_map<int, Watch> watches_;
  /// Created files of which no end of writing was told: hard links, or still being written.
  std::map<std::string, Doubtful> doubtful_;
  /// Paths that the kernel does not let us watch: all is looked at from time to time instead.
  std::set<std::string> unwatched_;
  Clock::time_point next_scan_{};
  size_t folders_ = 0;
};

}  // namespace emissary::source
