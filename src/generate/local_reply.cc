#include <envoy/config/accesslog/v3/accesslog.pb.h>

#include "generate/access_log.h"
#include "generate/http_filters.h"

namespace emissary::generate {

void localReplies(const model::HttpSettings& http, HttpConnectionManager& out) {
  for (const model::ErrorResponse& response : http.error_responses) {
    auto* mapper = out.mutable_local_reply_config()->add_mappers();
    auto* status = mapper->mutable_filter()->mutable_status_code_filter()->mutable_comparison();
    status->set_op(envoy::config::accesslog::v3::ComparisonFilter::EQ);
    status->mutable_value()->set_default_value(response.status);
    status->mutable_value()->set_runtime_key("emissary.error_response." + std::to_string(response.status));
    auto* body = mapper->mutable_body_format_override();
    if (response.json.empty()) {
      body->mutable_text_format_source()->set_inline_string(response.text);
    } else {
      jsonFormat(response.json, body);
    }
    body->set_content_type(response.content_type);
  }
}

}  // namespace emissary::generate
