#include "serve/delta_stream.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace emissary::serve {
namespace {

constexpr std::array<Type, kTypes> kOrder = {Type::Cluster,  Type::Endpoints,    Type::Secret,
                                             Type::Listener, Type::ScopedRoutes, Type::Routes};

// Envoy subscribes to all of these, and to the others by name.
bool canBeWildcard(Type type) { return type == Type::Cluster || type == Type::Listener || type == Type::ScopedRoutes; }

}  // namespace

DeltaStream::DeltaStream(Published& published, const StreamOptions& options, StreamEvents& events, Time now)
    : published_(published), options_(options), events_(events), opened_(now), started_(published.ready()) {
  owed_.insert(published.owedEndpoints().begin(), published.owedEndpoints().end());
}

void DeltaStream::close() {
  auto& owed = published_.owedEndpoints();
  for (const std::string& name : owed_) {
    if (published_.find(Type::Endpoints, name)) owed.insert(name);
  }
  for (const auto& [name, entry] : state(Type::Endpoints).entries) {
    if (entry.nonce != 0 || entry.force) owed.insert(name);
  }
}

DeltaStream::Entry* DeltaStream::find(Type type, const std::string& name) {
  auto& entries = state(type).entries;
  const auto it = entries.find(name);
  return it == entries.end() ? nullptr : &it->second;
}

// ---- subscriptions

void DeltaStream::request(const Request& request, Time now) {
  if (!request.type) return;
  const Type type = *request.type;
  TypeState& t = state(type);
  if (!request.nonce.empty()) answer(type, request, now);

  const bool first = !std::exchange(t.requested, true);
  if (first) noteInitial(type, t, request);
  for (const std::string& name : request.unsubscribe) unsubscribe(type, name);
  if (first && request.subscribe.empty() && canBeWildcard(type)) startWildcard(type, now);
  for (const std::string& name : request.subscribe) {
    if (name == "*") {
      startWildcard(type, now);
    } else {
      subscribe(type, name, first, now);
    }
  }
  if (first) std::erase_if(t.entries, [&](const auto& entry) { return !t.subscribed(entry.first); });
}

void DeltaStream::noteInitial(Type type, TypeState& t, const Request& request) {
  for (const auto& [name, version] : request.versions) {
    Entry& entry = t.entries[name];
    entry.have = entry.offered = version;
    if (type == Type::Cluster) gate_.settle(name);
    entry.unknown_form = type == Type::Routes || type == Type::Listener;
  }
}

void DeltaStream::subscribe(Type type, const std::string& name, bool first, Time now) {
  TypeState& t = state(type);
  t.names.insert(name);
  Entry& entry = t.entries[name];
  // Who subscribes waits for an answer, whatever it had; only a reconnected client says what it still has.
  const bool owed = type == Type::Endpoints && owed_.contains(name);
  if (!first || entry.have.empty() || owed) entry.force = true;
  if (started_) consider(type, name, false, now);
}

void DeltaStream::unsubscribe(Type type, const std::string& name) {
  TypeState& t = state(type);
  if (name == "*") {
    stopWildcard(type);
  } else if (t.names.erase(name) > 0 && !t.wildcard) {
    forget(type, name);
  }
}

void DeltaStream::startWildcard(Type type, Time now) {
  TypeState& t = state(type);
  if (!canBeWildcard(type) || std::exchange(t.wildcard, true)) return;
  t.owes_answer = t.entries.empty();
  if (!started_) return;
  for (const auto& [name, slot] : published_.all(type)) consider(type, name, false, now);
  std::vector<std::string> lacking;
  for (const auto& [name, entry] : t.entries) {
    if (!published_.find(type, name)) lacking.push_back(name);
  }
  for (const std::string& name : lacking) gone(type, name, false, now);
}

void DeltaStream::stopWildcard(Type type) {
  TypeState& t = state(type);
  if (!std::exchange(t.wildcard, false)) return;
  std::vector<std::string> dropped;
  for (const auto& [name, entry] : t.entries) {
    if (!t.names.contains(name)) dropped.push_back(name);
  }
  for (const std::string& name : dropped) forget(type, name);
}

