#include "source/kubernetes/references.h"

#include <algorithm>

namespace emissary::source {

void References::set(const ObjectRef& object, std::vector<compile::SecretReference> references) {
  const auto it = by_object_.find(object);
  if (it == by_object_.end() && references.empty()) return;
  std::sort(references.begin(), references.end());
  if (it != by_object_.end()) {
    if (it->second == references) return;
    for (const compile::SecretReference& old : it->second) {
      touched_.insert(old.secret);
      const auto places = by_secret_.find(old.secret);
      if (places == by_secret_.end()) continue;
      places->second.erase({object, old.field, old.likely});
      if (places->second.empty()) by_secret_.erase(places);
    }
  }
  for (const compile::SecretReference& now : references) {
    touched_.insert(now.secret);
    by_secret_[now.secret].insert({object, now.field, now.likely});
  }
  if (references.empty()) by_object_.erase(it);
  else by_object_[object] = std::move(references);
}

}  // namespace emissary::source
