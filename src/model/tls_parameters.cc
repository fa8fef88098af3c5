// What of TLS settings goes to BoringSSL as text: it refuses what it does not know, and Envoy then refuses the whole resource.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/readers.h"
#include "model/text.h"

namespace emissary::model {
namespace {

/// Taken by the Envoys 1.37 to 1.40 alike, each tried. Without those of pre-shared keys, which nobody can set here.
constexpr std::array<std::string_view, 40> kCiphers = {
    "AES128-GCM-SHA256",
    "AES128-SHA",
    "AES256-GCM-SHA384",
    "AES256-SHA",
    "DES-CBC3-SHA",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES256-SHA",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-SHA",
    "ECDHE-RSA-AES128-SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-SHA",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    // names of sets
    "AES128",
    "ALL",
    "ECDHE+AESGCM",
    "HIGH",
    "SSLv3",
    "TLSv1",
    "TLSv1.2",
    "kRSA",
};
constexpr std::array<std::string_view, 9> kCurves = {"P-256",     "P-384",     "P-521",  "X25519",        "prime256v1",
                                                     "secp384r1", "secp521r1", "x25519", "X25519MLKEM768"};
constexpr size_t kMaxProtocol = 255;
constexpr size_t kMaxProtocols = 65535;

template <size_t N>
bool known(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// One suite, or "[A|B]": of these the client chooses.
bool knownCipher(std::string_view name) {
  if (!name.starts_with('[') || !name.ends_with(']')) return known(kCiphers, name);
  name = name.substr(1, name.size() - 2);
  while (true) {
    const size_t bar = name.find('|');
    if (!known(kCiphers, name.substr(0, bar))) return false;
    if (bar == std::string_view::npos) return true;
    name.remove_prefix(bar + 1);
  }
}

std::string cipherRemark(std::string_view name) {
  static constexpr std::array<std::string_view, 3> kOf13 = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                                            "TLS_CHACHA20_POLY1305_SHA256"};
  if (known(kOf13, name)) return "belongs to TLS 1.3, whose suites cannot be chosen and are always on; remove it";
  return "is no cipher suite that Envoy knows; write for example ECDHE-ECDSA-AES128-GCM-SHA256";
}

std::string curveRemark(std::string_view) {
  return fmt::format("is no curve that Envoy knows; write one of {}", fmt::join(kCurves, ", "));
}

void keepKnown(Fields& fields, std::string_view name, std::vector<std::string>& out, bool (*good)(std::string_view),
               std::string (*remark)(std::string_view)) {
  std::vector<std::string> all;
  if (!fields.read(name, all)) return;
  std::vector<std::string> split;  // "A:B" in one item counts as two
  for (const std::string& item : all) {
    for (size_t start = 0; start <= item.size();) {
      const size_t end = std::min(item.find(':', start), item.size());
      if (end > start) split.push_back(item.substr(start, end - start));
      start = end + 1;
    }
  }
  std::vector<std::string> bad;
  for (std::string& item : split) {
    if (!good(item)) {
      bad.push_back(std::move(item));
    } else if (std::find(out.begin(), out.end(), item) == out.end()) {
      out.push_back(std::move(item));
    }
  }
  if (bad.empty()) return;
  const std::string which =
      fmt::format("{}{} {}", quoted(bad.front()), bad.size() > 1 ? fmt::format(" (and {} more like it)", bad.size() - 1) : "",
                  remark(bad.front()));
  if (out.empty()) {
    // All that Envoy knows would be more than was asked for.
    fields.refuse(name, which + ". Nothing is left of the list");
  } else {
    fields.error(name, which + ". The others of the list are used");
  }
}

}  // namespace

void readCipherSuites(Fields& fields, std::string_view name, std::vector<std::string>& out) {
  keepKnown(fields, name, out, knownCipher, cipherRemark);
}

void readCurves(Fields& fields, std::string_view name, std::vector<std::string>& out) {
  keepKnown(fields, name, out, [](std::string_view curve) { return known(kCurves, curve); }, curveRemark);
}

void readAlpn(Fields& fields, std::string_view name, std::string& out) {
  std::string text;
  if (!fields.read(name, text)) return;
  size_t total = 0, dropped = 0;
  for (size_t start = 0; start <= text.size();) {
    const size_t end = std::min(text.find(',', start), text.size());
    std::string protocol = text.substr(start, end - start);
    start = end + 1;
    std::erase(protocol, ' ');
    if (protocol.empty()) continue;
    total += protocol.size() + 1;
    if (protocol.size() > kMaxProtocol || total > kMaxProtocols) {
      ++dropped;
      continue;
    }
    out += (out.empty() ? "" : ",") + protocol;
  }
  if (dropped > 0) {
    fields.error(name,
                 fmt::format("holds names that are too long for TLS ({} left out); write for example \"h2,http/1.1\"", dropped));
  }
}

}  // namespace emissary::model
