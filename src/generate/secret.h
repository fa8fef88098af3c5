#pragma once
// envoy.extensions.transport_sockets.tls.v3.Secret: the only place where a certificate's content goes.

#include <string>

#include "generate/generated.h"
#include "model/kinds.h"

namespace emissary::generate {

Generated certificate(const std::string& resource_name, const model::Secret& secret);
/// `revoked`: the Secret with the revocation list, or null.
Generated validation(const std::string& resource_name, const model::Secret& secret, const model::Secret* revoked = nullptr);

}  // namespace emissary::generate
