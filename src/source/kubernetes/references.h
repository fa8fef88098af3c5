#pragma once
// Which Secrets are named by which objects, and what of that has changed.

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "compile/secret_references.h"
#include "model/ref.h"

namespace emissary::source {

using SecretKey = compile::SecretName;

class References {
 public:
  /// A place that names a Secret.
  struct Place {
    ObjectRef object;
    std::string field;
    bool likely = true;
    auto operator<=>(const Place&) const = default;
  };

  /// What `object` names now; nothing when it is gone.
  void set(const ObjectRef& object, std::vector<compile::SecretReference> references);

  bool has(const SecretKey& secret) const { return by_secret_.contains(secret); }
  /// Who names it; never null while has().
  const std::set<Place>* places(const SecretKey& secret) const {
    const auto it = by_secret_.find(secret);
    return it == by_secret_.end() ? nullptr : &it->second;
  }
  const std::map<SecretKey, std::set<Place>>& all() const { return by_secret_; }
  /// Secrets whose places are others than at the last call.
  std::set<SecretKey> takeTouched() { return std::exchange(touched_, {}); }

 private:
  std::unordered_map<ObjectRef, std::vector<compile::SecretReference>> by_object_;
  std::map<SecretKey, std::set<Place>> by_secret_;
  std::set<SecretKey> touched_;
};

}  // namespace emissary::source
