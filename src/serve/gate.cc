#include "serve/gate.h"

namespace emissary::serve {

std::vector<ResourceKey> Gate::settle(const std::string& cluster) {
  std::vector<ResourceKey> released;
  if (!settled_.insert(cluster).second) return released;
  auto waiters = waiters_.extract(cluster);
  if (waiters.empty()) return released;
  for (const ResourceKey& key : waiters.mapped()) {
    const auto wait = waits_.find(key);
    wait->second.erase(cluster);
    if (!wait->second.empty()) continue;
    waits_.erase(wait);
    released.push_back(key);
  }
  return released;
}

bool Gate::pass(const ResourceKey& key, const std::vector<std::string>& clusters) {
  cancel(key);
  std::unordered_set<std::string> missing;
  for (const std::string& cluster : clusters) {
    if (!settled(cluster)) missing.insert(cluster);
  }
  if (missing.empty()) return true;
  for (const std::string& cluster : missing) waiters_[cluster].insert(key);
  waits_.emplace(key, std::move(missing));
  return false;
}

void Gate::cancel(const ResourceKey& key) {
  const auto wait = waits_.find(key);
  if (wait == waits_.end()) return;
  for (const std::string& cluster : wait->second) {
    const auto waiters = waiters_.find(cluster);
    waiters->second.erase(key);
    if (waiters->second.empty()) waiters_.erase(waiters);
  }
  waits_.erase(wait);
}

}  // namespace emissary::serve
