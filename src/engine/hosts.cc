// Secrets, Hosts, and the topology they form with the Listeners. A certificate's content never passes through here: only
// whether it can be used. So rotating one moves no Host and no Listener.

#include <fmt/format.h>

#include <algorithm>

#include "compile/glob.h"
#include "engine/state.h"
#include "generate/listener.h"
#include "generate/route.h"
#include "generate/secret.h"

namespace emissary::engine {
namespace {

constexpr std::string_view kStandIn = "";  // sorts first; no object has this name

Boxed<model::HttpSettings> httpSettings(const model::Module& module) {
  Boxed<model::HttpSettings> out;
  if (module.http != *out) out.edit() = module.http;
  return out;
}

// It waits for them as routes do for theirs.
std::vector<std::string> clustersOf(const ir::Listener& listener) {
  std::set<std::string> names;
  for (const ir::FilterChain& chain : listener.chains) {
    if (!chain.tcp) continue;
    for (const ir::TcpProxy::Target& target : chain.tcp->targets) names.insert(target.cluster);
  }
  return {names.begin(), names.end()};
}

bool sameToSelectors(const compile::HostResult& a, const compile::HostResult& b) {
  if (a.host.has_value() != b.host.has_value()) return false;
  return !a.host || (a.host->hostname == b.host->hostname && a.host->mapping_selector == b.host->mapping_selector);
}

}  // namespace

compile::SecretState Engine::Impl::secretState(std::string_view ns, std::string_view name) const {
  const auto it = secret_states_.find({std::string(ns), std::string(name)});
  return it == secret_states_.end() ? compile::SecretState{} : it->second;
}

ObjectPtr Engine::Impl::tlsContext(std::string_view name, std::string_view ns) const { return referredTo(tls_contexts_, name, ns); }

ObjectPtr Engine::Impl::lookUpContext(std::string_view name, std::string_view ns, std::set<std::string>& looked) const {
  looked.insert(std::string(name));
  if (const size_t dot = name.rfind('.'); dot != std::string_view::npos) looked.insert(std::string(name.substr(0, dot)));
  return tlsContext(name, ns);
}

compile::SecretState Engine::Impl::stateOf(const NamespacedName& key) const {
  compile::SecretState state;
  const auto object = objects_.find({Kind::Secret, key.ns, key.name});
  if (object == objects_.end()) return state;
  state.exists = true;
  if (!object->second->usable) state.problem = "it is not usable itself";
  const auto* secret = std::get_if<model::Secret>(&object->second->spec);
  if (secret == nullptr) return state;
  state.has_certificate = !secret->certificate.empty() && !secret->key.empty();
  state.has_ca = (!secret->ca.empty() || !secret->certificate.empty()) && secret->ca_problem.empty();
  state.has_crl = !secret->crl.empty() && secret->crl_problem.empty();
  state.ca_problem = secret->ca_problem;
  state.crl_problem = secret->crl_problem;
  state.bundles_ca = !secret->ca.empty() && state.has_certificate;
  state.cert_required = secret->cert_required;
  state.problem = state.has_certificate ? secret->pair_problem : "";
  return state;
}

void Engine::Impl::updateSecrets() {
  std::set<NamespacedName>& moved = moved_secrets_;
  for (const NamespacedName& key : dirty_secrets_) {
    count(Table::Secret);
    compile::SecretState state = stateOf(key);
    if (secretState(key.ns, key.name) != state) {
      moved.insert(key);
      if (state == compile::SecretState{}) {
        secret_states_.erase(key);
      } else {
        secret_states_[key] = std::move(state);
      }
    }
    if (used_secrets_.contains(key)) dirty_secret_resources_ = true;
  }
  if (moved.empty()) return;
  for (const auto& [name, host] : hosts_) {
    const bool looked = std::any_of(host.secrets.begin(), host.secrets.end(), [&](const auto& key) { return moved.contains(key); });
    if (looked) dirty_hosts_.insert(name);
  }
}

void Engine::Impl::updateHosts() {
  if (!dirty_contexts_.empty()) {
    for (const auto& [name, host] : hosts_) {
      const auto& looked = host.contexts;
      if (std::any_of(looked.begin(), looked.end(), [&](const auto& n) { return dirty_contexts_.contains(n); }))
        dirty_hosts_.insert(name);
    }
  }
  for (const std::string& name : dirty_hosts_) {
    const auto it = hosts_.find(name);
    if (it == hosts_.end() || name == kStandIn) continue;
    HostEntry& entry = it->second;
    dirty_hosts_set_ = true;
    if (!entry.object) {
      setHost(entry, {});
      hosts_.erase(it);
    } else {
      evaluateHost(entry);
    }
  }
  dirty_hosts_.clear();
  updateStandIn();
  if (dirty_hosts_set_) updateSelectorKeys();
  dirty_hosts_set_ = false;
}

void Engine::Impl::evaluateHost(HostEntry& entry) {
  count(Table::Host);
  entry.secrets.clear();
  entry.contexts.clear();
  if (!entry.object->usable) {
    setHost(entry, {});
    return;
  }
  compile::HostLookups lookups;
  lookups.secret = [&](std::string_view ns, std::string_view name) {
    entry.secrets.insert({std::string(ns), std::string(name)});
    return secretState(ns, name);
  };
  lookups.tls_context = [&](std::string_view name, std::string_view ns) { return lookUpContext(name, ns, entry.contexts); };
  lookups.secret_namespacing = module_->tls_secret_namespacing.value_or(true);
  compile::HostResult result = compile::compileHost(*entry.object, lookups);
  reject(entry.object->ref, !result.host.has_value());
  setHost(entry, std::move(result));
}

void Engine::Impl::setHost(HostEntry& entry, compile::HostResult result) {
  if (entry.result == result) return;
  const bool same = sameToSelectors(entry.result, result);
  if (!same && entry.result.host) {
    unlink(entry);
    const std::string& name = entry.result.host->hostname;
    if (compile::isExact(name)) {
      const auto it = hosts_by_name_.find(name);
      it->second.erase(&entry);
      if (it->second.empty()) hosts_by_name_.erase(it);
    } else {
      open_hosts_.erase(&entry);
    }
  }
  if (entry.result.host != result.host) dirty_topology_ = true;
  entry.result = std::move(result);
  if (!same && entry.result.host) {
    const std::string& name = entry.result.host->hostname;
    if (compile::isExact(name)) {
      hosts_by_name_[name].insert(&entry);
    } else {
      open_hosts_.insert(&entry);
    }
    associate(entry);
    markVirtualHosts(entry, true);
  }
}

// Only where there is no Host at all. One that is broken must not turn into a Host that serves everything in the clear.
void Engine::Impl::updateStandIn() {
  const std::string key(kStandIn);
  const bool needed = hosts_.empty() || (hosts_.size() == 1 && hosts_.begin()->first == key);
  if (!needed) {
    if (const auto it = hosts_.find(key); it != hosts_.end()) {
      setHost(it->second, {});
      hosts_.erase(it);
      dirty_hosts_set_ = true;
    }
    return;
  }
  HostEntry& entry = hosts_[key];
  entry.secrets = {{options_.ns, std::string(compile::kFallbackSecret)}};
  setHost(entry, {compile::defaultHost(installation_, secretState(options_.ns, compile::kFallbackSecret)), {}});
}

void Engine::Impl::updateSelectorKeys() {
  compile::SelectorKeys keys;
  for (const auto& [name, entry] : hosts_) {
    if (!entry.result.host || !entry.result.host->mapping_selector) continue;
    const model::LabelSelector& selector = *entry.result.host->mapping_selector;
    for (const auto& [label, value] : selector.match_labels) keys.insert(label);
    for (const auto& expression : selector.match_expressions) keys.insert(expression.key);
  }
  if (keys == selector_keys_) return;
  for (const auto& [ref, entry] : mappings_) {
    if (entry.object &&
        compile::projectLabels(entry.object->labels, keys) != compile::projectLabels(entry.object->labels, selector_keys_)) {
      dirty_mappings_.insert(ref);
    }
  }
  selector_keys_ = std::move(keys);
}

void Engine::Impl::updateTopology() {
  if (dirty_topology_) {
    count(Table::Listener);
    compile::TopologyInput input;
    for (const auto& [name, object] : listeners_) input.listeners.push_back(object);
    for (const auto& [name, entry] : hosts_) {
      if (entry.result.host) input.hosts.push_back(&*entry.result.host);
    }
    for (const auto& [key, group] : tcp_groups_) input.tcp.push_back(&group.result);
    input.http = httpSettings(*module_);
    input.namespace_labels = [this](const std::string& ns) {
      const auto it = namespaces_.find(ns);
      Labels labels = it == namespaces_.end() ? Labels{} : it->second->labels;
      labels.try_emplace("kubernetes.io/metadata.name", ns);  // the API server gives it to each; a file need not
      return labels;
    };
    compile::Topology before = std::exchange(topology_, compile::compileTopology(input, installation_));
    emitTopology(before);
    dirty_secret_resources_ = true;
    tcp_judged_ = false;
  }
  judgeTcpMappings();
  if (dirty_secret_resources_) emitSecrets();
  dirty_secrets_.clear();
  dirty_topology_ = dirty_envoy_ = dirty_secret_resources_ = false;
}

void Engine::Impl::emitTopology(const compile::Topology& before) {
  std::map<std::string, const ir::Listener*> old;
  std::set<std::string> scopes_before, scopes;
  const auto scopeName = [](const ir::Listener& listener, const ir::Scope& scope) { return listener.name + "/" + scope.hostname; };
  for (const ir::Listener& listener : before.listeners) {
    old.emplace(listener.name, &listener);
    for (const ir::FilterChain& chain : listener.chains) {
      for (const ir::Scope& scope : chain.scopes) scopes_before.insert(scopeName(listener, scope));
    }
  }
  for (const ir::Listener& listener : topology_.listeners) {
    const auto it = old.find(listener.name);
    for (const ir::FilterChain& chain : listener.chains) {
      for (const ir::Scope& scope : chain.scopes) {
        const std::string name = scopeName(listener, scope);
        scopes.insert(name);
        put(serve::Type::ScopedRoutes, name, generate::scopedRouteConfiguration(name, listener.name, scope));
      }
    }
    if (it != old.end() && *it->second == listener && !dirty_envoy_) {
      old.erase(it);
      continue;
    }
    if (it != old.end()) old.erase(it);
    generate::Generated made = generate::listener(listener, installation_.envoy);
    if (made.problem.empty()) {
      put(serve::Type::Listener, listener.name, made.bytes, clustersOf(listener));
    } else {
      remove(serve::Type::Listener, listener.name);
      topology_.findings.push_back({Severity::Error, listener.ref, "", "Envoy would refuse it: " + made.problem, "", 0});
    }
  }
  for (const auto& [name, listener] : old) remove(serve::Type::Listener, name);
  for (const std::string& name : scopes_before) {
    if (!scopes.contains(name)) remove(serve::Type::ScopedRoutes, name);
  }
  std::set<ObjectRef> open;
  for (const ir::Listener& listener : topology_.listeners) open.insert(listener.ref);
  for (const auto& [name, object] : listeners_) reject(object->ref, !open.contains(object->ref));
  // Tables: take the new ones into use before the old ones go, so that what both use is kept.
  for (const auto& [name, table] : topology_.tables) {
    const auto it = tables_.find(name);
    if (it != tables_.end() && it->second.spec == table) continue;
    useVirtualHosts(table, true);
    if (it != tables_.end()) useVirtualHosts(it->second.spec, false);
    tables_[name].spec = table;
    dirty_tables_.insert(name);
  }
  std::erase_if(tables_, [&](const auto& entry) {
    if (topology_.tables.contains(entry.first)) return false;
    useVirtualHosts(entry.second.spec, false);
    remove(serve::Type::Routes, entry.first);
    dirty_tables_.erase(entry.first);
    return true;
  });
}

// Resources that some Listener or cluster names, each made anew only where a Secret behind it is another.
void Engine::Impl::emitSecrets() {
  std::set<std::string> names;
  used_secrets_.clear();
  const auto fresh = [&](const std::string& resource, const NamespacedName& key) {
    used_secrets_.insert(key);
    return !secret_resources_.contains(resource) || dirty_secrets_.contains(key);
  };
  const auto find = [&](const NamespacedName& key) -> const model::Secret* {
    const auto it = secrets_.find(key);
    return it == secrets_.end() ? nullptr : std::get_if<model::Secret>(&it->second->spec);
  };
  const auto certificate = [&](const NamespacedName& key) {
    const std::string resource = generate::certificateName(key.ns, key.name);
    const model::Secret* secret = find(key);
    if (!names.insert(resource).second || !fresh(resource, key) || secret == nullptr) return;
    const generate::Generated made = generate::certificate(resource, *secret);
    if (made.problem.empty()) put(serve::Type::Secret, resource, made.bytes);
  };
  const auto validation = [&](const NamespacedName& ca, const NamespacedName& crl) {
    const std::string resource = generate::validationName(ca.ns, ca.name, crl.ns, crl.name);
    const bool revoking = !crl.name.empty();
    const bool fresh_ca = fresh(resource, ca), fresh_crl = revoking && fresh(resource, crl);
    const model::Secret *secret = find(ca), *revoked = revoking ? find(crl) : nullptr;
    if (!names.insert(resource).second || !(fresh_ca || fresh_crl)) return;
    if (secret == nullptr || (revoking && revoked == nullptr)) return;
    const generate::Generated made = generate::validation(resource, *secret, revoked);
    if (made.problem.empty()) put(serve::Type::Secret, resource, made.bytes);
  };
  const auto use = [&](const auto& tls) {
    if (!tls.secret_name.empty()) certificate({tls.secret_namespace, tls.secret_name});
    if (!tls.ca_name.empty()) validation({tls.ca_namespace, tls.ca_name}, {tls.crl_namespace, tls.crl_name});
  };
  for (const ir::Listener& listener : topology_.listeners) {
    for (const ir::FilterChain& chain : listener.chains) {
      if (chain.tls) use(*chain.tls);
    }
  }
  for (const ClusterEntry* cluster : clusters_with_secrets_) use(*cluster->upstream->tls);
  for (const std::string& name : secret_resources_) {
    if (!names.contains(name)) remove(serve::Type::Secret, name);
  }
  secret_resources_ = std::move(names);
}

}  // namespace emissary::engine
