#pragma once
// What terminating and originating TLS have in common. Only for .cc files of generate/: pulls in protobuf.

#include <envoy/extensions/transport_sockets/tls/v3/tls.pb.h>

#include <string>

#include "model/kinds.h"

namespace emissary::generate {

/// Versions, cipher suites, curves, ALPN.
void tlsParameters(const model::TlsSettings& settings, envoy::extensions::transport_sockets::tls::v3::CommonTlsContext* out);

/// "Ask for the SDS secret of this name."
void sdsSecret(const std::string& name, envoy::extensions::transport_sockets::tls::v3::SdsSecretConfig* out);

}  // namespace emissary::generate
