#pragma once
// What every source says to the store. A source is the only code that knows files, HTTP or Kubernetes; it parses
// into immutable objects on its own thread.

#include <chrono>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "model/finding.h"
#include "model/object.h"

namespace emissary::source {

struct Upsert {
  ObjectPtr object;
};

struct Delete {
  ObjectRef ref;
};

/// Findings about `path` that belong to no object that is in use: a file that does not parse, an unknown kind, a second
/// definition of an object. Replaces what was said about `path` before; empty when all is well.
struct FileFindings {
  std::string path;
  std::vector<Finding> findings;
};

/// Everything that exists has been told once. Sent once.
struct Synced {};

using Event = std::variant<Upsert, Delete, FileFindings, Synced>;

/// One batch is what one change of the outside brought; it is applied as a whole.
struct Batch {
  std::vector<Event> events;
  /// When the outside's change was noticed.
  std::chrono::steady_clock::time_point arrived;
};

using Sink = std::function<void(Batch)>;

}  // namespace emissary::source
