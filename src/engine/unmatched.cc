// What has no partner, and what would be one: Mappings without a Host, Hosts without a Mapping, TLSContexts that nobody uses; and
// certificates that are past their time. Looked at when findings are asked for.

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "compile/association.h"
#include "compile/glob.h"
#include "compile/partners.h"
#include "compile/secret_name.h"
#include "engine/state.h"
#include "model/text.h"

namespace emissary::engine {
namespace {

/// Parent and child, or a slip of the pen.
bool near(const std::string& a, const std::string& b) {
  const auto below = [](const std::string& child, const std::string& parent) { return child.ends_with("." + parent); };
  if (below(a, b) || below(b, a)) return true;
  const size_t limit = std::min(a.size(), b.size()) < 8 ? 1 : 2;
  return model::editDistance(a, b, limit) <= limit;
}

std::string where(const ir::Host& host) { return fmt::format("{} ({})", host.hostname, host.ref.text()); }

std::string time(int64_t seconds) { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(seconds))); }

}  // namespace

void Engine::Impl::addUnmatched(std::vector<Finding>& out) const {
  for (const ClassEntry* of : classes_without_hosts_) addWithoutHost(*of, out);
  addWithoutMapping(out);
  addUnusedContexts(out);
  addStandIn(out);
}

// Nobody wrote the Host that serves every name: said where it is served.
void Engine::Impl::addStandIn(std::vector<Finding>& out) const {
  const auto host = hosts_.find("");
  if (host == hosts_.end() || !host->second.result.host || host->second.result.host->tls) return;
  for (const ir::Listener& listener : topology_.listeners) {
    if (!std::any_of(listener.chains.begin(), listener.chains.end(), [](const ir::FilterChain& chain) { return !chain.tcp; }))
      continue;
    out.push_back(
        {Severity::Notice, listener.ref, "",
         "there is no Host, so every name is served here, in the clear; add one, for example kind: Host, metadata: {name: all}, "
         "spec: {hostname: \"*\"}",
         "", 0});
  }
}

// Hosts with names like `name`: a few, found without looking at all of them.
std::string Engine::Impl::hostsNear(const std::string& name) const {
  std::map<std::string, const ir::Host*> found;
  const auto consider = [&](const HostEntry* entry) {
    const ir::Host& host = *entry->result.host;
    if (near(host.hostname, name)) found.emplace(compile::orderName(host.ref), &host);
  };
  constexpr int kNeighbours = 4;
  auto it = hosts_by_name_.lower_bound(name);
  for (int i = 0; i < kNeighbours && it != hosts_by_name_.begin(); ++i) --it;
  for (int i = 0; i < 2 * kNeighbours && it != hosts_by_name_.end(); ++i, ++it)
    consider(*std::min_element(it->second.begin(), it->second.end(),
                               [](const auto* a, const auto* b) { return a->result.host->ref < b->result.host->ref; }));
  for (size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
    if (const auto parent = hosts_by_name_.find(name.substr(dot + 1)); parent != hosts_by_name_.end()) {
      for (const HostEntry* entry : parent->second) consider(entry);
    }
  }
  constexpr size_t kMost = 3;
  std::string out;
  size_t count = 0;
  for (const auto& [order, host] : found) {
    if (count++ < kMost) out += (out.empty() ? "" : ", ") + where(*host);
  }
  return out;
}

// The first Host that serves `name` and asks for other labels.
const ir::Host* Engine::Impl::hostOfOtherLabels(const std::string& name) const {
  const ir::Host* first = nullptr;
  const auto consider = [&](const HostEntry* entry) {
    const ir::Host& host = *entry->result.host;
    if (!host.mapping_selector || !compile::globsOverlap(host.hostname, name)) return;
    if (first == nullptr || compile::orderName(host.ref) < compile::orderName(first->ref)) first = &host;
  };
  if (const auto it = hosts_by_name_.find(name); it != hosts_by_name_.end())
    std::for_each(it->second.begin(), it->second.end(), consider);
  std::for_each(open_hosts_.begin(), open_hosts_.end(), consider);
  return first;
}

