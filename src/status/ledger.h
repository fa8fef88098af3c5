#pragma once
// The verdicts of all objects that a status is written for, kept by what moved: a change costs what it touches. Used by the compile
// thread, which owns the engine.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "engine/engine.h"
#include "status/verdict.h"

namespace emissary::status {

/// What an object's status is to say.
struct Desired {
  ObjectRef ref;
  /// Absent: the object is gone, or not ours.
  std::optional<Verdict> verdict;
  /// metadata.generation of the object that was judged.
  int64_t generation = 0;
  bool operator==(const Desired&) const = default;
};

class Ledger {
 public:
  /// After the engine was given something, or findings changed. `before` and `now`: all findings then and now, sorted.
  /// `generation`: the newest configuration published. Returns the verdicts that are others than they were.
  std::vector<Desired> update(engine::Engine& engine, const std::vector<Finding>& before, const std::vector<Finding>& now,
                              uint64_t generation);
  /// Envoy has answered everything up to this configuration.
  std::vector<Desired> confirmed(uint64_t generation);
  /// Whether an Envoy is connected.
  std::vector<Desired> connected(bool is);

  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Verdict verdict;
    int64_t generation = 0;
    /// The configuration that its last change came with.
    uint64_t published = 0;
  };
  Answer answerFor(uint64_t published) const;

  std::map<ObjectRef, Entry> entries_;
  std::set<ObjectRef> waiting_;  // for Envoy's answer
  uint64_t confirmed_ = 0;
  bool connected_ = false;
};

}  // namespace emissary::status
