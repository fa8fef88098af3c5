#include "generate/tls.h"

#include <algorithm>

#include "generate/common.h"

namespace emissary::generate {
namespace {

namespace tls_v3 = envoy::extensions::transport_sockets::tls::v3;

tls_v3::TlsParameters::TlsProtocol version(const std::string& text) {
  if (text == "v1.0") return tls_v3::TlsParameters::TLSv1_0;
  if (text == "v1.1") return tls_v3::TlsParameters::TLSv1_1;
  if (text == "v1.2") return tls_v3::TlsParameters::TLSv1_2;
  if (text == "v1.3") return tls_v3::TlsParameters::TLSv1_3;
  return tls_v3::TlsParameters::TLS_AUTO;
}

void alpn(const std::string& list, tls_v3::CommonTlsContext* out) {
  size_t start = 0;
  while (start <= list.size()) {
    const size_t end = std::min(list.find(',', start), list.size());
    std::string protocol = list.substr(start, end - start);
    std::erase(protocol, ' ');
    if (!protocol.empty()) out->add_alpn_protocols(protocol);
    start = end + 1;
  }
}

}  // namespace

void tlsParameters(const model::TlsSettings& settings, tls_v3::CommonTlsContext* out) {
  if (!settings.min_version.empty()) out->mutable_tls_params()->set_tls_minimum_protocol_version(version(settings.min_version));
  if (!settings.max_version.empty()) out->mutable_tls_params()->set_tls_maximum_protocol_version(version(settings.max_version));
  for (const std::string& suite : settings.cipher_suites) out->mutable_tls_params()->add_cipher_suites(suite);
  for (const std::string& curve : settings.ecdh_curves) out->mutable_tls_params()->add_ecdh_curves(curve);
  alpn(settings.alpn_protocols, out);
}

void sdsSecret(const std::string& name, tls_v3::SdsSecretConfig* out) {
  out->set_name(name);
  adsSource(out->mutable_sds_config());
}

}  // namespace emissary::generate
