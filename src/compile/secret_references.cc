#include "compile/secret_references.h"

#include <optional>
#include <utility>

namespace emissary::compile {
namespace {

class Collector {
 public:
  Collector(const std::string& ns, std::vector<SecretReference>& out) : ns_(ns), out_(out) {}

  void add(SecretName secret, std::string field, bool likely = true) {
    if (!secret.name.empty() && !secret.ns.empty()) out_.push_back({std::move(secret), std::move(field), likely});
  }
  /// `namespacing` absent: the Module decides, which usually says yes.
  void addNamed(const std::string& text, std::string field, const std::optional<bool>& namespacing) {
    if (text.empty()) return;
    const SecretName split = secretName(text, ns_, true), whole = secretName(text, ns_, false);
    if (namespacing.value_or(true)) add(split, field);
    if (!namespacing.value_or(false) && (whole != split || namespacing)) add(whole, std::move(field), namespacing.has_value());
  }
  void addSettings(const model::TlsSettings& tls, const std::string& path, const std::optional<bool>& namespacing) {
    addNamed(tls.ca_secret, path + "ca_secret", namespacing);
    addNamed(tls.crl_secret, path + "crl_secret", namespacing);
  }

 private:
  const std::string& ns_;
  std::vector<SecretReference>& out_;
};

void addHost(const Object& object, const model::Host& host, Collector& out) {
  const std::string& ns = object.ref.ns;
  if (!host.tls_secret_namespace.empty()) {
    out.add({host.tls_secret_namespace, host.tls_secret_name}, "spec.tlsSecret");
  } else {
    const SecretName whole{ns, host.tls_secret_name}, split = secretName(host.tls_secret_name, ns, true);
    out.add(whole, "spec.tlsSecret");
    if (split != whole) out.add(split, "spec.tlsSecret", false);
  }
  const std::string& acme = host.acme_key_namespace.empty() ? ns : host.acme_key_namespace;
  out.add({acme, host.acme_key_name}, "spec.acmeProvider.privateKeySecret", false);
  if (host.tls) out.addSettings(*host.tls, "spec.tls.", std::nullopt);
}

void addOwn(const Object& object, std::vector<SecretReference>& out) {
  Collector collector(object.ref.ns, out);
  if (const auto* host = std::get_if<model::Host>(&object.spec)) {
    addHost(object, *host, collector);
  } else if (const auto* context = std::get_if<model::TlsContext>(&object.spec)) {
    collector.addNamed(context->secret, "spec.secret", context->secret_namespacing);
    collector.addSettings(context->settings, "spec.", context->secret_namespacing);
  }
}

}  // namespace

std::vector<SecretReference> secretReferences(const Object& object, std::string_view id) {
  std::vector<SecretReference> out;
  addOwn(object, out);
  for (const ObjectPtr& annotated : object.annotated) {
    if (annotated->isFor(id)) addOwn(*annotated, out);
  }
  return out;
}

}  // namespace emissary::compile
