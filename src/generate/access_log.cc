#include "generate/access_log.h"

#include <envoy/extensions/access_loggers/file/v3/file.pb.h>
#include <envoy/extensions/access_loggers/stream/v3/stream.pb.h>

#include <string_view>

#include "generate/any.h"
#include "model/format_text.h"

namespace emissary::generate {
namespace {

using envoy::config::core::v3::SubstitutionFormatString;

// Scripts parse this line: it is upstream's.
constexpr std::string_view kText =
    "ACCESS [%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% %RESPONSE_FLAGS% "
    "%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" "
    "\"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\"";

// Envoy writes the value of a lone operator with its type: 200, null. Two operators make a text: "200", "-". The second one here is
// always there and, cut to no characters, always empty.
constexpr std::string_view kAsText = "%ENVIRONMENT(PATH):0%";

const std::map<std::string, std::string>& standardJson() {
  static const std::map<std::string, std::string> values = {
      {"authority", "%REQ(:AUTHORITY)%"},
      {"bytes_received", "%BYTES_RECEIVED%"},
      {"bytes_sent", "%BYTES_SENT%"},
      {"downstream_local_address", "%DOWNSTREAM_LOCAL_ADDRESS%"},
      {"downstream_remote_address", "%DOWNSTREAM_REMOTE_ADDRESS%"},
      {"duration", "%DURATION%"},
      {"istio_policy_status", "%DYNAMIC_METADATA(istio.mixer:status)%"},
      {"method", "%REQ(:METHOD)%"},
      {"path", "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%"},
      {"protocol", "%PROTOCOL%"},
      {"request_id", "%REQ(X-REQUEST-ID)%"},
      {"requested_server_name", "%REQUESTED_SERVER_NAME%"},
      {"response_code", "%RESPONSE_CODE%"},
      {"response_flags", "%RESPONSE_FLAGS%"},
      {"start_time", "%START_TIME%"},
      {"upstream_cluster", "%UPSTREAM_CLUSTER%"},
      {"upstream_host", "%UPSTREAM_HOST%"},
      {"upstream_local_address", "%UPSTREAM_LOCAL_ADDRESS%"},
      {"upstream_service_time", "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%"},
      {"upstream_transport_failure_reason", "%UPSTREAM_TRANSPORT_FAILURE_REASON%"},
      {"user_agent", "%REQ(USER-AGENT)%"},
      {"x_forwarded_for", "%REQ(X-FORWARDED-FOR)%"},
  };
  return values;
}

void format(const model::AccessLog& log, SubstitutionFormatString* out) {
  if (log.type == model::AccessLog::Type::Text) {
    out->mutable_text_format_source()->set_inline_string((log.text.empty() ? std::string(kText) : log.text) + "\n");
    return;
  }
  std::map<std::string, std::string> values = log.json.empty() ? standardJson() : log.json;
  if (log.type == model::AccessLog::Type::Json) {
    for (auto& [key, value] : values) {
      if (model::isOneOperator(value)) value += kAsText;
    }
  }
  jsonFormat(values, out);
}

template <typename Config>
void logger(const char* name, Config config, const model::AccessLog& log, envoy::config::accesslog::v3::AccessLog* out) {
  format(log, config.mutable_log_format());
  out->set_name(name);
  packAny(config, out->mutable_typed_config());
}

}  // namespace

void jsonFormat(const std::map<std::string, std::string>& values, SubstitutionFormatString* out) {
  auto& fields = *out->mutable_json_format()->mutable_fields();
  for (const auto& [key, value] : values) fields[key].set_string_value(value);
}

void accessLog(const model::AccessLog& log, envoy::config::accesslog::v3::AccessLog* out) {
  namespace stream = envoy::extensions::access_loggers::stream::v3;
  if (log.path == "/dev/fd/1" || log.path == "/dev/stdout") {
    logger("envoy.access_loggers.stdout", stream::StdoutAccessLog(), log, out);
  } else if (log.path == "/dev/fd/2" || log.path == "/dev/stderr") {
    logger("envoy.access_loggers.stderr", stream::StderrAccessLog(), log, out);
  } else {
    envoy::extensions::access_loggers::file::v3::FileAccessLog file;
    file.set_path(log.path);
    logger("envoy.access_loggers.file", file, log, out);
  }
}

}  // namespace emissary::generate