void DeltaStream::forget(Type type, const std::string& name) {
  TypeState& t = state(type);
  const auto it = t.entries.find(name);
  if (it == t.entries.end()) return;
  unqueue(type, name, it->second);
  supersede(type, name, it->second);
  t.now.removals.erase(name);
  t.later.removals.erase(name);
  if (type == Type::Cluster) {
    gate_.unsettle(name);
    if (const auto users = users_.find(it->second.endpoints); users != users_.end()) {
      users->second.erase(name);
      if (users->second.empty()) {
        owed_.erase(it->second.endpoints);
        users_.erase(users);
      }
    }
  }
  t.entries.erase(it);
}

// ---- what is to be sent

void DeltaStream::changed(const std::vector<ResourceKey>& keys, Time now) {
  if (!std::exchange(started_, published_.ready())) {
    for (const Type type : kOrder) {
      TypeState& t = state(type);
      if (t.wildcard) {
        t.wildcard = false;
        startWildcard(type, now);
      }
      for (const std::string& name : t.names) consider(type, name, true, now);
    }
    return;
  }
  for (const ResourceKey& key : keys) consider(key.type, key.name, true, now);
}

ResourcePtr DeltaStream::choose(const Slot& slot, const Entry& entry) const {
  if (!slot.refusal()) return slot.current;
  const bool has_one = !entry.have.empty() || !entry.offered.empty();
  if (has_one && !entry.force) return nullptr;
  return slot.accepted && slot.accepted->version != entry.refused ? slot.accepted : nullptr;
}

void DeltaStream::consider(Type type, const std::string& name, bool published, Time now) {
  TypeState& t = state(type);
  if (!t.subscribed(name)) return;
  const Slot* slot = published_.find(type, name);
  if (!slot) return gone(type, name, published, now);
  Entry& entry = t.entries[name];
  entry.removal_due = {};
  t.now.removals.erase(name);
  t.later.removals.erase(name);
  if (entry.unknown_form && entry.have == slot->current->version) {
    entry.unknown_form = false;
    entry.have_form = slot->current;
  }
  const ResourcePtr target = choose(*slot, entry);
  if (target && (entry.force || target->version != entry.offered)) return enqueue(type, name, entry, published);
  unqueue(type, name, entry);
  if (!target && type == Type::Cluster) settle(name);
}

void DeltaStream::gone(Type type, const std::string& name, bool published, Time now) {
  TypeState& t = state(type);
  Entry* entry = find(type, name);
  if (entry) unqueue(type, name, *entry);
  // Envoy ignores the removal of routes, endpoints and secrets; it unsubscribes when it needs them no more. One that
  // is not there yet is sent when it comes.
  if (!canBeWildcard(type) || !entry) return;
  const bool may_have = !entry->have.empty() || !entry->offered.empty() || entry->in_doubt;
  if (!may_have && !t.names.contains(name)) {
    forget(type, name);
  } else if (may_have && type == Type::Cluster) {
    entry->removal_due = now + options_.removal_grace;
    timers_.emplace(entry->removal_due, Timer{Timer::Kind::Remove, {type, name}});
  } else {
    (published ? t.later : t.now).removals.insert(name);
  }
}

void DeltaStream::count(Entry& entry, bool on) {
  if (entry.counted == on) return;
  entry.counted = on;
  on ? unsent_.add(entry.generation) : unsent_.remove(entry.generation);
}

void DeltaStream::enqueue(Type type, const std::string& name, Entry& entry, bool published) {
  TypeState& t = state(type);
  if (!entry.pending) {
    entry.pending = true;
    entry.generation = published_.generation();
    count(entry, true);
  } else if (!entry.counted) {
    // It was held; it waits anew.
    entry.generation = published_.generation();
    count(entry, true);
    entry.waiting_since = {};
  }
  gate_.cancel({type, name});
  if (published && !t.now.upserts.contains(name)) {
    t.later.upserts.insert(name);
  } else if (!published) {
    t.later.upserts.erase(name);
    t.now.upserts.insert(name);
  }
}

