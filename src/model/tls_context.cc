// TLSContext, and the TLS settings that it shares with a Host's `tls`.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/readers.h"
#include "model/text.h"

namespace emissary::model {
namespace {

using manifest::Value;

constexpr std::array<std::string_view, 4> kVersions = {"v1.0", "v1.1", "v1.2", "v1.3"};

struct Spelling {
  std::string_view name;
  std::string_view camel;
};

/// Index of the version, -1 when absent or not used.
int readVersion(Fields& fields, std::string_view name, TlsOwner owner, std::string& out) {
  const Value* value = fields.take(name);
  if (value == nullptr || (value->isString() && value->string.empty())) return -1;
  if (value->isString() && std::find(kVersions.begin(), kVersions.end(), value->string) == kVersions.end()) {
    std::string message = fmt::format("must be one of {}, but is {}", fmt::join(kVersions, ", "), describe(*value));
    if (owner == TlsOwner::Host) {
      fields.refuse(name, std::move(message));
    } else {
      fields.error(name, message + "; the TLSContext is used without it");
    }
    return -1;
  }
  if (!fields.read(name, out)) return -1;
  return static_cast<int>(std::find(kVersions.begin(), kVersions.end(), out) - kVersions.begin());
}

/// It has no effect since 2.0, so a wrong one costs nothing.
void readRedirectPort(Fields& fields, std::string_view name) {
  const Value* value = fields.take(name);
  if (value != nullptr && !wholeNumber(*value)) {
    fields.error(name, fmt::format("must be a whole number, but is {}; it is not used", describe(*value)));
  }
}

/// Who may connect hangs on these: without them a connection would be let in that its owner meant to keep out.
void refuseUnread(Fields& fields, std::string_view name) {
  std::string text;
  if (!fields.read(name, text) || text.empty()) return;
  fields.refuse(name,
                "is not acted on in this version; without it peers would not be checked as it asks, so this object is not used");
}

}  // namespace

void readTlsSettings(Fields& fields, TlsOwner owner, TlsSettings& out) {
  const auto name = [&](Spelling spelling) {
    return owner == TlsOwner::Host ? fields.alias(spelling.name, spelling.camel) : spelling.name;
  };
  readAlpn(fields, name({"alpn_protocols", "alpnProtocols"}), out.alpn_protocols);
  const std::string_view min_name = name({"min_tls_version", "minTlsVersion"});
  const std::string_view max_name = name({"max_tls_version", "maxTlsVersion"});
  const int min = readVersion(fields, min_name, owner, out.min_version);
  const int max = readVersion(fields, max_name, owner, out.max_version);
  if (min >= 0 && max >= 0 && min > max) {
    fields.refuse(max_name, fmt::format("{} is below {}, {}; no version is left", out.max_version, min_name, out.min_version));
  } else if (min < 0 && (max == 0 || max == 1)) {
    fields.warning(max_name, fmt::format("{} leaves no version, since Envoy starts at v1.2 unless {} is written too",
                                         out.max_version, min_name));
  }
  readCipherSuites(fields, name({"cipher_suites", "cipherSuites"}), out.cipher_suites);
  readCurves(fields, name({"ecdh_curves", "ecdhCurves"}), out.ecdh_curves);
  fields.read(name({"ca_secret", "caSecret"}), out.ca_secret);
  fields.read(name({"cert_required", "certRequired"}), out.cert_required);
  fields.read("sni", out.sni);
  readRedirectPort(fields, name({"redirect_cleartext_from", "redirectCleartextFrom"}));

  const std::string_view chain = name({"cert_chain_file", "certChainFile"});
  const std::string_view key = name({"private_key_file", "privateKeyFile"});
  if (fields.has(chain) && !fields.has(key)) fields.refuse(chain, "needs private_key_file beside it");
  fields.ignore(chain, kText);
  fields.ignore(key, kText);
  refuseUnread(fields, name({"cacert_chain_file", "cacertChainFile"}));
  fields.read(name({"crl_secret", "crlSecret"}), out.crl_secret);
  refuseUnread(fields, name({"crl_file", "crlFile"}));
}

void readTlsContext(Fields& spec, Object& object) {
  TlsContext context;
  spec.read("hosts", context.hosts);
  spec.read("secret", context.secret);
  spec.read("secret_namespacing", context.secret_namespacing);
  readTlsSettings(spec, TlsOwner::Context, context.settings);
  if (!context.secret.empty() && spec.has("cert_chain_file")) {
    spec.refuse("cert_chain_file", "must not stand beside secret; remove one of them");
  }
  object.spec = std::move(context);
}

}  // namespace emissary::model
