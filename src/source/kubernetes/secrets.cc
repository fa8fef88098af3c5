#include "source/kubernetes/secrets.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "source/kubernetes/kind_watch.h"
#include "source/kubernetes/secret_feeds.h"

namespace emissary::source {
namespace {

ObjectRef refOf(const SecretKey& key) { return {Kind::Secret, key.ns, key.name}; }

}  // namespace

Secrets::Secrets(Shared& shared, Outlet& outlet, Contact& contact)
    : shared_(shared), outlet_(outlet), contact_(contact), stats_(shared.stats.kinds[resourceIndex(Kind::Secret)]) {
  stats_.waiting = true;
}

Secrets::~Secrets() { stop(); }

void Secrets::start() {
  if (all_) return;
  all_ = std::make_unique<AllSecrets>(*this);
  all_->start();
}

void Secrets::stop() {
  for (auto& [key, fetch] : fetches_) {
    shared_.client.cancel(fetch.call);
    shared_.loop.cancel(fetch.timer);
  }
  fetches_.clear();
  named_.clear();
  all_.reset();
}

bool Secrets::settled() const {
  if (!all_) return false;
  if (by_name_) return std::all_of(named_.begin(), named_.end(), [](const auto& entry) { return entry.second->settled(); });
  return all_->listed() && std::all_of(fetches_.begin(), fetches_.end(), [](const auto& entry) { return entry.second.failed; });
}

void Secrets::changed() {
  stats_.waiting = !settled();
  if (on_state) on_state();
}

bool Secrets::wanted(const SecretKey& key) const {
  const bool own_only = shared_.options.single_namespace || shared_.options.secrets_single_namespace;
  return outlet_.references().has(key) && (!own_only || key.ns == shared_.options.ns);
}

std::string Secrets::pathOf(const SecretKey& key) const { return resourcePath(resourceOf(Kind::Secret), "v1", key.ns); }

std::string Secrets::selectorsFor(const SecretKey& key) const {
  return selectorsOf(resourceOf(Kind::Secret), shared_.options, "metadata.name=" + key.name);
}

ObjectPtr Secrets::read(const Item& item) const {
  if (!wanted({std::string(item.ns), std::string(item.name)})) return nullptr;
  return objectOf(item, resourceOf(Kind::Secret), "v1", shared_.options);
}

void Secrets::put(const SecretKey& key, const ObjectPtr& object) {
  Entry& entry = entries_[key];
  if (!object || !wanted(key)) return;
  endFetch(key);
  if (entry.kept && entry.hash == object->hash) return;
  if (!std::exchange(entry.kept, true)) ++stats_.objects;
  entry.hash = object->hash;
  outlet_.upsert(object);
}

void Secrets::erase(const SecretKey& key) {
  release(key);
  entries_.erase(key);
}

void Secrets::release(const SecretKey& key) {
  endFetch(key);
  const auto it = entries_.find(key);
  if (it == entries_.end() || !it->second.kept) return;
  it->second.kept = false;
  --stats_.objects;
  outlet_.remove(refOf(key));
}

void Secrets::referencesMoved(const std::set<SecretKey>& touched) {
  if (!all_) return;
  for (const SecretKey& key : touched) {
    if (by_name_) {
      wanted(key) ? follow(key) : unfollow(key);
    } else if (!wanted(key)) {
      release(key);
    } else if (const auto it = entries_.find(key); it != entries_.end() && !it->second.kept) {
      fetch(key);
    }
  }
  tellRefusals();  // who names them is part of it
  changed();
}

// ---------------------------------------------------------------- all may be listed

void Secrets::allListed() {
  if (std::exchange(by_name_, false)) {
    log::info("Secrets are read together again");
    while (!named_.empty()) unfollow(SecretKey(named_.begin()->first));
    tellRefusals();
  }
  // Named since its page was read.
  for (const auto& [key, entry] : entries_) {
    if (!entry.kept && wanted(key)) fetch(key);
  }
  changed();
  outlet_.flush();
}

void Secrets::fetch(const SecretKey& key) {
  if (!fetches_.try_emplace(key, shared_.options.bounds).second) return;
  outlet_.hold(key);
  tryFetch(key);
}

// As a list of one: that is allowed where the list of all is, and no further.
void Secrets::tryFetch(const SecretKey& key) {
  kube::Request request;
  request.path = fmt::format("{}?limit=2{}", pathOf(key), selectorsFor(key));
  fetches_.at(key).call =
      shared_.client.send(std::move(request), [this, key](kube::Response response) { onFetched(key, std::move(response)); });
}

void Secrets::onFetched(const SecretKey& key, kube::Response response) {
  Fetch& fetch = fetches_.at(key);
  fetch.call = 0;
  ListHead head;
  ObjectPtr found;
  const auto take = [&](const Item& item) {
    if (item.ns == key.ns && item.name == key.name) found = read(item);
  };
  if (response.ok() && shared_.reader.readList(response.body, true, head, take)) {
    // Not there any more: the watch of all tells so.
    if (found) put(key, found);
    endFetch(key);
  } else {
    fetch.failed = true;
    outlet_.release(key);
    fetch.timer = shared_.loop.after(fetch.backoff.next(shared_.chance), [this, key] {
      fetches_.at(key).timer = 0;
      tryFetch(key);
    });
  }
  changed();
  outlet_.flush();
}

void Secrets::endFetch(const SecretKey& key) {
  const auto it = fetches_.find(key);
  if (it == fetches_.end()) return;
  shared_.client.cancel(it->second.call);
  shared_.loop.cancel(it->second.timer);
  fetches_.erase(it);
  outlet_.release(key);
}

// ---------------------------------------------------------------- by name

void Secrets::followNames() {
  if (std::exchange(by_name_, true)) return;
  log::info("Secrets may not be listed together; those that are named are read one by one");
  while (!fetches_.empty()) endFetch(SecretKey(fetches_.begin()->first));
  for (const auto& [key, places] : outlet_.references().all()) {
    if (wanted(key)) follow(key);
  }
  changed();
}

void Secrets::follow(const SecretKey& key) {
  std::unique_ptr<NamedSecret>& named = named_[key];
  if (named) return;
  named = std::make_unique<NamedSecret>(*this, key);
  outlet_.hold(key);
  named->start();
}

void Secrets::unfollow(const SecretKey& key) {
  const auto it = named_.find(key);
  if (it == named_.end()) return;
  it->second->stop();
  dropped_.push_back(std::move(it->second));
  named_.erase(it);
  shared_.loop.post([this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) dropped_.clear();
  });
  outlet_.release(key);
  if (by_name_) erase(key);
}

void Secrets::tellRefusals() {
  std::vector<Finding> findings;
  for (const auto& [key, named] : named_) {
    const auto* places = outlet_.references().places(key);
    if (named->refusal().empty() || places == nullptr) continue;
    for (const References::Place& place : *places) {
      if (!place.likely) continue;
      Finding finding;
      finding.object = place.object;
      finding.field = place.field;
      finding.message = "names one that cannot be had: " +
                        refusalText(fmt::format("Secret {}/{}", key.ns, key.name), "get, list and watch", named->refusal());
      findings.push_back(std::move(finding));
    }
  }
  outlet_.tell("kubernetes: named secrets", std::move(findings));
}

}  // namespace emissary::source
