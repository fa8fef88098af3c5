#pragma once
// What a client tells of itself in its first request. Only for .cc files: pulls in protobuf.

#include <envoy/config/core/v3/base.pb.h>

#include "ir/envoy_build.h"

namespace emissary::serve {

/// Tells in the log what it is and what it lacks.
ir::EnvoyBuild buildOf(const envoy::config::core::v3::Node& node);

/// "1.40.1", "1.40.1-acme"; "" when it is not told.
std::string versionOf(const envoy::config::core::v3::Node& node);

}  // namespace emissary::serve
