#include "compile/host.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/lower.h"
#include "compile/mapping.h"
#include "compile/secret_name.h"

namespace emissary::compile {
namespace {

class HostCompiler {
 public:
  HostCompiler(const Object& object, const HostLookups& lookups)
      : object_(object), spec_(std::get<model::Host>(object.spec)), lookups_(lookups) {}

  HostResult run() {
    ir::Host host;
    host.ref = object_.ref;
    host.hostname = lower(spec_.hostname);
    host.insecure_action = spec_.insecure_action;
    host.mapping_selector = spec_.mapping_selector;
    host.labels = object_.labels;
    if (!spec_.tls_secret_name.empty()) {
      std::optional<ir::TlsTermination> tls = termination();
      if (!tls) return std::move(result_);
      host.tls = std::move(tls);
    }
    acmeKey();
    result_.host = std::move(host);
    return std::move(result_);
  }

 private:
  void error(std::string field, std::string message, About about = About::Content, Severity severity = Severity::Error) {
    result_.findings.push_back(findingOn(object_, severity, std::move(field), std::move(message), about));
  }

  // Nothing but its absence shows.
  void acmeKey() {
    if (spec_.acme_key_name.empty()) return;
    const SecretName key{spec_.acme_key_namespace.empty() ? object_.ref.ns : spec_.acme_key_namespace, spec_.acme_key_name};
    if (lookups_.secret(key.ns, key.name).exists) return;
    error("spec.acmeProvider.privateKeySecret",
          fmt::format("names Secret {}/{}, which does not exist. Certificates are not requested by ACME here; remove the field",
                      key.ns, key.name),
          About::MissingSecret);
  }

  // A dot may be part of the name; where no Secret is called so, a namespace follows it.
  SecretName certificate() const {
    const std::string& name = spec_.tls_secret_name;
    if (!spec_.tls_secret_namespace.empty()) return {spec_.tls_secret_namespace, name};
    const SecretName whole{object_.ref.ns, name}, split = secretName(name, object_.ref.ns, lookups_.secret_namespacing);
    return split != whole && !lookups_.secret(whole.ns, whole.name).exists && lookups_.secret(split.ns, split.name).exists ? split
                                                                                                                           : whole;
  }

  std::optional<ir::TlsTermination> termination() {
    const SecretName secret = certificate();
    const SecretState state = lookups_.secret(secret.ns, secret.name);
    if (!state.exists || !state.has_certificate || !state.problem.empty()) {
      const std::string why = !state.exists ? "does not exist; create it"
                              : !state.problem.empty()
                                  ? "cannot be used: " + state.problem
                                  : "holds no certificate with its key; it needs tls.crt and tls.key, and type kubernetes.io/tls";
      error("spec.tlsSecret", fmt::format("Secret {}/{} {}. The Host is not served until then", secret.ns, secret.name, why),
            state.exists ? About::BadSecret : About::MissingSecret);
      return std::nullopt;
    }
    ir::TlsTermination tls;
    tls.secret_namespace = secret.ns;
    tls.secret_name = secret.name;
    if (spec_.tls) {
      tls.settings = *spec_.tls;
      from_ = {"spec.tls", "", object_.ref.ns, lookups_.secret_namespacing};
    } else if (!context(tls, secret)) {
      return std::nullopt;
    }
    if (!clientCertificates(tls, state)) return std::nullopt;
    if (!tls.settings.sni.empty())
      tell("sni", "has no effect where TLS is terminated; remove it", About::Content, Severity::Warning);
    tls.settings.ca_secret.clear();
    tls.settings.crl_secret.clear();
    tls.settings.cert_required.reset();
    tls.settings.sni.clear();
    return tls;
  }

  // The TLSContext named, or the one called "<host>-context".
  bool context(ir::TlsTermination& tls, const SecretName& secret) {
    const bool named = !spec_.tls_context.empty();
    const std::string name = named ? spec_.tls_context : object_.ref.name + "-context";
    from_ = {"spec.tlsContext", "", object_.ref.ns, lookups_.secret_namespacing};
    const ObjectPtr found = lookups_.tls_context(name, object_.ref.ns);
    if (!found) {
      if (named)
        error("spec.tlsContext.name", fmt::format("names the TLSContext \"{}\", which does not exist; create it", name),
              About::MissingReference);
      return !named;
    }
    if (!found->usable) {
      error("spec.tlsContext.name", fmt::format("names {}, which is not usable itself", found->ref.text()), About::BadReference);
      return false;
    }
    const auto& context = std::get<model::TlsContext>(found->spec);
    from_.context = found->ref.text();
    from_.ns = found->ref.ns;
    from_.namespacing = context.secret_namespacing.value_or(lookups_.secret_namespacing);
    if (!context.secret.empty() && secretName(context.secret, found->ref.ns, from_.namespacing) != secret) {
      error("spec.tlsSecret",
            fmt::format("differs from the Secret \"{}\" of {}; name the same, or none there", context.secret, found->ref.text()));
      return false;
    }
    const auto& hosts = context.hosts;
    const auto lists = [&](const std::string& text) { return std::find(hosts.begin(), hosts.end(), text) != hosts.end(); };
    if (!hosts.empty() && !lists(spec_.hostname) && !lists(object_.ref.name)) {
      error("spec.tlsContext.name",
            fmt::format("names {}, whose hosts do not list \"{}\"; it is used all the same", found->ref.text(), spec_.hostname),
            About::Content, Severity::Warning);
    }
    tls.settings = context.settings;
    return true;
  }