void Engine::Impl::addWithoutHost(const ClassEntry& of, std::vector<Finding>& out) const {
  using Kind = ir::HostMatch::Kind;
  const ir::HostMatch& match = of.key->host;
  const bool named = match.kind != Kind::None;
  std::string message;
  if (!named) {
    std::string labels;
    for (const auto& [order, entry] : hosts_) {
      if (labels.empty() && entry.result.host && entry.result.host->mapping_selector) {
        labels = compile::labelsYaml(*entry.result.host->mapping_selector);
        if (!labels.empty()) labels = fmt::format(", or metadata: {{labels: {}}} for {}", labels, entry.result.host->ref.text());
      }
    }
    message =
        "it has no hostname, and no Host's mappingSelector matches its labels, so it gets no requests; write hostname: \"*\" "
        "for all Hosts" +
        labels;
  } else {
    const ir::Host* other = match.kind == Kind::Glob ? hostOfOtherLabels(match.text) : nullptr;
    if (other != nullptr) {
      const std::string labels = compile::labelsYaml(*other->mapping_selector);
      message = fmt::format(
          "{} serves \"{}\", but its mappingSelector does not match this Mapping's labels, so it gets no requests{}",
          other->ref.text(), other->hostname, labels.empty() ? "" : fmt::format("; write metadata: {{labels: {}}}", labels));
    } else {
      const std::string close = match.kind == Kind::Glob ? hostsNear(match.text) : "";
      message = fmt::format(
          "no Host serves \"{}\", so it gets no requests; add a Host with spec: {{hostname: \"{}\"}}, or write a "
          "name that exists{}",
          match.text, match.text, close.empty() ? "" : ". Similar: " + close);
    }
  }
  for (const GroupEntry* group : of.groups) {
    for (const auto& [order, member] : group->members) {
      if (member->object)
        out.push_back({Severity::Warning, member->object->ref, named ? "spec.hostname" : "", message, "", 0, About::NoPartner});
    }
  }
}

void Engine::Impl::addWithoutMapping(std::vector<Finding>& out) const {
  const auto ofUser = [](const ClassEntry* of) {
    if (of->key->host.kind == ir::HostMatch::Kind::Every) return false;
    return std::any_of(of->groups.begin(), of->groups.end(), [](const GroupEntry* group) { return !group->members.empty(); });
  };
  for (const auto& [order, entry] : hosts_) {
    if (!entry.object || !entry.result.host || std::any_of(entry.classes.begin(), entry.classes.end(), ofUser)) continue;
    const ir::Host& host = *entry.result.host;
    if (topology_.tcp_hosts.contains(host.ref)) continue;
    const std::string labels = host.mapping_selector ? compile::labelsYaml(*host.mapping_selector) : "";
    const std::string message =
        labels.empty() ? fmt::format(
                             "no Mapping is for \"{}\", so its requests are answered 404; add a Mapping with spec: {{hostname: "
                             "\"{}\", prefix: /, service: …}}",
                             host.hostname, host.hostname)
                       : fmt::format(
                             "no Mapping has the labels that its mappingSelector asks for, so its requests are answered 404; write "
                             "metadata: {{labels: {}}} in a Mapping",
                             labels);
    out.push_back({Severity::Notice, host.ref, labels.empty() ? "spec.hostname" : "spec.mappingSelector", message, "", 0});
  }
}

// Who uses it is told by itself.
void Engine::Impl::addMissingSecrets(const Object& object, const model::TlsContext& context, std::vector<Finding>& out) const {
  const bool namespacing = context.secret_namespacing.value_or(module_->tls_secret_namespacing.value_or(true));
  for (const auto& [field, name] : {std::pair<const char*, const std::string&>{"spec.secret", context.secret},
                                    {"spec.ca_secret", context.settings.ca_secret},
                                    {"spec.crl_secret", context.settings.crl_secret}}) {
    if (name.empty()) continue;
    const compile::SecretName secret = compile::secretName(name, object.ref.ns, namespacing);
    if (secretState(secret.ns, secret.name).exists) continue;
    out.push_back({Severity::Error, object.ref, field,
                   fmt::format("names Secret {}/{}, which does not exist; create it", secret.ns, secret.name), "", 0,
                   About::MissingSecret});
  }
}

