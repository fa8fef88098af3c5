#include "generate/secret.h"

#include <envoy/extensions/transport_sockets/tls/v3/secret.pb.h>

#include "generate/any.h"
#include "generate/common.h"

namespace emissary::generate {

Generated certificate(const std::string& resource_name, const model::Secret& secret) {
  envoy::extensions::transport_sockets::tls::v3::Secret out;
  out.set_name(resource_name);
  out.mutable_tls_certificate()->mutable_certificate_chain()->set_inline_bytes(secret.certificate);
  out.mutable_tls_certificate()->mutable_private_key()->set_inline_bytes(secret.key);
  return checked(out);
}

Generated validation(const std::string& resource_name, const model::Secret& secret, const model::Secret* revoked) {
  envoy::extensions::transport_sockets::tls::v3::Secret out;
  out.set_name(resource_name);
  out.mutable_validation_context()->mutable_trusted_ca()->set_inline_bytes(secret.ca.empty() ? secret.certificate : secret.ca);
  if (revoked != nullptr) out.mutable_validation_context()->mutable_crl()->set_inline_bytes(revoked->crl);
  return checked(out);
}

}  // namespace emissary::generate
