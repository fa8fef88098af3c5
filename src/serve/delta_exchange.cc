// DeltaStream: making responses, and taking the answers.

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "base/log.h"
#include "serve/delta_stream.h"
#include "serve/refusal_detail.h"

namespace emissary::serve {
namespace {

// How many must wait before they share responses. A refusal costs a whole response, so few go one by one; scopes
// can only be judged together (a key may move from one to another), Listeners are few and costly to lose.
size_t shareFrom(Type type) {
  switch (type) {
    case Type::Cluster:
    case Type::Endpoints: return 20;
    case Type::Secret:
    case Type::Routes: return 100;
    case Type::ScopedRoutes: return 1;
    case Type::Listener: break;
  }
  return std::numeric_limits<size_t>::max();
}

// Envoy takes removals first, so a Listener or scope that goes by another name now does not collide with itself.
bool removesWithUpserts(Type type) { return type == Type::Listener || type == Type::ScopedRoutes; }

// How long after the answer for its endpoints a new cluster gets to fetch its certificates.
constexpr std::chrono::milliseconds kWarmUp{25};

uint64_t parseNonce(const std::string& text) {
  uint64_t nonce = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, nonce);
  return error == std::errc() && stop == end ? nonce : 0;
}

}  // namespace

// ---- responses

std::optional<Response> DeltaStream::next(Time now) {
  if (!started_) return std::nullopt;
  if (!urgent_.empty()) {
    if (auto response = fill(Type::Endpoints, urgent_, options_.chunk_resources, {}, now)) return response;
  }
  for (int batch = 0; batch < 2; ++batch) {
    for (int type = 0; type < kTypes; ++type) {
      if (auto response = build(static_cast<Type>(type), now)) return response;
    }
    for (TypeState& t : types_) {
      t.now.upserts.merge(t.later.upserts);
      t.now.removals.merge(t.later.removals);
    }
  }
  return std::nullopt;
}

std::optional<Response> DeltaStream::build(Type type, Time now) {
  TypeState& t = state(type);
  std::vector<std::string> removed = takeRemovals(type);
  if (!removed.empty() && !removesWithUpserts(type)) return finish(type, {}, std::move(removed), now);
  t.shares = t.now.upserts.size() >= (t.shares ? 1 : shareFrom(type));
  const size_t limit = t.shares ? options_.chunk_resources : 1;
  return fill(type, t.now.upserts, limit, std::move(removed), now);
}

std::optional<Response> DeltaStream::fill(Type type, std::set<std::string>& names, size_t limit, std::vector<std::string> removed,
                                          Time now) {
  Record record;
  size_t bytes = 0;
  while (!names.empty() && record.items.size() < limit && bytes < options_.chunk_bytes) {
    const std::string name = *names.begin();
    const Entry* entry = find(type, name);
    const bool alone = entry && entry->alone;
    if (alone && !record.items.empty()) break;
    names.erase(names.begin());
    if (!add(type, name, record, now)) continue;
    bytes += record.items.back()->wire.size();
    if (alone) break;
  }
  if (record.items.empty() && removed.empty() && !owesEmptyAnswer(type)) return std::nullopt;
  return finish(type, std::move(record), std::move(removed), now);
}

std::vector<std::string> DeltaStream::takeRemovals(Type type) {
  const auto& removals = state(type).now.removals;
  std::vector<std::string> removed(removals.begin(), removals.end());
  for (const std::string& name : removed) forget(type, name);
  return removed;
}

// Envoy's start waits for a first answer to its wildcard subscriptions, even when there is nothing.
bool DeltaStream::owesEmptyAnswer(Type type) const {
  const TypeState& t = state(type);
  return t.owes_answer && std::none_of(t.entries.begin(), t.entries.end(), [](const auto& entry) { return entry.second.pending; });
}

