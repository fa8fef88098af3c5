// Objects written in annotations of Services and Ingresses. Of several objects of one name the one that stands on its own is used;
// else the one whose Service or Ingress is first, by kind, namespace and name, and in that annotation the first.

#include <fmt/format.h>

#include "engine/note.h"
#include "engine/state.h"

namespace emissary::engine {

/// The object of its own, not one in an annotation; null when there is none.
ObjectPtr Engine::Impl::written(const ObjectRef& ref) const {
  const auto it = objects_.find(ref);
  return it == objects_.end() || it->second->origin.kind != Kind::Unknown ? nullptr : it->second;
}

/// What `ref` stands for, where `own` is the object of its own.
ObjectPtr Engine::Impl::chosen(const ObjectRef& ref, const ObjectPtr& own) const {
  if (own) return own;
  const auto it = annotated_.find(ref);
  return it == annotated_.end() ? nullptr : it->second.begin()->second;
}

void Engine::Impl::judge(const ObjectRef& ref) {
  const auto it = annotated_.find(ref);
  const size_t definitions = it == annotated_.end() ? 0 : it->second.size();
  note(contested_, ref, definitions > 1 || (definitions == 1 && written(ref)));
}

/// `old` and `now`: the object with the annotation, before and after.
void Engine::Impl::updateAnnotated(const ObjectPtr& old, const ObjectPtr& now) {
  std::set<ObjectRef> touched;
  for (size_t i = 0; old && i < old->annotated.size(); ++i) {
    const ObjectRef& ref = old->annotated[i]->ref;
    const auto it = annotated_.find(ref);
    if (it == annotated_.end()) continue;  // not ours
    it->second.erase({old->ref, i});
    if (it->second.empty()) annotated_.erase(it);
    touched.insert(ref);
  }
  for (size_t i = 0; now && i < now->annotated.size(); ++i) {
    const ObjectPtr& object = now->annotated[i];
    if (!ours(*object)) continue;
    annotated_[object->ref][{now->ref, i}] = object;
    touched.insert(object->ref);
  }
  for (const ObjectRef& ref : touched) {
    use(ref, chosen(ref, written(ref)));
    judge(ref);
  }
}

std::vector<Finding> Engine::Impl::contested() const {
  std::vector<Finding> out;
  for (const ObjectRef& ref : contested_) {
    const Object& winner = *objects_.at(ref);
    std::string where = winner.path.empty() ? "" : fmt::format(" at {}:{}", winner.path, winner.line);
    if (winner.origin.kind != Kind::Unknown) where += fmt::format(" in the annotation of {}", winner.origin.text());
    for (const auto& [place, object] : annotated_.at(ref)) {
      if (object.get() == &winner) continue;
      out.push_back({Severity::Error, ref, "",
                     fmt::format("the one in the annotation of {} is not used, for {} is defined{}; remove one of the two",
                                 object->origin.text(), ref.text(), where),
                     object->path, object->line, About::Namesake});
    }
  }
  return out;
}

}  // namespace emissary::engine
