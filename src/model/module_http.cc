// A Module's settings of the HTTP connection manager.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/module_reader.h"
#include "model/text.h"

namespace emissary::model {
namespace {

using manifest::Value;

constexpr std::array<std::string_view, 3> kUnderscores = {"ALLOW", "REJECT_REQUEST", "DROP_HEADER"};
constexpr std::array<std::string_view, 5> kForward = {"SANITIZE", "FORWARD_ONLY", "APPEND_FORWARD", "SANITIZE_SET",
                                                      "ALWAYS_FORWARD_ONLY"};
constexpr std::array<std::string_view, 5> kDetails = {"cert", "chain", "dns", "subject", "uri"};

template <size_t N>
void readName(Fields& config, std::string_view name, const std::array<std::string_view, N>& choices, std::string& out) {
  const int index = config.readChoice(name, choices, true);
  if (index >= 0) out = choices[static_cast<size_t>(index)];
}

void readClientCertificateDetails(Fields& config, HttpSettings& out) {
  const Value* value = config.take("set_current_client_cert_details");
  if (value == nullptr) return;
  Fields details(config.report(), value, config.path("set_current_client_cert_details"));
  for (const std::string_view name : kDetails) {
    bool on = false;
    details.read(name, on);
    if (on) out.set_client_cert_details.emplace_back(name);
  }
  details.finish();
}

void readHeaderCase(Fields& config, HttpSettings& out) {
  config.read("proper_case", out.proper_case);
  std::vector<std::string> names;
  if (!config.read("header_case_overrides", names) || names.empty()) return;
  if (out.proper_case) {
    config.error("header_case_overrides", "is not used beside proper_case; remove one of them");
    return;
  }
  std::erase_if(names, [&](const std::string& name) {
    if (isToken(name)) return false;
    config.error("header_case_overrides", fmt::format("{} is no name of a header, and is left out", quoted(name)));
    return true;
  });
  out.preserve_case = !names.empty();
  out.header_case_overrides = std::move(names);
}

}  // namespace

void readHttpSettings(Fields& config, HttpSettings& out) {
  config.read("use_remote_address", out.use_remote_address);
  config.read("preserve_external_request_id", out.preserve_external_request_id);
  readSwitch(config, "merge_slashes", out.merge_slashes);
  readSwitch(config, "reject_requests_with_escaped_slashes", out.reject_escaped_slashes);
  readSwitch(config, "strip_matching_host_port", out.strip_matching_host_port);
  readSwitch(config, "suppress_envoy_headers", out.suppress_envoy_headers);
  config.read("enable_http10", out.accept_http_10);
  config.read("allow_chunked_length", out.allow_chunked_length);
  readHeaderCase(config, out);
  config.read("server_name", out.server_name);
  readName(config, "headers_with_underscores_action", kUnderscores, out.headers_with_underscores_action);
  readName(config, "forward_client_cert_details", kForward, out.forward_client_cert_details);
  readClientCertificateDetails(config, out);
  readNumber(config, "max_request_headers_kb", out.max_request_headers_kb, 1, 8192);
  config.readMs("listener_idle_timeout_ms", out.listener_idle_timeout_ms);
  readNumber(config, "buffer_limit_bytes", out.buffer_limit_bytes);
}

}  // namespace emissary::model
