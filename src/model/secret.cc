// Secret (core/v1) of the types that may hold a certificate. No value of one may stand in a finding.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/base64.h"
#include "base/lower.h"
#include "model/certificate.h"
#include "model/readers.h"

namespace emissary::model {
namespace {

using manifest::Value;

constexpr std::array<std::string_view, 3> kSecretTypes = {"Opaque", "kubernetes.io/tls", "istio.io/key-and-cert"};
/// Well above the API server's bound of 1 MiB.
constexpr size_t kMaxEncoded = 4u << 20;

/// Keys of the data that mean something, and where each goes; of two for one place the first counts.
struct DataKey {
  std::string_view name;
  std::string Secret::* target;
};
constexpr std::array kKeys = {
    DataKey{"tls.crt", &Secret::certificate}, DataKey{"cert-chain.pem", &Secret::certificate}, DataKey{"tls.key", &Secret::key},
    DataKey{"key.pem", &Secret::key},         DataKey{"root-cert.pem", &Secret::ca},           DataKey{"crl.pem", &Secret::crl},
    DataKey{"user.key", &Secret::crl},
};

/// The map under `name`; null pointer when absent or wrong (the object is refused).
const Value* mapOf(const Value& document, std::string_view name, Report& report) {
  const Value* value = document.find(name);
  if (value == nullptr || value->isNull() || value->isMap()) return value;
  report.refuse(std::string(name), value->line,
                fmt::format("must be a map of texts, but is a {}", value->isList() ? "list" : "single value"));
  return nullptr;
}

/// The value of one key; nothing when absent or wrong.
std::optional<std::string> readKey(const Value* data, const Value* string_data, std::string_view key, Report& report) {
  const auto refuse = [&](std::string_view where, const Value& value, std::string message) {
    report.refuse(fmt::format("{}.{}", where, key), value.line, std::move(message));
    return std::nullopt;
  };
  const Value* plain = string_data != nullptr ? string_data->find(key) : nullptr;
  if (plain != nullptr && !plain->isNull()) {
    if (!plain->isString()) return refuse("stringData", *plain, "must be text");
    return plain->string;
  }
  const Value* encoded = data != nullptr ? data->find(key) : nullptr;
  if (encoded == nullptr || encoded->isNull()) return std::nullopt;
  if (!encoded->isString()) return refuse("data", *encoded, "must be text in base64");
  if (encoded->string.size() > kMaxEncoded) return refuse("data", *encoded, fmt::format("is longer than {} bytes", kMaxEncoded));
  auto decoded = decodeBase64(encoded->string);
  if (!decoded) return refuse("data", *encoded, "is no base64; encode the file with base64, or write it under stringData as it is");
  return decoded;
}

/// `ca.crt` stands in most Secrets of cert-manager, beside a certificate that nobody wants clients verified for: it counts only
/// where there is nothing else.
void chooseAuthority(const Value* data, const Value* string_data, Secret& secret, bool& any, Report& report) {
  if (!secret.ca.empty()) return;
  if (!secret.certificate.empty()) {
    if (secret.key.empty()) secret.ca = secret.certificate;
    return;
  }
  if (auto value = readKey(data, string_data, "ca.crt", report)) {
    any = true;
    secret.ca = std::move(*value);
  }
}

std::optional<bool> readFlag(const Value* data, const Value* string_data, std::string_view key, Report& report) {
  const auto value = readKey(data, string_data, key, report);
  if (!value) return std::nullopt;
  std::string text = *value;
  std::erase_if(text, [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; });
  text = lower(text);
  return text != "false" && text != "0" && text != "no" && !text.empty();
}

}  // namespace

void readSecret(const Value& document, Report& report) {
  const std::string_view type = document.text("type");
  if (!type.empty() && std::find(kSecretTypes.begin(), kSecretTypes.end(), type) == kSecretTypes.end()) return;
  Secret secret;
  secret.type = type.empty() ? "Opaque" : type;
  const Value* data = mapOf(document, "data", report);
  const Value* string_data = mapOf(document, "stringData", report);
  bool any = false;
  for (const DataKey& key : kKeys) {
    auto value = readKey(data, string_data, key.name, report);
    if (!value) continue;
    any = true;
    std::string& target = secret.*key.target;
    if (target.empty()) target = std::move(*value);
  }
  chooseAuthority(data, string_data, secret, any, report);
  if (!any) return;  // not for us
  secret.cert_required = readFlag(data, string_data, "cert_required", report);
  PairCheck check = checkPair(secret.certificate, secret.key);
  secret.pair_problem = std::move(check.problem);
  secret.not_before = check.not_before;
  secret.not_after = check.not_after;
  const std::string& authority = secret.ca.empty() ? secret.certificate : secret.ca;
  if (!authority.empty()) secret.ca_problem = authorityProblem(authority);
  if (!secret.crl.empty()) secret.crl_problem = revocationProblem(secret.crl);
  report.object().spec = std::move(secret);
}

}  // namespace emissary::model
