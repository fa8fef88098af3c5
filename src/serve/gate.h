#pragma once
// Which resources of one stream wait for which clusters. A cluster is settled when the client can use it or refused it, as
// far as anyone can tell. Owned by a DeltaStream; knows no time and no protocol.

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "serve/resource.h"

namespace emissary::serve {

class Gate {
 public:
  bool settled(const std::string& cluster) const { return settled_.contains(cluster); }
  /// Returns those that now wait for nothing.
  std::vector<ResourceKey> settle(const std::string& cluster);
  void unsettle(const std::string& cluster) { settled_.erase(cluster); }

  /// True: all are settled. Otherwise `key` waits (an earlier wait of it is replaced).
  bool pass(const ResourceKey& key, const std::vector<std::string>& clusters);
  bool waits(const ResourceKey& key) const { return waits_.contains(key); }
  void cancel(const ResourceKey& key);

 private:
  std::unordered_set<std::string> settled_;
  std::map<ResourceKey, std::unordered_set<std::string>> waits_;
  std::unordered_map<std::string, std::set<ResourceKey>> waiters_;
};

}  // namespace emissary::serve
