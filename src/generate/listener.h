#pragma once
// envoy.config.listener.v3.Listener. Holds nothing that changes often: routes, clusters, endpoints and certificates are named, not
// contained, so that their changes drain no connection.

#include "generate/generated.h"
#include "ir/envoy_build.h"
#include "ir/ir.h"

namespace emissary::generate {

Generated listener(const ir::Listener& listener, const ir::EnvoyBuild& envoy);

/// Names of the SDS secrets.
std::string certificateName(const std::string& ns, const std::string& name);
/// A CA by itself, or with what it revoked: Envoy takes both as one resource.
std::string validationName(const std::string& ns, const std::string& name, const std::string& crl_ns = {},
                           const std::string& crl_name = {});
inline std::string validationName(const ir::TlsTermination& tls) {
  return validationName(tls.ca_namespace, tls.ca_name, tls.crl_namespace, tls.crl_name);
}

}  // namespace emissary::generate
