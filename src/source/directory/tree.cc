#include "source/directory/tree.h"

#include <dirent.h>
#include <fmt/format.h>
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <string_view>
#include <utility>

namespace emissary::source {
namespace {

/// Beyond what notices tell: something that a link's target depends on changed.
constexpr uint32_t kTarget = IN_CLOSE_WRITE;
constexpr int kMaxLinks = 40;
constexpr size_t kMaxDepth = 40;
/// Links can make few folders look like exponentially many.
constexpr size_t kMaxFolders = 20'000;
constexpr std::chrono::seconds kQuiet{1};
constexpr std::chrono::seconds kScanInterval{1};

std::string_view baseName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string parentOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

bool hidden(std::string_view name) { return name.starts_with('.'); }

bool isManifest(std::string_view name) { return name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json"); }

/// Nothing is there, as opposed to: we may not see it.
bool isAbsence(int error) { return error == ENOENT || error == ENOTDIR || error == ELOOP; }

std::optional<std::vector<std::string>> listNames(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(opendir(folder.c_str()), closedir);
  if (!stream) return std::nullopt;
  std::vector<std::string> names;
  for (errno = 0; const dirent* entry = readdir(stream.get()); errno = 0) {
    const std::string_view name = entry->d_name;
    if (hidden(name) || (entry->d_type == DT_REG && !isManifest(name))) continue;
    names.emplace_back(name);
  }
  if (errno != 0) return std::nullopt;
  std::sort(names.begin(), names.end());
  return names;
}

std::string absolute(const std::string& path) {
  if (path.starts_with('/')) return path;
  char here[PATH_MAX];
  return getcwd(here, sizeof(here)) == nullptr ? path : fmt::format("{}/{}", here, path);
}

std::string withoutSlashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path.empty() ? "." : path;
}

void pushFront(std::deque<std::string>& parts, std::string_view path) {
  while (!path.empty()) {
    const size_t slash = path.rfind('/');
    const std::string_view part = slash == std::string_view::npos ? path : path.substr(slash + 1);
    if (!part.empty() && part != ".") parts.emplace_front(part);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  }
}

std::optional<std::string> readLink(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t length = readlink(path.c_str(), target, sizeof(target));
  if (length <= 0) return std::nullopt;
  return std::string(target, static_cast<size_t>(length));
}

}  // namespace

Tree::Tree(std::string root, Visitor& visitor, Notifier* notifier)
    : root_(withoutSlashes(std::move(root))), visitor_(visitor), notifier_(notifier) {}

void Tree::scan() {
  lookRoot(false);
  next_scan_ = Clock::now() + kScanInterval;
}

// ------------------------------------------------------------------------------------------------ notices

void Tree::apply(const std::vector<Notice>& notices) {
  std::map<std::string, uint32_t> dirty;
  bool root_moved = false;
  bool lost = false;
  for (const Notice& notice : notices) {
    if (notice.mask & IN_Q_OVERFLOW) {
      lost = true;
    } else {
      collect(notice, dirty, root_moved);
    }
  }
  struct stat state{};
  if (stat(root_.c_str(), &state) != 0) {
    for (const auto& [path, mask] : dirty) {
      if (path != root_ && (mask & (IN_DELETE | IN_MOVED_FROM))) forget(path);
    }
    lookRoot(false);
    return;
  }
  const auto root = entries_.find(root_);
  const bool root_replaced = root == entries_.end() || root->second.device != state.st_dev || root->second.inode != state.st_ino;
  if (lost || root_moved || root_replaced) lookRoot(false);
  for (const auto& [path, mask] : dirty) lookAtDirty(path, mask);
}

void Tree::collect(const Notice& notice, std::map<std::string, uint32_t>& dirty, bool& root_moved) {
  const auto found = watches_.find(notice.watch);
  if (found == watches_.end()) return;
  const Watch& watch = found->second;
  for (const std::string& folder : watch.folders) {
    if (notice.name.empty()) {
      root_moved = root_moved || (folder == root_ && (notice.mask & IN_MOVE_SELF));
      dirty[folder] |= notice.mask;
    } else if (!root_moved) {  // else it tells of a folder that is not ours any more
      uint32_t& mask = dirty[folder + "/" + notice.name];
      if (notice.mask & IN_CREATE) mask &= ~(IN_CLOSE_WRITE | IN_MOVED_TO);  // those were of the one before
      mask |= notice.mask;
    }
  }
  const uint32_t target_mask = (notice.mask & IN_CREATE) ? uint32_t{IN_CREATE} : kTarget;
  for (const auto& [name, links] : watch.hops) {
    if (!notice.name.empty() && name != notice.name) continue;
    for (const std::string& link : links) dirty[link] |= target_mask;
  }
  if (notice.mask & IN_IGNORED) watchEnded(notice.watch);
}

void Tree::lookAtDirty(const std::string& path, uint32_t mask) {
  const auto known = entries_.find(path);
  if (path != root_) {
    const auto parent = entries_.find(parentOf(path));
    if (hidden(baseName(path)) || parent == entries_.end() || parent->second.type != Type::Folder) return;
    if (known == entries_.end() && !(mask & IN_ISDIR) && !isManifest(baseName(path))) {
      struct stat state{};  // only a link may still lead to a folder
      if (lstat(path.c_str(), &state) == 0 && S_ISREG(state.st_mode)) return;
    }
  }
  const bool only_attributes = (mask & ~uint32_t{IN_ATTRIB | IN_ISDIR}) == 0;
  if (known != entries_.end() && known->second.type == Type::Folder && only_attributes && !known->second.problem) return;
  if (postpone(path, mask)) return;
  doubtful_.erase(path);
  look(path, !only_attributes);
}

bool Tree::postpone(const std::string& path, uint32_t mask) {
  if (!(mask & IN_CREATE) || (mask & (IN_CLOSE_WRITE | IN_MOVED_TO | IN_ISDIR))) return false;
  struct stat state{};
  if (lstat(path.c_str(), &state) != 0 || !S_ISREG(state.st_mode) || state.st_nlink > 1) return false;
  doubtful_[path] = {Clock::now() + kQuiet, state.st_size, state.st_mtim};
  return true;
}

void Tree::settle(Clock::time_point now) {
  std::vector<std::string> ready;
  for (auto& [path, doubtful] : doubtful_) {
    if (doubtful.due > now) continue;
    struct stat state{};
    const bool there = lstat(path.c_str(), &state) == 0;
    if (there && (state.st_size != doubtful.size || state.st_mtim.tv_sec != doubtful.changed.tv_sec ||
                  state.st_mtim.tv_nsec != doubtful.changed.tv_nsec)) {
      doubtful = {now + kQuiet, state.st_size, state.st_mtim};
    } else {
      ready.push_back(path);
    }
  }
  for (const std::string& path : ready) lookAtDirty(path, IN_CLOSE_WRITE);
  if (!unwatched_.empty() && next_scan_ <= now) scan();
}

std::optional<Tree::Clock::time_point> Tree::nextDue() const {
  std::optional<Clock::time_point> due;
  if (!unwatched_.empty()) due = next_scan_;
  for (const auto& [path, doubtful] : doubtful_) due = due ? std::min(*due, doubtful.due) : doubtful.due;
  return due;
}

// ------------------------------------------------------------------------------------------------ looking

void Tree::look(const std::string& path, bool certain) {
  if (path == root_) {
    lookRoot(certain);
    return;
  }
  struct stat state{};
  if (lstat(path.c_str(), &state) != 0) {
    const int error = errno;
    if (isAbsence(error)) {
      forget(path);
    } else {
      entries_[path].problem = true;
      visitor_.problem(path, Severity::Error, fmt::format("cannot be read: {}", std::strerror(error)));
    }
    return;
  }
  const bool link = S_ISLNK(state.st_mode);
  if (!link) {
    lookAt(path, state, false, certain);
    return;
  }
  if (notifier_ != nullptr) watchHops(path, entries_[path]);
  if (stat(path.c_str(), &state) != 0) {
    lookAtNothing(path, errno);
  } else {
    lookAt(path, state, true, certain);
  }
}

void Tree::lookRoot(bool certain) {
  if (notifier_ != nullptr) watchHops(root_, entries_[root_]);
  struct stat state{};
  if (stat(root_.c_str(), &state) != 0) {
    rootGone(errno);
    return;
  }
  if (entries_[root_].problem) {
    entries_[root_].problem = false;
    visitor_.fine(root_);
  }
  lookAt(root_, state, true, certain);
}

void Tree::rootGone(int error) {
  for (auto& [path, entry] : entries_) {
    if (entry.watch >= 0) releaseFolder(path, entry);  // what happens to a folder that was moved away is not ours
  }
  doubtful_.clear();
  Entry& root = entries_[root_];
  root.problem = true;
  root.inode = 0;
  visitor_.problem(
      root_, Severity::Error,
      fmt::format("cannot be read: {}; what was read from it before stays in use until it is back", std::strerror(error)));
}

void Tree::lookAtNothing(const std::string& path, int error) {
  Entry& entry = entries_[path];
  if (isAbsence(error)) {
    become(path, entry, Type::Nothing);
    if (isManifest(baseName(path))) {
      entry.problem = true;
      visitor_.problem(path, Severity::Warning, "the link points to nothing; remove it or create its target");
    }
    return;
  }
  entry.problem = true;
  visitor_.problem(path, Severity::Error, fmt::format("cannot be read: {}", std::strerror(error)));
}

void Tree::lookAt(const std::string& path, const struct stat& state, bool link, bool certain) {
  const bool file = S_ISREG(state.st_mode) && (path == root_ || isManifest(baseName(path)));
  if (!file && !S_ISDIR(state.st_mode) && !link) {
    forget(path);
    return;
  }
  Entry& entry = entries_[path];
  if (!link) releaseHops(path, entry);
  if (S_ISDIR(state.st_mode)) {
    become(path, entry, Type::Folder);
    lookInto(path, state);
  } else if (file) {
    become(path, entry, Type::File);
    entry.device = state.st_dev;
    entry.inode = state.st_ino;
    entry.problem = false;
    visitor_.file(path, state, certain);
  } else {
    become(path, entry, Type::Nothing);
  }
}

/// Not a folder that contains itself, nor one of endlessly many.
bool Tree::descend(const std::string& path, const struct stat& state) {
  size_t depth = 0;
  for (std::string above = path; above.size() > root_.size(); ++depth) {
    above = parentOf(above);
    const auto found = entries_.find(above);
    if (found == entries_.end()) break;
    if (found->second.device == state.st_dev && found->second.inode == state.st_ino) {
      visitor_.problem(path, Severity::Warning, "the link leads to a folder that contains it; it is not followed");
      return false;
    }
  }
  if (depth < kMaxDepth && folders_ <= kMaxFolders) return true;
  visitor_.problem(path, Severity::Error,
                   fmt::format("not read: more than {} folders, or nested more than {} deep", kMaxFolders, kMaxDepth));
  return false;
}

void Tree::lookInto(const std::string& path, const struct stat& state) {
  Entry& entry = entries_[path];
  entry.device = state.st_dev;
  entry.inode = state.st_ino;
  if (!descend(path, state)) {
    entry.problem = true;
    forgetBelow(path);
    return;
  }
  // Watch first, then list: what appears in between is seen twice rather than never.
  watchFolder(path, entry);
  const auto names = listNames(path);
  if (!names) {
    const int error = errno;
    entry.problem = true;
    visitor_.problem(path, Severity::Error, fmt::format("the folder cannot be read: {}", std::strerror(error)));
    return;
  }
  if (unwatched_.contains(path)) {
    entry.problem = true;
    visitor_.problem(path, Severity::Warning,
                     "the kernel refuses to watch the folder, so it is looked through every second instead; raise "
                     "fs.inotify.max_user_watches and fs.inotify.max_user_instances");
  } else if (std::exchange(entry.problem, false)) {
    visitor_.fine(path);
  }
  const std::string prefix = path + "/";
  std::vector<std::string> absent;
  for (auto at = entries_.lower_bound(prefix); at != entries_.end() && at->first.starts_with(prefix); ++at) {
    const std::string_view name = std::string_view(at->first).substr(prefix.size());
    if (name.find('/') == std::string_view::npos && !std::binary_search(names->begin(), names->end(), name)) {
      absent.push_back(at->first);
    }
  }
  for (const std::string& child : absent) forget(child);
  for (const std::string& name : *names) look(prefix + name, false);
}

void Tree::become(const std::string& path, Entry& entry, Type type) {
  if (entry.type == type) return;
  if (entry.type == Type::Folder) {
    forgetBelow(path);
    releaseFolder(path, entry);
    --folders_;
  }
  if (entry.type != Type::Nothing || entry.problem) visitor_.gone(path);
  entry.problem = false;
  entry.inode = 0;
  if (type == Type::Folder) ++folders_;
  entry.type = type;
}

void Tree::forget(const std::string& path) {
  doubtful_.erase(path);
  const auto found = entries_.find(path);
  if (found == entries_.end()) return;
  become(path, found->second, Type::Nothing);
  if (found->second.problem) visitor_.gone(path);
  releaseHops(path, found->second);
  unwatched_.erase(path);
  entries_.erase(found);
}

void Tree::forgetBelow(const std::string& path) {
  const std::string prefix = path + "/";
  while (true) {
    // From the end, so that what is in a folder goes before the folder. '0' follows '/'.
    auto after = entries_.lower_bound(path + "0");
    if (after == entries_.begin()) return;
    const std::string last = std::prev(after)->first;
    if (!last.starts_with(prefix)) return;
    forget(last);
  }
}

// ------------------------------------------------------------------------------------------------ watches

void Tree::watchFolder(const std::string& path, Entry& entry) {
  if (notifier_ == nullptr) return;
  char real[PATH_MAX];
  entry.real = realpath(path.c_str(), real) != nullptr ? real : absolute(path);
  const int watch = notifier_->add(path);
  if (watch != entry.watch) releaseFolder(path, entry);
  if (watch >= 0) {
    entry.watch = watch;
    watches_[watch].folders.insert(path);
    unwatched_.erase(path);
  } else if (!isAbsence(-watch)) {
    unwatched_.insert(path);
  }
}

/// The names that decide what `path` leads to: each link on the way, and the first that is absent or the last. Of folders on the
/// way that are no links only the last one's move is seen.
std::vector<Tree::Hop> Tree::resolve(const std::string& path) const {
  std::vector<Hop> hops;
  std::deque<std::string> parts;
  std::string folder;  // without links; "" is "/"
  const auto parent = path == root_ ? entries_.end() : entries_.find(parentOf(path));
  if (parent == entries_.end()) {
    pushFront(parts, absolute(path));
  } else {
    folder = parent->second.real;
    parts.emplace_back(baseName(path));
  }
  for (int links = 0; !parts.empty() && links <= kMaxLinks;) {
    const std::string name = std::move(parts.front());
    parts.pop_front();
    if (name == "..") {
      folder = folder.substr(0, std::min(folder.rfind('/'), folder.size()));
      continue;
    }
    const std::string full = folder + "/" + name;
    struct stat state{};
    const bool there = lstat(full.c_str(), &state) == 0;
    if (!there || parts.empty() || S_ISLNK(state.st_mode)) hops.push_back({folder.empty() ? "/" : folder, name});
    if (!there) break;
    if (!S_ISLNK(state.st_mode)) {
      folder = full;
      continue;
    }
    ++links;
    const auto target = readLink(full);
    if (!target) break;
    if (target->starts_with('/')) folder.clear();
    pushFront(parts, *target);
  }
  // A folder's own watch tells of the names in it.
  if (parent != entries_.end() && !hops.empty()) hops.erase(hops.begin());
  return hops;
}

void Tree::watchHops(const std::string& path, Entry& entry) {
  constexpr int kAttempts = 16;  // it may change between looking and watching, but hardly for ever
  for (int i = 0; i < kAttempts; ++i) {
    std::vector<Hop> hops = resolve(path);
    if (i > 0 && hops == entry.hops) return;
    for (Hop& hop : hops) {
      hop.watch = notifier_->add(hop.folder);
      if (hop.watch >= 0) {
        watches_[hop.watch].hops[hop.name].insert(path);
      } else if (!isAbsence(-hop.watch)) {
        unwatched_.insert(path);
      }
    }
    const std::vector<Hop> before = std::exchange(entry.hops, std::move(hops));
    for (const Hop& hop : before) {
      const bool kept = std::any_of(entry.hops.begin(), entry.hops.end(),
                                    [&](const Hop& now) { return now.watch == hop.watch && now.name == hop.name; });
      if (!kept) releaseHop(path, hop);
    }
  }
}

void Tree::releaseFolder(const std::string& path, Entry& entry) {
  const int watch = std::exchange(entry.watch, -1);
  const auto found = watches_.find(watch);
  if (found == watches_.end()) return;
  found->second.folders.erase(path);
  dropIfUnused(watch);
}

void Tree::releaseHop(const std::string& path, const Hop& hop) {
  const auto found = watches_.find(hop.watch);
  if (found == watches_.end()) return;
  const auto links = found->second.hops.find(hop.name);
  if (links == found->second.hops.end()) return;
  links->second.erase(path);
  if (links->second.empty()) found->second.hops.erase(links);
  dropIfUnused(hop.watch);
}

void Tree::releaseHops(const std::string& path, Entry& entry) {
  for (const Hop& hop : std::exchange(entry.hops, {})) releaseHop(path, hop);
}

void Tree::dropIfUnused(int watch) {
  const auto found = watches_.find(watch);
  if (found == watches_.end() || !found->second.folders.empty() || !found->second.hops.empty()) return;
  watches_.erase(found);
  notifier_->remove(watch);
}

/// The kernel ended it: the folder is no more.
void Tree::watchEnded(int watch) {
  const auto found = watches_.find(watch);
  if (found == watches_.end()) return;
  const Watch ended = std::move(found->second);
  watches_.erase(found);
  for (const std::string& folder : ended.folders) {
    const auto entry = entries_.find(folder);
    if (entry != entries_.end() && entry->second.watch == watch) entry->second.watch = -1;
  }
  for (const auto& [name, links] : ended.hops) {
    for (const std::string& link : links) {
      const auto entry = entries_.find(link);
      if (entry != entries_.end()) std::erase_if(entry->second.hops, [watch](const Hop& hop) { return hop.watch == watch; });
    }
  }
}

}  // namespace emissary::source
