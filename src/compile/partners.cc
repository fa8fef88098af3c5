#include "compile/partners.h"

#include <fmt/format.h>

#include "compile/association.h"
#include "manifest/scalar.h"

namespace emissary::compile {
namespace {

/// How far off: labels are cured more easily than namespaces.
int distance(const NotTaken& why) { return (why.by_namespace ? 2 : 0) + (why.by_labels ? 1 : 0); }

std::string namespaceCure(const Object& listener, const model::Listener& spec, const ir::Host& host) {
  if (spec.from == model::Listener::From::SELECTOR) {
    const std::string labels = labelsYaml(spec.namespace_selector);
    return fmt::format("the labels of namespace {} do not match its hostBinding.namespace.selector; {}", host.ref.ns,
                       labels.empty() ? "label the Namespace so that they do" : "label the Namespace with labels: " + labels);
  }
  return fmt::format("it takes Hosts of its own namespace {} only; write hostBinding: {{namespace: {{from: ALL}}}} in it",
                     listener.ref.ns);
}

std::string labelCure(const model::Listener& spec) {
  const std::string labels = labelsYaml(*spec.host_selector);
  return labels.empty()
             ? "its hostBinding.selector does not match the Host's labels; change one of the two"
             : "its hostBinding.selector asks for labels that the Host lacks; write metadata: {labels: " + labels + "} in the Host";
}

/// As text in YAML: a label "5" or "on" must be quoted.
std::string yamlText(const std::string& text) {
  return manifest::resolvePlain(text).isString() ? text : fmt::format("\"{}\"", text);
}

std::string cure(const Object& listener, const ir::Host& host, const NotTaken& why) {
  const auto& spec = std::get<model::Listener>(listener.spec);
  std::string out;
  if (why.by_namespace) out = namespaceCure(listener, spec, host);
  if (why.by_labels) out += (out.empty() ? "" : "; also, ") + labelCure(spec);
  return out;
}

}  // namespace

std::string labelsYaml(const model::LabelSelector& selector) {
  std::string out;
  for (const auto& [key, value] : selector.match_labels) {
    if (out.size() > 200) break;  // enough to see what is meant
    out += fmt::format("{}{}: {}", out.empty() ? "{" : ", ", yamlText(key), yamlText(value));
  }
  return out.empty() ? out : out + "}";
}

NotTaken notTaken(const Object& listener, const ir::Host& host, const NamespaceLabels& namespace_labels, bool strict) {
  const auto& spec = std::get<model::Listener>(listener.spec);
  NotTaken out;
  switch (spec.from) {
    case model::Listener::From::ALL: break;
    case model::Listener::From::SELF: out.by_namespace = host.ref.ns != listener.ref.ns; break;
    case model::Listener::From::SELECTOR: out.by_namespace = !spec.namespace_selector.matches(namespace_labels(host.ref.ns)); break;
  }
  out.by_labels = spec.host_selector && !selects(*spec.host_selector, host.labels, strict);
  return out;
}

std::string noListener(const ir::Host& host, const std::vector<ObjectPtr>& listeners, const NamespaceLabels& namespace_labels,
                       bool strict) {
  const Object* nearest = nullptr;
  NotTaken why;
  for (const ObjectPtr& listener : listeners) {
    const NotTaken here = notTaken(*listener, host, namespace_labels, strict);
    if (nearest != nullptr && distance(here) >= distance(why)) continue;
    nearest = listener.get();
    why = here;
  }
  if (nearest == nullptr) {
    return fmt::format(
        "there is no Listener, so nothing is served; add one, for example kind: Listener, metadata: {{name: http, namespace: {}}}, "
        "spec: {{port: 8080, protocol: HTTP, securityModel: XFP, hostBinding: {{namespace: {{from: ALL}}}}}}",
        host.ref.ns);
  }
  if (why.none()) {  // it takes the Host, and is itself not used
    return fmt::format("only {} would take this Host, and that one is not used; see there", nearest->ref.text());
  }
  return fmt::format("no Listener takes this Host. Nearest is {}: {}", nearest->ref.text(), cure(*nearest, host, why));
}

std::string noHost(const Object& listener, const std::vector<const ir::Host*>& hosts, const NamespaceLabels& namespace_labels,
                   bool strict) {
  const ir::Host* nearest = nullptr;
  NotTaken why;
  for (const ir::Host* host : hosts) {
    const NotTaken here = notTaken(listener, *host, namespace_labels, strict);
    if (nearest != nullptr && distance(here) >= distance(why)) continue;
    nearest = host;
    why = here;
  }
  constexpr std::string_view kHead = "No matching Hosts found, so the Listener is not opened";
  if (nearest == nullptr) {
    const auto& spec = std::get<model::Listener>(listener.spec);
    const std::string labels = spec.host_selector ? labelsYaml(*spec.host_selector) : "";
    return fmt::format(
        "{}; no Host can be used. Add one, for example kind: Host, metadata: {{name: all, namespace: {}{}}}, spec: "
        "{{hostname: \"*\"}}",
        kHead, listener.ref.ns, labels.empty() ? "" : ", labels: " + labels);
  }
  return fmt::format("{}. Nearest is {}: {}", kHead, nearest->ref.text(), cure(listener, *nearest, why));
}

std::string nothingToServe(const model::Listener& listener, const std::vector<const ir::Host*>& hosts) {
  const std::string& first = hosts.front()->ref.text();
  if (listener.has(model::Listener::Layer::TLS)) {
    return fmt::format(
        "takes {} Host(s), of which none terminates TLS, and serves no cleartext with securityModel {}, so it is not "
        "opened; write tlsSecret: {{name: …}} in {}",
        hosts.size(), listener.security_model == model::Listener::SecurityModel::SECURE ? "SECURE" : "INSECURE", first);
  }
  return fmt::format(
      "takes {} Host(s), all of which reject insecure requests, and takes every request for insecure, so it is not "
      "opened; write securityModel: XFP, or requestPolicy: {{insecure: {{action: Redirect}}}} in {}",
      hosts.size(), first);
}

}  // namespace emissary::compile