bool DeltaStream::add(Type type, const std::string& name, Record& record, Time now) {
  Entry* entry = find(type, name);
  const Slot* slot = published_.find(type, name);
  if (!entry || !entry->pending || !slot) return false;
  const ResourcePtr target = choose(*slot, *entry);
  if (!target || (!entry->force && target->version == entry->offered)) {
    unqueue(type, name, *entry);
    if (!target && type == Type::Cluster) settle(name);
    return false;
  }
  if (gated(type, name, *entry, *target, now)) return false;

  uint64_t generation = entry->generation;
  if (const auto older = state(type).records.find(entry->nonce); older != state(type).records.end() && older->second.counted) {
    generation = std::min(generation, older->second.generation);
  }
  supersede(type, name, *entry);
  unqueue(type, name, *entry);
  record.generation = record.items.empty() ? generation : std::min(record.generation, generation);
  record.items.push_back(target);

  // What was refused or lost before says nothing about this form.
  if (type == Type::Cluster && entry->have.empty() && entry->offered.empty() && !entry->in_doubt) gate_.unsettle(name);
  entry->offered = target->version;
  entry->offered_form = target->clusters.empty() ? nullptr : target;
  entry->force = entry->evident = false;
  entry->nonce = next_nonce_;
  if (type == Type::Cluster) clusterSent(name, *entry, *target, now);
  if (type == Type::Endpoints) owed_.erase(name);
  return true;
}

Response DeltaStream::finish(Type type, Record record, std::vector<std::string> removed, Time now) {
  if (record.items.empty()) record.generation = published_.generation();
  record.count = record.doubtful = record.items.size();
  record.at = now;
  open_.add(record.generation);
  record.removed = removed;
  const uint64_t nonce = next_nonce_++;
  TypeState& t = state(type);
  t.owes_answer = false;
  Response response{type, std::to_string(nonce), record.items, std::move(removed)};
  t.records.emplace(nonce, std::move(record));
  return response;
}

bool DeltaStream::gated(Type type, const std::string& name, Entry& entry, const Resource& resource, Time now) {
  // A client that takes no clusters from here has its own.
  if (resource.clusters.empty() || entry.ungated || !state(Type::Cluster).requested) return false;
  const ResourceKey key{type, name};
  if (gate_.pass(key, resource.clusters)) return false;
  if (entry.waiting_since == Time{}) {
    entry.waiting_since = now;
    timers_.emplace(now + options_.hold_bound, Timer{Timer::Kind::Hold, key});
  } else if (entry.waiting_since + options_.hold_bound <= now) {
    holdExpired(key, now);
  }
  return gate_.waits(key);
}

void DeltaStream::clusterSent(const std::string& name, Entry& entry, const Resource& resource, Time now) {
  if (!gate_.settled(name)) {
    const auto& records = state(Type::Cluster).records;
    const bool stuck = !records.empty() && records.begin()->second.at + options_.hold_bound <= now;
    const auto bound = stuck && resource.endpoints.empty() ? options_.stuck_bound : options_.hold_bound;
    timers_.emplace(now + bound, Timer{Timer::Kind::Assume, {Type::Cluster, name}});
  }
  if (entry.endpoints != resource.endpoints) {
    if (const auto users = users_.find(entry.endpoints); users != users_.end()) {
      users->second.erase(name);
      if (users->second.empty()) users_.erase(users);
    }
    entry.endpoints = resource.endpoints;
  }
  if (entry.endpoints.empty()) return;
  users_[entry.endpoints].insert(name);
  // Envoy builds the cluster anew and waits for its endpoints, but asks only for names it does not have yet.
  owed_.insert(entry.endpoints);
  Entry* endpoints = find(Type::Endpoints, entry.endpoints);
  if (!endpoints) return;
  endpoints->force = true;
  if (!published_.find(Type::Endpoints, entry.endpoints)) return;
  enqueue(Type::Endpoints, entry.endpoints, *endpoints, false);
  urgent_.insert(entry.endpoints);
}

void DeltaStream::supersede(Type type, const std::string& name, Entry& entry) {
  if (entry.nonce == 0) return;
  auto& records = state(type).records;
  const auto it = records.find(std::exchange(entry.nonce, 0));
  entry.in_doubt = true;
  if (it == records.end()) return;
  Record& record = it->second;
  std::erase_if(record.items, [&](const ResourcePtr& item) { return item->name == name; });
  if (!entry.evident && record.doubtful > 0) --record.doubtful;
  if (record.doubtful == 0 && record.count > 0) uncount(record);
  if (record.items.empty() && record.removed.empty()) records.erase(it);
}

