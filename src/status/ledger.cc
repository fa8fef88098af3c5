#include "status/ledger.h"

#include <algorithm>

namespace emissary::status {
namespace {

/// Whose findings differ.
void addDifferent(const std::vector<Finding>& before, const std::vector<Finding>& now, std::set<ObjectRef>& out) {
  auto a = before.begin(), b = now.begin();
  while (a != before.end() || b != now.end()) {
    const auto order = a == before.end() ? std::strong_ordering::greater : b == now.end() ? std::strong_ordering::less : *a <=> *b;
    if (order != 0) out.insert(order < 0 ? a->object : b->object);
    if (order <= 0) ++a;
    if (order >= 0) ++b;
  }
}

/// Of one object: errors first. They are sorted by severity, then by object.
std::vector<const Finding*> findingsOf(const ObjectRef& ref, const std::vector<Finding>& all) {
  std::vector<const Finding*> out;
  for (const Severity severity : {Severity::Error, Severity::Warning, Severity::Notice}) {
    Finding from;
    from.severity = severity;
    from.object = ref;
    for (auto it = std::lower_bound(all.begin(), all.end(), from); it != all.end(); ++it) {
      if (it->severity != severity || it->object != ref) break;
      out.push_back(&*it);
    }
  }
  return out;
}

}  // namespace

Answer Ledger::answerFor(uint64_t published) const {
  if (published <= confirmed_) return Answer::Confirmed;
  return connected_ ? Answer::Pending : Answer::NoEnvoy;
}

std::vector<Desired> Ledger::update(engine::Engine& engine, const std::vector<Finding>& before, const std::vector<Finding>& now,
                                    uint64_t generation) {
  const std::set<ObjectRef> moved = engine.takeMoved();
  std::set<ObjectRef> touched = moved;
  addDifferent(before, now, touched);
  std::vector<Desired> out;
  for (const ObjectRef& ref : touched) {
    if (kindGroup(ref.kind) != "getambassador.io") continue;
    const engine::Engine::Standing standing = engine.standing(ref);
    if (!standing.object) {
      waiting_.erase(ref);
      if (entries_.erase(ref) > 0) out.push_back({ref, std::nullopt, 0});
      continue;
    }
    const auto [it, fresh] = entries_.try_emplace(ref);
    Entry& entry = it->second;
    Verdict verdict = judge({*standing.object, standing.used, findingsOf(ref, now), answerFor(entry.published)});
    if (fresh || moved.contains(ref) || verdict != entry.verdict) {
      entry.published = generation;
      if (verdict.programmed.status != Truth::False) setAnswer(verdict, answerFor(generation));
    }
    if (verdict.waits()) waiting_.insert(ref);
    else waiting_.erase(ref);
    if (!fresh && entry.generation == standing.object->generation && entry.verdict == verdict) continue;
    entry.generation = standing.object->generation;
    entry.verdict = std::move(verdict);
    out.push_back({ref, entry.verdict, entry.generation});
  }
  return out;
}

std::vector<Desired> Ledger::confirmed(uint64_t generation) {
  confirmed_ = std::max(confirmed_, generation);
  std::vector<Desired> out;
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    Entry& entry = entries_.at(*it);
    if (entry.published > confirmed_) {
      ++it;
      continue;
    }
    setAnswer(entry.verdict, Answer::Confirmed);
    out.push_back({*it, entry.verdict, entry.generation});
    it = waiting_.erase(it);
  }
  return out;
}

std::vector<Desired> Ledger::connected(bool is) {
  std::vector<Desired> out;
  if (std::exchange(connected_, is) == is) return out;
  for (const ObjectRef& ref : waiting_) {
    Entry& entry = entries_.at(ref);
    setAnswer(entry.verdict, answerFor(entry.published));
    out.push_back({ref, entry.verdict, entry.generation});
  }
  return out;
}

}  // namespace emissary::status