void DeltaStream::unqueue(Type type, const std::string& name, Entry& entry) {
  TypeState& t = state(type);
  t.now.upserts.erase(name);
  t.later.upserts.erase(name);
  if (type == Type::Endpoints) urgent_.erase(name);
  gate_.cancel({type, name});
  held_.erase({type, name});
  count(entry, false);
  entry.pending = entry.ungated = false;
  entry.waiting_since = {};
}

// ---- time

Time DeltaStream::deadline() const { return timers_.empty() ? Time::max() : timers_.begin()->first; }

void DeltaStream::tick(Time now) {
  std::vector<std::string> removals;
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const Time due = timers_.begin()->first;
    const Timer timer = std::move(timers_.extract(timers_.begin()).mapped());
    Entry* entry = find(timer.key.type, timer.key.name);
    if (!entry) continue;
    switch (timer.kind) {
      case Timer::Kind::Assume:
        if (entry->nonce != 0) settle(timer.key.name);
        break;
      case Timer::Kind::Hold: holdExpired(timer.key, now); break;
      case Timer::Kind::Remove:
        if (entry->removal_due == due) removals.push_back(timer.key.name);
        break;
    }
  }
  if (!removals.empty()) removeClusters(std::move(removals), now);
}

void DeltaStream::holdExpired(const ResourceKey& key, Time now) {
  Entry& entry = *find(key.type, key.name);
  if (!gate_.waits(key) || entry.waiting_since + options_.hold_bound > now) return;
  if (entry.have.empty() && entry.offered.empty()) {
    // It has no older form: a route that fails beats none.
    entry.ungated = true;
    gate_.cancel(key);
    state(key.type).now.upserts.insert(key.name);
  } else {
    held_.insert(key);
    count(entry, false);
  }
}

void DeltaStream::removeClusters(std::vector<std::string> due, Time now) {
  std::sort(due.begin(), due.end());
  std::set<std::string> used;
  const auto collect = [&](const ResourcePtr& form) {
    if (!form) return;
    const auto& names = form->clusters;
    if (names.size() > due.size() * 16) {
      for (const std::string& name : due) {
        if (std::binary_search(names.begin(), names.end(), name)) used.insert(name);
      }
    } else {
      std::set_intersection(due.begin(), due.end(), names.begin(), names.end(), std::inserter(used, used.end()));
    }
  };
  // Routes from before this stream may name anything; but one that nobody publishes any more must not keep everything for ever.
  bool unknown = false;
  const bool patient = now < opened_ + 12 * options_.removal_grace;
  for (const Type type : {Type::Listener, Type::Routes}) {
    for (const auto& [name, entry] : state(type).entries) {
      collect(entry.have_form);
      collect(entry.offered_form);
      unknown |= (entry.unknown_form && patient) || entry.in_doubt;
    }
  }
  for (const std::string& name : due) {
    if (!unknown && !used.contains(name)) {
      state(Type::Cluster).now.removals.insert(name);
      continue;
    }
    Entry& entry = *find(Type::Cluster, name);
    entry.removal_due = now + options_.removal_grace;
    timers_.emplace(entry.removal_due, Timer{Timer::Kind::Remove, {Type::Cluster, name}});
  }
}

// ---- progress

bool DeltaStream::sent(uint64_t generation) const {
  // Envoy asks for clusters, then listeners; what it did not ask for yet is not sent.
  for (const Type type : {Type::Cluster, Type::Listener}) {
    if (!state(type).requested && !published_.all(type).empty()) return false;
  }
  return unsent_.above(generation);
}

bool DeltaStream::answered(uint64_t generation) const { return sent(generation) && open_.above(generation); }

size_t DeltaStream::outstanding() const {
  size_t records = 0;
  for (const TypeState& t : types_) records += t.records.size();
  return records;
}

}  // namespace emissary::serve
