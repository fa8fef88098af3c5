#pragma once
// Manifests compiled once, without following them: for check, compile and their kin. Owned by the command; one thread.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "model/finding.h"
#include "settings/settings.h"
#include "source/event.h"

namespace emissary::cli {

struct Offline {
  std::unique_ptr<engine::Engine> engine;
  /// All of them: the files', of objects defined twice, the engine's. Sorted by path and line.
  std::vector<Finding> findings;

  size_t errors() const;
  size_t warnings() const;
};

/// Compile what lies at settings.paths. Nothing, with `error` set, when a path does not exist.
std::optional<Offline> compileOffline(const settings::Settings& settings, std::string& error);

/// All batches as one set of objects. An object that two of them define is taken from the first; the other place is told so, unless
/// it is the same place reached by two paths.
std::vector<engine::Change> merge(const std::vector<source::Batch>& batches, std::vector<Finding>& findings);

/// `PATH:LINE: severity: Kind namespace/name: field: message`
std::string line(const Finding& finding);

}  // namespace emissary::cli