void DeltaStream::uncount(Record& record) {
  if (std::exchange(record.counted, false)) open_.remove(record.generation);
}

// ---- answers

void DeltaStream::answer(Type type, const Request& request, Time now) {
  const uint64_t nonce = parseNonce(request.nonce);
  auto node = state(type).records.extract(nonce);
  if (node.empty()) return;
  uncount(node.mapped());
  if (request.refused) {
    refused(type, nonce, node.mapped(), request.detail, now);
  } else {
    accepted(type, nonce, node.mapped(), now);
  }
}

void DeltaStream::accepted(Type type, uint64_t nonce, const Record& record, Time now) {
  for (const ResourcePtr& item : record.items) {
    Entry* entry = find(type, item->name);
    if (!entry || entry->nonce != nonce) continue;
    published_.accept(item);
    entry->nonce = 0;
    entry->have = item->version;
    entry->have_form = std::move(entry->offered_form);
    entry->unknown_form = entry->in_doubt = entry->alone = false;
    if (type == Type::Cluster) settle(item->name);
    if (type == Type::Endpoints) {
      published_.owedEndpoints().erase(item->name);
      settleByEndpoints(item->name, nonce, now);
    }
  }
}

void DeltaStream::refused(Type type, uint64_t nonce, const Record& record, const std::string& words, Time now) {
  const std::string detail = publicDetail(words);
  events_.onNack(type);
  for (const ResourcePtr& item : record.items) {
    Entry* entry = find(type, item->name);
    if (!entry || entry->nonce != nonce) continue;
    entry->nonce = 0;
    entry->alone = record.count > 1;
    if (entry->alone) {
      // One of many is bad and none may have arrived: each goes again by itself, so that one costs no other.
      entry->in_doubt = true;
      entry->offered.clear();
    } else {
      log::warn("Envoy refused a resource", {{"type", std::string(typeLabel(type))}, {"name", item->name}, {"detail", detail}});
      published_.refuse(*item, detail);
      entry->refused = item->version;
      entry->offered = entry->in_doubt ? "" : entry->have;
      entry->offered_form = nullptr;
      if (type == Type::Cluster) settle(item->name);
      // Its cluster may be new and wait for any endpoints: then the last good ones.
      if (type == Type::Endpoints) entry->force = true;
    }
    consider(type, item->name, false, now);
  }
  if (record.count == 0) {
    log::warn("Envoy refused a removal", {{"type", std::string(typeLabel(type))}, {"detail", detail}});
    return;
  }
  for (const std::string& name : record.removed) requeueRemoval(type, name);
}

void DeltaStream::requeueRemoval(Type type, const std::string& name) {
  TypeState& t = state(type);
  if (published_.find(type, name) || !t.subscribed(name)) return;
  t.entries[name].in_doubt = true;
  t.now.removals.insert(name);
}

void DeltaStream::settle(const std::string& cluster) {
  for (const ResourceKey& key : gate_.settle(cluster)) state(key.type).now.upserts.insert(key.name);
}

// Envoy took endpoints that were sent after the cluster: it has the cluster, and it is warm as soon as its
// certificates are there, though the answer about it may be withheld because of another.
void DeltaStream::settleByEndpoints(const std::string& endpoints, uint64_t nonce, Time now) {
  const auto users = users_.find(endpoints);
  if (users == users_.end()) return;
  auto& records = state(Type::Cluster).records;
  for (const std::string& cluster : users->second) {
    Entry* entry = find(Type::Cluster, cluster);
    if (!entry || entry->nonce == 0 || entry->nonce > nonce) continue;
    const auto record = records.find(entry->nonce);
    if (!gate_.settled(cluster)) {
      const bool oldest = record == records.begin();
      timers_.emplace(now + (oldest ? options_.stuck_bound : kWarmUp), Timer{Timer::Kind::Assume, {Type::Cluster, cluster}});
    }
    // Of a cluster that was there before, the old form may have taken the endpoints.
    if (!entry->have.empty() || entry->in_doubt || std::exchange(entry->evident, true)) continue;
    if (--record->second.doubtful == 0) uncount(record->second);
  }
}

}  // namespace emissary::serve
