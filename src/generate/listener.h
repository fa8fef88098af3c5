#pragma once
// envoy.config.listener.v3.Listener. Holds nothing that changes often: routes, clusters, endpoints and certificates are named, not
// contained, so that their changes drain no connection.

#include "generate/generated.h"
#include "ir/ir.h"

namespace emissary::generate {

Generated listener(const ir::Listener& listener);

/// Names of the SDS secrets.
std::string certificateName(const std::string& ns, const std::string& name);
std::string validationName(const std::string& ns, const std::string& name);

}  // namespace emissary::generate