void Engine::Impl::addUnusedContexts(std::vector<Finding>& out) const {
  std::set<ObjectRef> used;
  const auto use = [&](const std::set<std::string>& names, const std::string& ns) {
    for (const std::string& name : names) {
      if (const ObjectPtr context = tlsContext(name, ns)) used.insert(context->ref);
    }
  };
  bool any_host = false;
  for (const auto& [order, entry] : hosts_) {
    if (!entry.object) continue;
    any_host = true;
    use(entry.contexts, entry.object->ref.ns);
  }
  for (const ObjectRef& ref : mappings_with_lookups_) use(mappings_.at(ref).contexts, ref.ns);
  for (const auto& [ref, entry] : tcp_mappings_) use(entry.contexts, ref.ns);
  for (const auto& [key, group] : tcp_groups_) {
    const auto listing = context_hosts_.find(key.host);
    if (listing == context_hosts_.end()) continue;
    for (const auto& [name, context] : listing->second) used.insert(context->ref);
  }
  for (const auto& [name, of_name] : tls_contexts_) {
    for (const auto& [ns, object] : of_name) {
      if (!object->usable || used.contains(object->ref)) continue;
      const auto& context = std::get<model::TlsContext>(object->spec);
      if (!context.hosts.empty() && !any_host) {
        out.push_back(
            {Severity::Error, object->ref, "spec.hosts",
             fmt::format("No Hosts defined, but TLSContexts exist that terminate TLS. The TLSContexts are being ignored. Add a "
                         "Host with spec: {{hostname: \"{}\", tlsSecret: {{name: {}}}, tlsContext: {{name: {}}}}}",
                         context.hosts.front(), context.secret.empty() ? "…" : context.secret, name),
             "", 0, About::NoPartner});
        continue;
      }
      addMissingSecrets(*object, context, out);
      out.push_back(
          {Severity::Notice, object->ref, "",
           fmt::format("nothing uses this TLSContext; name it in a Host (tlsContext: {{name: {}}}) or in a Mapping (tls: {}), "
                       "or remove it",
                       name, name),
           "", 0, About::NoPartner});
    }
  }
}

std::vector<CertificateUse> Engine::Impl::certificates() const {
  std::map<ObjectRef, CertificateUse> found;
  for (const ir::Listener& listener : topology_.listeners) {
    for (const ir::FilterChain& chain : listener.chains) {
      if (!chain.tls) continue;
      const auto secret = secrets_.find({chain.tls->secret_namespace, chain.tls->secret_name});
      if (secret == secrets_.end()) continue;
      const auto* content = std::get_if<model::Secret>(&secret->second->spec);
      if (content == nullptr) continue;
      CertificateUse& use = found[secret->second->ref];
      use.secret = secret->second->ref;
      use.not_before = content->not_before;
      use.not_after = content->not_after;
      const auto table = tables_.find(chain.table);
      if (table == tables_.end()) continue;
      for (const ir::VirtualHost& host : table->second.spec.virtual_hosts) use.hosts.push_back(host.host);
    }
  }
  std::vector<CertificateUse> out;
  for (auto& [ref, use] : found) {
    std::sort(use.hosts.begin(), use.hosts.end());
    use.hosts.erase(std::unique(use.hosts.begin(), use.hosts.end()), use.hosts.end());
    out.push_back(std::move(use));
  }
  return out;
}

// Envoy shows them all the same, as it must: a client may not mind, and nothing else is there to show.
void Engine::Impl::addExpired(int64_t now, std::vector<Finding>& out) const {
  for (const CertificateUse& use : certificates()) {
    std::string why;
    if (use.not_after != 0 && now > use.not_after) why = "has expired at " + time(use.not_after);
    if (use.not_before != 0 && now < use.not_before) why = "is not valid before " + time(use.not_before);
    if (why.empty()) continue;
    const std::string user = use.hosts.empty() ? "" : ", for " + use.hosts.front().text();
    const std::string rest = use.hosts.size() > 1 ? fmt::format(" and {} more", use.hosts.size() - 1) : "";
    out.push_back({Severity::Warning, use.secret, "data",
                   fmt::format("the certificate {}; it is shown to clients all the same{}{}, and they refuse it. Replace it", why,
                               user, rest),
                   "", 0});
  }
}

}  // namespace emissary::engine
