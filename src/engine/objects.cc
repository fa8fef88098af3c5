// The store: which objects there are, and which keys of the tables a change of one touches.

#include "compile/built_in.h"
#include "engine/note.h"
#include "engine/state.h"

namespace emissary::engine {

ObjectPtr referredTo(const ByName& objects, std::string_view name, std::string_view ns) {
  const auto in = [&](std::string_view n, std::string_view where, bool else_first) -> ObjectPtr {
    const auto all = objects.find(std::string(n));
    if (all == objects.end() || all->second.empty()) return nullptr;
    const auto there = all->second.find(std::string(where));
    if (there != all->second.end()) return there->second;
    return else_first ? all->second.begin()->second : nullptr;
  };
  ObjectPtr found = in(name, ns, true);
  const size_t dot = name.rfind('.');
  return found || dot == std::string_view::npos ? found : in(name.substr(0, dot), name.substr(dot + 1), false);
}

bool Engine::Impl::ours(const Object& object) const {
  const bool own_only = options_.single_namespace || (options_.secrets_single_namespace && object.ref.kind == Kind::Secret);
  if (own_only && !object.ref.ns.empty() && object.ref.ns != options_.ns) return false;
  return object.isFor(options_.ambassador_id);
}

void Engine::Impl::reject(const ObjectRef& ref, bool rejected) {
  const bool moved = rejected ? rejected_.insert(ref).second : rejected_.erase(ref) > 0;
  if (moved) noteMoved(ref);
}

void Engine::Impl::noteMoved(const ObjectRef& ref) {
  if (kindGroup(ref.kind) == "getambassador.io") moved_.insert(ref);
}

Engine::Standing Engine::Impl::standing(const ObjectRef& ref) const {
  const ObjectPtr object = written(ref);
  return {object, object && !rejected_.contains(ref)};
}

void Engine::Impl::updateStore(const std::vector<Change>& changes) {
  for (const Change& change : changes) {
    const ObjectPtr old = written(change.ref);
    const ObjectPtr now = change.object && ours(*change.object) ? change.object : nullptr;
    use(change.ref, chosen(change.ref, now));
    judge(change.ref);
    updateAnnotated(old, now);
  }
}

/// `now` is what `ref` stands for; null: nothing.
void Engine::Impl::use(const ObjectRef& ref, const ObjectPtr& now) {
  const auto it = objects_.find(ref);
  const ObjectPtr old = it == objects_.end() ? nullptr : it->second;
  if (!old && !now) return;
  noteMoved(ref);
  if (!now) {
    objects_.erase(it);
    objects_with_findings_.erase(ref);
    --totals_[ref.kind];
    reject(ref, false);
  } else {
    if (!old) ++totals_[ref.kind];
    objects_[ref] = now;
    note(objects_with_findings_, ref, !now->findings.empty());
    // Written again unchanged, it stays what the passes found it to be.
    const bool same = old && old->usable && old->hash == now->hash;
    if (!same || !now->usable) reject(ref, !now->usable);
  }
  place(old, now);
}

void Engine::Impl::place(const ObjectPtr& old, const ObjectPtr& now) {
  const ObjectRef& ref = now ? now->ref : old->ref;
  // The same content, written at another place: only findings look at that.
  const bool moved = !(old && now && old->hash == now->hash && old->usable == now->usable);
  const ObjectPtr usable = now && now->usable ? now : nullptr;
  const NamespacedName key{ref.ns, ref.name};
  switch (ref.kind) {
    case Kind::Mapping:
      if (compile::isBuiltIn(ref)) break;  // no name for an object, which was told so
      if (usable) {
        mappings_[ref].object = usable;
      } else if (const auto it = mappings_.find(ref); it != mappings_.end()) {
        it->second.object = nullptr;
      }
      if (moved) dirty_mappings_.insert(ref);
      break;
    case Kind::TCPMapping:
      if (usable) {
        tcp_mappings_[ref].object = usable;
      } else if (const auto it = tcp_mappings_.find(ref); it != tcp_mappings_.end()) {
        it->second.object = nullptr;
      }
      if (moved) dirty_tcp_mappings_.insert(ref);
      break;
    case Kind::Host: {
      const std::string name = compile::orderName(ref);
      if (now) {
        hosts_[name].object = now;
      } else {
        hosts_[name].object = nullptr;
      }
      if (moved) dirty_hosts_.insert(name);
      break;
    }
    case Kind::Listener: {
      const std::string name = compile::orderName(ref);
      if (usable) {
        listeners_[name] = usable;
      } else {
        listeners_.erase(name);
      }
      if (moved) dirty_topology_ = true;
      break;
    }
    case Kind::TLSContext:
      placeContextHosts(old, now, moved);
      if (now) {
        tls_contexts_[ref.name][ref.ns] = now;
      } else {
        tls_contexts_[ref.name].erase(ref.ns);
      }
      if (moved) dirty_contexts_.insert(ref.name);
      break;
    case Kind::KubernetesServiceResolver:
    case Kind::KubernetesEndpointResolver:
    case Kind::ConsulResolver: {
      // The three kinds share one space of names; of several in one namespace the first kind counts.
      ObjectPtr chosen;
      for (const Kind kind : {Kind::ConsulResolver, Kind::KubernetesEndpointResolver, Kind::KubernetesServiceResolver}) {
        const auto it = objects_.find({kind, ref.ns, ref.name});
        if (!chosen && it != objects_.end() && it->second->usable) chosen = it->second;
      }
      if (chosen) {
        resolvers_[ref.name][ref.ns] = chosen;
      } else {
        resolvers_[ref.name].erase(ref.ns);
      }
      if (moved) dirty_resolvers_.insert({ref.name, ref.name + "." + ref.ns, std::string(otherResolverName(ref.name))});
      break;
    }
    case Kind::Service:
      services_[key].service = usable;
      if (moved) dirty_services_.insert(key);
      break;
    case Kind::Endpoints:
      services_[key].endpoints = usable;
      if (moved) dirty_services_.insert(key);
      break;
    case Kind::EndpointSlice: placeSlice(old, usable); break;
    case Kind::Secret:
      if (usable) {
        secrets_[key] = usable;
      } else {
        secrets_.erase(key);
      }
      if (moved) dirty_secrets_.insert(key);
      break;
    case Kind::Module:
      if (ref.name != "ambassador") break;
      if (usable) {
        modules_[compile::orderName(ref)] = usable;
      } else {
        modules_.erase(compile::orderName(ref));
      }
      if (moved) dirty_modules_ = true;
      break;
    case Kind::Namespace:
      if (usable) {
        namespaces_[ref.name] = usable;
      } else {
        namespaces_.erase(ref.name);
      }
      if (moved) dirty_topology_ = true;
      break;
    default: break;
  }
}

// A slice says itself which Service it belongs to, and may change its mind.
void Engine::Impl::placeSlice(const ObjectPtr& old, const ObjectPtr& now) {
  const auto ownerOf = [](const Object& object) {
    const auto* slice = std::get_if<model::EndpointSlice>(&object.spec);
    return NamespacedName{object.ref.ns, slice ? slice->service : ""};
  };
  if (old) {
    const NamespacedName owner = ownerOf(*old);
    services_[owner].slices.erase(old->ref.name);
    dirty_services_.insert(owner);
  }
  if (now) {
    const NamespacedName owner = ownerOf(*now);
    services_[owner].slices[now->ref.name] = now;
    dirty_services_.insert(owner);
  }
}

}  // namespace emissary::engine
