#include "source/kubernetes/secret_feeds.h"

#include <fmt/format.h>

#include "base/log.h"

namespace emissary::source {
namespace {

std::string allPath(const KubernetesOptions& options) {
  const bool own = options.single_namespace || options.secrets_single_namespace;
  return resourcePath(resourceOf(Kind::Secret), "v1", own ? options.ns : "");
}

/// They may be large: a megabyte each.
constexpr int kPage = 100;

SecretKey keyOf(const Item& item) { return {std::string(item.ns), std::string(item.name)}; }

}  // namespace

// ---------------------------------------------------------------- all of them

AllSecrets::AllSecrets(Secrets& owner)
    : owner_(owner),
      trouble_(owner.shared_, owner.outlet_, owner.contact_, resourceName(resourceOf(Kind::Secret))),
      reflector_(owner.shared_,
                 {allPath(owner.shared_.options), selectorsOf(resourceOf(Kind::Secret), owner.shared_.options), true, kPage}, *this,
                 owner.stats_) {
  // What was read once is not given up for one answer: servers that have just started refuse much.
  trouble_.on_refused = [this] { refused(); };
}

void AllSecrets::refused() {
  trouble_.withdraw();
  owner_.followNames();
}

void AllSecrets::begin() {
  ++round_;
  staged_.clear();
}

void AllSecrets::add(const Item& item) { staged_.emplace_back(keyOf(item), owner_.read(item)); }

void AllSecrets::finish() {
  for (const auto& [key, object] : std::exchange(staged_, {})) {
    owner_.put(key, object);
    owner_.entries_.at(key).round = round_;
  }
  std::vector<SecretKey> gone;
  for (const auto& [key, entry] : owner_.entries_) {
    if (entry.round != round_) gone.push_back(key);
  }
  for (const SecretKey& key : gone) owner_.erase(key);
  listed_ = true;
  owner_.allListed();
}

void AllSecrets::changed(const Item& item) {
  const SecretKey key = keyOf(item);
  owner_.put(key, owner_.read(item));
  owner_.entries_.at(key).round = round_;
}

void AllSecrets::deleted(const Item& item) { owner_.erase(keyOf(item)); }
void AllSecrets::flush() { owner_.outlet_.flush(); }
void AllSecrets::healthy() { trouble_.over(); }

void AllSecrets::failed(const Failure& failure) {
  if (failure.what == Failure::What::Refused && (!listed_ || owner_.by_name_)) {
    owner_.contact_.regained();
    refused();
  } else {
    trouble_.failed(failure);
  }
  owner_.outlet_.flush();
}

// ---------------------------------------------------------------- one

NamedSecret::NamedSecret(Secrets& owner, SecretKey key)
    : owner_(owner),
      key_(std::move(key)),
      reflector_(owner.shared_, {owner.pathOf(key_), owner.selectorsFor(key_), true}, *this, owner.stats_) {}

void NamedSecret::begin() {
  there_ = false;
  staged_ = nullptr;
}

void NamedSecret::add(const Item& item) {
  if (!isIt(item)) return;
  there_ = true;
  staged_ = owner_.read(item);
}

void NamedSecret::finish() {
  if (there_) owner_.put(key_, std::exchange(staged_, nullptr));
  else owner_.erase(key_);
  listed_ = true;
  owner_.outlet_.release(key_);
  owner_.changed();
  owner_.outlet_.flush();
}

void NamedSecret::changed(const Item& item) {
  if (isIt(item)) owner_.put(key_, owner_.read(item));
}

void NamedSecret::deleted(const Item& item) {
  if (isIt(item)) owner_.erase(key_);
}

void NamedSecret::flush() { owner_.outlet_.flush(); }

void NamedSecret::healthy() {
  owner_.contact_.regained();
  if (refusal_.empty()) return;
  refusal_.clear();
  owner_.tellRefusals();
}

void NamedSecret::failed(const Failure& failure) {
  if (failure.what == Failure::What::Connection) owner_.contact_.lost(failure.text);
  else owner_.contact_.regained();
  if (failure.what == Failure::What::Refused && refusal_.empty()) {
    refusal_ = failure.text;
    owner_.tellRefusals();
  }
  owner_.outlet_.release(key_);
  owner_.changed();
  owner_.outlet_.flush();
}

}  // namespace emissary::source
