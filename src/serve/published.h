#pragma once
// What is published now, what of it Envoy refused, and the last form that was accepted. Owned by the Server, shared by
// its streams; the serve thread only.

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "serve/resource.h"
#include "serve/server.h"

namespace emissary::serve {

/// One name.
struct Slot {
  ResourcePtr current;
  /// The newest that a client acknowledged; null: none yet.
  ResourcePtr accepted;
  /// (version, detail) of the newest refusals: such a version is not sent again.
  std::vector<std::pair<std::string, std::string>> quarantine;

  /// Why `current` may not be sent; null: it may.
  const std::string* refusal() const;
};

class Published {
 public:
  using Slots = std::map<std::string, Slot, std::less<>>;

  /// False until the first update: before it nothing is certain, so nothing is sent.
  bool ready() const { return ready_; }
  uint64_t generation() const { return generation_; }
  const Slot* find(Type type, std::string_view name) const;
  const Slots& all(Type type) const { return slots_[static_cast<size_t>(type)]; }

  /// The keys whose version moved, appeared or went, each once.
  std::vector<ResourceKey> apply(Update update);
  void accept(const ResourcePtr& resource);
  void refuse(const Resource& resource, std::string detail);

  /// Listeners refused because their address was taken: may be offered again. They stay among the refusals until one is accepted.
  std::vector<ResourceKey> pardonUnbound();
  bool anyUnbound() const;

  /// ClusterLoadAssignments that a lost client may wait for, although it will say that it has them: its cluster changed
  /// and the connection went before they were answered.
  std::set<std::string>& owedEndpoints() { return owed_endpoints_; }

  /// The current versions that are refused, in order of key.
  std::vector<Refusal> refusals() const;
  /// Whether `refusals` moved since the last call.
  bool takeRefusalsChanged() { return std::exchange(refusals_changed_, false); }

 private:
  Slot* slot(Type type, std::string_view name);
  void note(const ResourceKey& key, const Slot* slot);

  std::array<Slots, kTypes> slots_;
  std::map<ResourceKey, Refusal> refusals_;
  std::set<std::string> owed_endpoints_;
  uint64_t generation_ = 0;
  bool ready_ = false;
  bool refusals_changed_ = false;
};

}  // namespace emissary::serve
