#pragma once
// envoy.extensions.transport_sockets.tls.v3.Secret: the only place where a certificate's content goes.

#include <string>

#include "generate/generated.h"
#include "model/kinds.h"

namespace emissary::generate {

Generated certificate(const std::string& resource_name, const model::Secret& secret);
Generated validation(const std::string& resource_name, const model::Secret& secret);

}  // namespace emissary::generate
