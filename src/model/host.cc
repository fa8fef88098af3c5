// Host: a host name, its certificate, and what becomes of cleartext requests.

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "model/readers.h"
#include "model/text.h"

namespace emissary::model {
namespace {

using manifest::Value;

/// "host:8443" → "host"; nothing is cut where no port follows, and `bad` is set where what follows is none.
std::string_view withoutPort(std::string_view name, bool& bad) {
  const size_t colon = name.rfind(':');
  if (colon == std::string_view::npos || name.ends_with(']')) return name;
  const std::string_view digits = name.substr(colon + 1);
  int port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  bad = error != std::errc{} || end != digits.data() + digits.size() || port < 1 || port > 65535;
  return name.substr(0, colon);
}

void checkHostname(Fields& spec, const std::string& hostname) {
  bool bad_port = false;
  const std::string_view name = withoutPort(hostname, bad_port);
  if (bad_port) {
    spec.warning("hostname", fmt::format("{} matches no request; a port from 1 to 65535 must follow the ':'", quoted(hostname)));
    return;
  }
  const size_t star = name.find('*');
  const bool one = star == name.rfind('*');
  const bool at_end = star == 0 || star + 1 == name.size();
  if (star != std::string_view::npos && !(one && at_end)) {
    spec.warning("hostname",
                 fmt::format("{} matches no host name; one '*' may stand at the beginning or at the end", quoted(hostname)));
  } else if (name.empty() || name.find_first_of(" /,;@?#\"\\") != std::string_view::npos) {
    spec.warning("hostname", fmt::format("{} is no host name; write a name only, such as shop.example.com", quoted(hostname)));
  }
}

void readTlsSecret(Fields& spec, Host& host) {
  const Value* value = spec.take("tlsSecret");
  if (value == nullptr) return;
  Fields secret(spec.report(), value, spec.path("tlsSecret"));
  secret.read("name", host.tls_secret_name);
  secret.read("namespace", host.tls_secret_namespace);
  if (!host.tls_secret_name.empty() && !isDnsSubdomain(host.tls_secret_name)) {
    secret.refuse("name", fmt::format("{} is no name of a Secret", quoted(host.tls_secret_name)));
  }
  if (!host.tls_secret_namespace.empty() && !isDnsLabel(host.tls_secret_namespace)) {
    secret.refuse("namespace", fmt::format("{} is no name of a namespace", quoted(host.tls_secret_namespace)));
  }
  if (value->isMap() && host.tls_secret_name.empty()) {
    spec.warning("tlsSecret", "names no Secret, so the Host terminates no TLS; write tlsSecret: {name: …}");
  }
  secret.finish();
}

void readTls(Fields& spec, Host& host) {
  readTlsSecret(spec, host);
  if (const Value* value = spec.take("tlsContext")) {
    Fields context(spec.report(), value, spec.path("tlsContext"));
    context.read("name", host.tls_context);
    context.finish();
  }
  if (const Value* value = spec.take("tls")) {
    Fields tls(spec.report(), value, spec.path("tls"));
    TlsSettings settings;
    readTlsSettings(tls, TlsOwner::Host, settings);
    tls.finish();
    host.tls = std::move(settings);
  }
  if (host.tls && !host.tls_context.empty()) spec.refuse("tls", "must not stand beside tlsContext; remove one of them");
  const bool settings = host.tls || !host.tls_context.empty();
  if (settings && host.tls_secret_name.empty()) {
    spec.warning(host.tls ? "tls" : "tlsContext", "has no effect without tlsSecret; the Host terminates no TLS");
  }
}

void readRequestPolicy(Fields& spec, Host& host) {
  static constexpr std::array<std::string_view, 3> kActions = {"Redirect", "Reject", "Route"};
  const Value* value = spec.take("requestPolicy");
  if (value == nullptr) return;
  Fields policy(spec.report(), value, spec.path("requestPolicy"));
  if (const Value* below = policy.take("insecure")) {
    Fields insecure(spec.report(), below, policy.path("insecure"));
    const Value* action = insecure.take("action");
    const bool unset = action == nullptr || (action->isString() && action->string.empty());
    const int choice = unset ? -1 : insecure.readChoice("action", kActions);
    if (choice >= 0) host.insecure_action = static_cast<Host::InsecureAction>(choice);
    int64_t port = 0;
    if (insecure.read("additionalPort", port)) {
      insecure.notice("additionalPort", "has no effect; define a Listener for that port");
    }
    insecure.finish();
  }
  policy.finish();
}

void readSelectors(Fields& spec, Host& host) {
  const auto empty = [](const LabelSelector& s) { return s.match_labels.empty() && s.match_expressions.empty(); };
  LabelSelector selector, deprecated;
  const bool given = readSelector(spec, "mappingSelector", selector);
  const bool given_deprecated = readSelector(spec, "selector", deprecated) && !empty(deprecated);
  if (given && !(empty(selector) && given_deprecated)) {
    host.mapping_selector = std::move(selector);
    if (given_deprecated) spec.warning("selector", "is ignored beside mappingSelector; remove it");
  } else if (given_deprecated) {
    host.mapping_selector = std::move(deprecated);
    spec.notice("selector", "is deprecated; write mappingSelector");
  }
}

/// ACME is not done here, nor by upstream; "authority: none" says that nobody expects it.
void readAcme(Fields& spec, Host& host) {
  const Value* value = spec.take("acmeProvider");
  if (value == nullptr) return;
  Fields acme(spec.report(), value, spec.path("acmeProvider"));
  std::string authority, text;
  acme.read("authority", authority);
  acme.read("email", text);
  acme.read("registration", text);
  if (const Value* key = acme.take("privateKeySecret")) {
    Fields secret(spec.report(), key, acme.path("privateKeySecret"));
    secret.read("name", host.acme_key_name);
    secret.read("namespace", host.acme_key_namespace);
    secret.finish();
  }
  if (!authority.empty() && authority != "none") {
    acme.notice("authority",
                "has no effect, for certificates are not requested by ACME; put one into tlsSecret (cert-manager can)");
  }
  acme.finish();
}

}  // namespace

void readHost(Fields& spec, Object& object) {
  Host host;
  std::string hostname;
  if (spec.read("hostname", hostname) && !hostname.empty()) {
    checkHostname(spec, hostname);
    host.hostname = std::move(hostname);
  }
  readSelectors(spec, host);
  readTls(spec, host);
  readRequestPolicy(spec, host);
  readAcme(spec, host);
  if (const Value* preview = spec.take("previewUrl")) {
    if (preview->isMap()) {
      spec.warning("previewUrl", "has no effect; remove it");
    } else {
      spec.refuse("previewUrl", "must be a map of fields, but is " + describe(*preview));
    }
  }
  object.spec = std::move(host);
}

}  // namespace emissary::model
