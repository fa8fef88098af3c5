#include "serve/published.h"

#include <algorithm>

namespace emissary::serve {
namespace {

// Envoy's words for an address that somebody else holds.
bool unbound(const Refusal& refusal) {
  return refusal.key.type == Type::Listener && refusal.detail.find("cannot bind") != std::string::npos;
}

// A resource that flaps between two bad forms must not be tried for ever; more than a few are no use to remember.
constexpr size_t kQuarantine = 8;

}  // namespace

const std::string* Slot::refusal() const {
  for (const auto& [version, detail] : quarantine) {
    if (version == current->version) return &detail;
  }
  return nullptr;
}

const Slot* Published::find(Type type, std::string_view name) const {
  const Slots& slots = all(type);
  const auto it = slots.find(name);
  return it == slots.end() ? nullptr : &it->second;
}

Slot* Published::slot(Type type, std::string_view name) { return const_cast<Slot*>(find(type, name)); }

void Published::note(const ResourceKey& key, const Slot* slot) {
  const std::string* detail = slot ? slot->refusal() : nullptr;
  const auto it = refusals_.find(key);
  if (!detail) {
    if (it == refusals_.end()) return;
    refusals_.erase(it);
  } else {
    if (it != refusals_.end() && it->second.version == slot->current->version && it->second.detail == *detail) return;
    refusals_[key] = {key, slot->current->version, *detail};
  }
  refusals_changed_ = true;
}

std::vector<ResourceKey> Published::apply(Update update) {
  ready_ = true;
  generation_ = std::max(generation_, update.generation);
  std::vector<ResourceKey> changed;
  changed.reserve(update.upserts.size() + update.removals.size());
  for (ResourceKey& key : update.removals) {
    if (slots_[static_cast<size_t>(key.type)].erase(key.name) == 0) continue;
    note(key, nullptr);
    if (key.type == Type::Endpoints) owed_endpoints_.erase(key.name);
    changed.push_back(std::move(key));
  }
  for (ResourcePtr& resource : update.upserts) {
    Slot& slot = slots_[static_cast<size_t>(resource->type)][resource->name];
    if (slot.current && slot.current->version == resource->version) continue;
    ResourceKey key{resource->type, resource->name};
    slot.current = std::move(resource);
    note(key, &slot);
    changed.push_back(std::move(key));
  }
  std::sort(changed.begin(), changed.end());
  changed.erase(std::unique(changed.begin(), changed.end()), changed.end());
  return changed;
}

void Published::accept(const ResourcePtr& resource) {
  if (Slot* found = slot(resource->type, resource->name)) {
    // Equal bytes: hold one copy.
    found->accepted = found->current->version == resource->version ? found->current : resource;
    if (!refusals_.empty()) note({resource->type, resource->name}, found);
  }
}

bool Published::anyUnbound() const {
  return std::any_of(refusals_.begin(), refusals_.end(), [](const auto& entry) { return unbound(entry.second); });
}

std::vector<ResourceKey> Published::pardonUnbound() {
  std::vector<ResourceKey> pardoned;
  for (const auto& [key, refusal] : refusals_) {
    if (!unbound(refusal)) continue;
    const std::string& version = refusal.version;
    if (std::erase_if(slot(key.type, key.name)->quarantine, [&](const auto& entry) { return entry.first == version; }) > 0)
      pardoned.push_back(key);
  }
  return pardoned;
}

void Published::refuse(const Resource& resource, std::string detail) {
  Slot* found = slot(resource.type, resource.name);
  if (!found) return;
  std::erase_if(found->quarantine, [&](const auto& entry) { return entry.first == resource.version; });
  if (found->quarantine.size() >= kQuarantine) found->quarantine.erase(found->quarantine.begin());
  found->quarantine.emplace_back(resource.version, std::move(detail));
  note({resource.type, resource.name}, found);
}

std::vector<Refusal> Published::refusals() const {
  std::vector<Refusal> all;
  all.reserve(refusals_.size());
  for (const auto& [key, refusal] : refusals_) all.push_back(refusal);
  return all;
}

}  // namespace emissary::serve
