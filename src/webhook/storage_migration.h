#pragma once
// Objects that an API server stores in an older version, stored as v3alpha1; then the CRDs are told that no older one is stored,
// after which older versions, and the webhook, may go. Nothing is remembered: begun again, it goes on where something is left to
// do.

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "kube/client.h"

namespace emissary::webhook {

struct MigrationHooks {
  /// The answers, in the order of the requests, which may run side by side. Blocks.
  std::function<std::vector<kube::Response>(std::vector<kube::Request>)> ask;
  /// Before the next try with a server that is busy.
  std::function<void()> pause;
  /// One line for people: what was done, or would be.
  std::function<void(const std::string&)> say;
  /// What keeps it from being done.
  std::function<void(const std::string&)> fail;
};

struct MigrationOptions {
  /// Without it nothing is written.
  bool apply = false;
  /// The CRDs lose their older versions, and their conversion, once nothing is stored in them.
  bool drop_older = false;
};

/// False when something is left that could not be done.
bool migrateStorage(const MigrationHooks& hooks, MigrationOptions options);

}  // namespace emissary::webhook
