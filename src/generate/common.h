#pragma once
// Small pieces that several Envoy messages share. Only for .cc files of generate/: pulls in protobuf.

#include <envoy/config/core/v3/config_source.pb.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/message.h>

#include "generate/generated.h"
#include "ir/ir.h"

namespace envoy::type::matcher::v3 {
class StringMatcher;
}

namespace emissary::generate {

inline void setMillis(int64_t millis, google::protobuf::Duration* out) {
  out->set_seconds(millis / 1000);
  out->set_nanos(static_cast<int32_t>(millis % 1000 * 1'000'000));
}

/// "Ask the stream you already have."
inline void adsSource(envoy::config::core::v3::ConfigSource* out) {
  out->set_resource_api_version(envoy::config::core::v3::ApiVersion::V3);
  out->mutable_ads();
}

void stringMatcher(const ir::StringMatch& match, envoy::type::matcher::v3::StringMatcher* out);

/// Serialise `message`, unless it breaks a constraint of Envoy's API.
Generated checked(const google::protobuf::Message& message);

}  // namespace emissary::generate