  // Asking for less than was written would let clients in that must stay out: what is missing takes the Host out of use.
  bool clientCertificates(ir::TlsTermination& tls, const SecretState& own) {
    std::optional<bool> required = tls.settings.cert_required;
    if (!tls.settings.ca_secret.empty()) {
      const SecretName ca = secretName(tls.settings.ca_secret, from_.ns, from_.namespacing);
      const SecretState state = lookups_.secret(ca.ns, ca.name);
      if (!state.has_ca) {
        notServed("ca_secret", ca, state, "holds no certificate authority (tls.crt or ca.crt)", state.ca_problem);
        return false;
      }
      tls.ca_namespace = ca.ns;
      tls.ca_name = ca.name;
      if (!required) required = state.cert_required;
    } else if (own.bundles_ca) {
      if (!own.has_ca) {
        error("spec.tlsSecret",
              "the CA beside the certificate (root-cert.pem) cannot be used: " + own.ca_problem +
                  ". The Host is not served until then",
              About::BadSecret);
        return false;
      }
      tls.ca_namespace = tls.secret_namespace;
      tls.ca_name = tls.secret_name;
      if (!required) required = own.cert_required;
    }
    tls.client_certificate_required = required.value_or(false);
    if (tls.client_certificate_required && tls.ca_name.empty()) {
      tell("cert_required", "is true without a ca_secret to verify clients by; name one. The Host is not served until then");
      return false;
    }
    return revocation(tls);
  }

  bool revocation(ir::TlsTermination& tls) {
    if (tls.settings.crl_secret.empty()) return true;
    if (tls.ca_name.empty()) {
      tell("crl_secret", "needs a ca_secret, whose certificates it revokes; name one. The Host is not served until then");
      return false;
    }
    const SecretName crl = secretName(tls.settings.crl_secret, from_.ns, from_.namespacing);
    const SecretState state = lookups_.secret(crl.ns, crl.name);
    if (!state.has_crl) {
      notServed("crl_secret", crl, state, "holds no revocation list (crl.pem)", state.crl_problem);
      return false;
    }
    tls.crl_namespace = crl.ns;
    tls.crl_name = crl.name;
    return true;
  }

  void notServed(std::string_view field, const SecretName& secret, const SecretState& state, const std::string& lacks,
                 const std::string& problem) {
    const std::string why = !state.exists ? "does not exist" : problem.empty() ? lacks : "cannot be used: " + problem;
    tell(field, fmt::format("names Secret {}/{}, which {}. The Host is not served until then", secret.ns, secret.name, why),
         state.exists ? About::BadSecret : About::MissingSecret);
  }

  // On a setting, which stands in the Host's own `tls` or in a TLSContext.
  void tell(std::string_view setting, std::string message, About about = About::Content, Severity severity = Severity::Error) {
    if (from_.context.empty()) {
      error(fmt::format("{}.{}", from_.field, setting), std::move(message), about, severity);
    } else {
      error(from_.field, fmt::format("{} of {} {}", setting, from_.context, message), about, severity);
    }
  }

  /// Where the TLS settings stand.
  struct Source {
    std::string field;
    std::string context;  // the TLSContext; "" : the Host's own
    std::string ns;
    bool namespacing = true;
  };

  const Object& object_;
  const model::Host& spec_;
  const HostLookups& lookups_;
  HostResult result_;
  Source from_;
};

}  // namespace

HostResult compileHost(const Object& object, const HostLookups& lookups) { return HostCompiler(object, lookups).run(); }

ir::Host defaultHost(const Installation& installation, const SecretState& fallback) {
  ir::Host host;
  host.ref = {Kind::Host, installation.ns, "default-host"};
  host.hostname = "*";
  if (fallback.exists && fallback.has_certificate && fallback.problem.empty()) {
    host.tls.emplace();
    host.tls->secret_namespace = installation.ns;
    host.tls->secret_name = kFallbackSecret;
  } else {
    host.insecure_action = model::Host::InsecureAction::Route;
  }
  return host;
}

}  // namespace emissary::compile
