#include "compile/origination.h"

#include <fmt/format.h>

#include "compile/secret_name.h"
#include "compile/service_text.h"

namespace emissary::compile {
namespace {

constexpr size_t kMaxServerName = 255;  // of Envoy's

class Originator {
 public:
  Originator(const UpstreamRequest& request, const Object& source, const MappingContext& context, const FindingSink& find)
      : request_(request),
        source_(source),
        spec_(std::get<model::TlsContext>(source.spec)),
        context_(context),
        find_(find),
        namespacing_(spec_.secret_namespacing.value_or(context.module.tls_secret_namespacing.value_or(true))) {}

  /// False, with a finding: it cannot be used.
  bool run(ir::TlsOrigination& out) {
    const model::TlsSettings& settings = spec_.settings;
    if (!settings.cert_chain_file.empty() || !settings.private_key_file.empty() || !settings.cacert_chain_file.empty() ||
        !settings.crl_file.empty()) {
      return fail("names files, which no TLSContext may do here; put their content into Secrets", About::BadReference);
    }
    if (!spec_.secret.empty() && !clientCertificate(out)) return false;
    if (!settings.ca_secret.empty() && !authority(out)) return false;
    if (!settings.crl_secret.empty() && !revocations(out)) return false;
    out.settings = settings;
    out.settings.ca_secret.clear();
    out.settings.crl_secret.clear();
    out.settings.sni.clear();
    if (out.settings.cert_required.value_or(false)) {
      find_(Severity::Warning, "spec.tls",
            fmt::format("names {}, whose cert_required asks for certificates of clients; it has no effect towards a service",
                        source_.ref.text()),
            About::Content);
    }
    out.settings.cert_required.reset();
    return true;
  }

 private:
  bool fail(const std::string& why, About about) {
    find_(Severity::Error, "spec.tls", fmt::format("names {}, which {}. {}", source_.ref.text(), why, request_.consequence), about);
    return false;
  }

  bool clientCertificate(ir::TlsOrigination& out) {
    const SecretName secret = secretName(spec_.secret, source_.ref.ns, namespacing_);
    const SecretState state = context_.secret(secret.ns, secret.name);
    const std::string named = fmt::format("names Secret {}/{}, which ", secret.ns, secret.name);
    if (!state.exists) return fail(named + "does not exist; create it", About::MissingSecret);
    if (!state.has_certificate) return fail(named + "holds no certificate; it needs tls.crt and tls.key", About::BadSecret);
    if (!state.problem.empty()) return fail(named + "cannot be used: " + state.problem, About::BadSecret);
    out.secret_namespace = secret.ns;
    out.secret_name = secret.name;
    if (state.bundles_ca && spec_.settings.ca_secret.empty()) {
      out.ca_namespace = secret.ns;
      out.ca_name = secret.name;
    }
    return true;
  }

  bool authority(ir::TlsOrigination& out) {
    const SecretName ca = secretName(spec_.settings.ca_secret, source_.ref.ns, namespacing_);
    const SecretState state = context_.secret(ca.ns, ca.name);
    const std::string named = fmt::format("names Secret {}/{} as ca_secret, which ", ca.ns, ca.name);
    if (!state.exists) return fail(named + "does not exist; create it", About::MissingSecret);
    if (!state.has_ca) return fail(named + "holds no certificate authority (tls.crt)", About::BadSecret);
    out.ca_namespace = ca.ns;
    out.ca_name = ca.name;
    return true;
  }

  bool revocations(ir::TlsOrigination& out) {
    const SecretName crl = secretName(spec_.settings.crl_secret, source_.ref.ns, namespacing_);
    if (out.ca_name.empty())
      return fail("has a crl_secret but no ca_secret to verify certificates by; name one", About::BadReference);
    const SecretState state = context_.secret(crl.ns, crl.name);
    if (!state.exists || !state.has_crl) {
      return fail(fmt::format("names Secret {}/{} as crl_secret, which {}", crl.ns, crl.name,
                              state.exists ? "holds no revocation list (crl.pem)" : "does not exist; create it"),
                  state.exists ? About::BadSecret : About::MissingSecret);
    }
    out.crl_namespace = crl.ns;
    out.crl_name = crl.name;
    return true;
  }

  const UpstreamRequest& request_;
  const Object& source_;
  const model::TlsContext& spec_;
  const MappingContext& context_;
  const FindingSink& find_;
  const bool namespacing_;
};

/// A name without port, brackets and the dot that ends an absolute one.
std::string plainName(std::string_view name) {
  if (name.starts_with('[')) {
    name = name.substr(1, name.find(']') - 1);
  } else if (!isIpAddress(name)) {
    name = name.substr(0, name.find(':'));
  }
  if (name.ends_with('.')) name.remove_suffix(1);
  return std::string(name);
}

}  // namespace

Origination originate(const Object& object, const UpstreamRequest& request, std::string_view scheme, std::string_view host,
                      const MappingContext& context, const FindingSink& find) {
  Origination out;
  const std::string name = request.tls.value_or("");
  if (name.empty() && scheme != "https") return out;

  ObjectPtr source;
  ir::TlsOrigination tls;
  if (!name.empty()) {
    source = context.tls_context(name, object.ref.ns);
    out.failed = true;
    if (!source) {
      find(Severity::Error, "spec.tls",
           fmt::format("names the TLSContext {}, which does not exist; create it. {}", name, request.consequence),
           About::MissingReference);
      return out;
    }
    if (!source->usable) {
      find(Severity::Error, "spec.tls",
           fmt::format("names {}, which is not usable itself. {}", source->ref.text(), request.consequence), About::BadReference);
      return out;
    }
    if (!Originator(request, *source, context, find).run(tls)) return out;
    out.failed = false;
    out.context = source->ref.name + "." + source->ref.ns;
    if (scheme == "http") {
      find(Severity::Error, "spec.service",
           "begins with http:// beside tls, which contradict each other; TLS is used. Write https://, or remove tls",
           About::Content);
    }
  }
  // What the server is called: as the context says, or as requests name it, or as the service is called.
  const std::string& wanted = source ? std::get<model::TlsContext>(source->spec).settings.sni : std::string();
  std::string server = plainName(!wanted.empty() ? wanted : !request.host_rewrite.empty() ? request.host_rewrite : host);
  if (server.empty()) server = plainName(host);  // with no name any certificate would do
  if (server.size() > kMaxServerName) {
    out.failed = true;
    find(Severity::Error,
         !wanted.empty()                 ? "spec.tls"
         : !request.host_rewrite.empty() ? "spec.host_rewrite"
                                         : "spec.service",
         fmt::format(
             "makes the name that TLS asks for {} bytes long, where {} are the most; write another as sni into a TLSContext. {}",
             server.size(), kMaxServerName, request.consequence),
         About::Content);
    return out;
  }
  if (!isIpAddress(server)) tls.sni = server;
  // An authority beside the certificate is a mesh's, whose certificates name identities rather than hosts.
  const bool by_name = source && (!wanted.empty() || !std::get<model::TlsContext>(source->spec).settings.ca_secret.empty());
  if (!tls.ca_name.empty() && by_name) tls.verify_name = server;
  out.tls = std::move(tls);
  return out;
}

}  // namespace emissary::compile
