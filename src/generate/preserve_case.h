#pragma once
// HTTP/1 with the names of headers as the peer wrote them. Each side keeps what it reads; so both must.

#include <envoy/config/core/v3/protocol.pb.h>
#include <envoy/extensions/http/header_formatters/preserve_case/v3/preserve_case.pb.h>

#include "generate/any.h"

namespace emissary::generate {

inline void preserveCase(envoy::config::core::v3::Http1ProtocolOptions& out) {
  auto* formatter = out.mutable_header_key_format()->mutable_stateful_formatter();
  formatter->set_name("preserve_case");
  packAny(envoy::extensions::http::header_formatters::preserve_case::v3::PreserveCaseFormatterConfig(),
          formatter->mutable_typed_config());
}

}  // namespace emissary::generate
