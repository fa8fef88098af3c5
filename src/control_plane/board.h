#pragma once
// What the control plane knows about users' objects now, for diagnostics: an immutable snapshot, swapped whole. The compile thread
// posts, any thread reads.

#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/finding.h"

namespace emissary::control_plane {

struct Snapshot {
  uint64_t generation = 0;
  /// Sorted: of parsing, compiling, the files, and of what Envoy refuses.
  std::vector<Finding> findings;
  /// Clusters whose metrics a Mapping asks for.
  std::set<std::string> stats_names;
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

class Board {
 public:
  SnapshotPtr current() const {
    std::lock_guard lock(mutex_);
    return current_;
  }
  /// The one before.
  SnapshotPtr post(SnapshotPtr next) {
    std::lock_guard lock(mutex_);
    return std::exchange(current_, std::move(next));
  }

 private:
  mutable std::mutex mutex_;
  SnapshotPtr current_ = std::make_shared<Snapshot>();
};

/// Findings that are in one and not in the other; a finding that only moved to another line is the same. Sorted inputs.
struct FindingChanges {
  std::vector<Finding> appeared;
  std::vector<Finding> gone;
};
FindingChanges compare(const std::vector<Finding>& before, const std::vector<Finding>& after);

/// One log line each.
void logChanges(const FindingChanges& changes);

}  // namespace emissary::control_plane
