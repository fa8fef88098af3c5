#include <fmt/format.h>

#include "model/testing.h"

namespace emissary::model {
namespace {

ObjectPtr module(const std::string& config, const std::string& name = "ambassador") {
  return parsedObject("apiVersion: getambassador.io/v3alpha1\nkind: Module\nmetadata: {name: " + name +
                      ", namespace: edge}\nspec:\n  config: " + config + "\n");
}

const Module& moduleOf(const ObjectPtr& object) { return *std::get<Boxed<Module>>(object->spec); }

TEST(ModelModule, EveryKey) {
  const ObjectPtr object = module(R"y({
    use_remote_address: false, preserve_external_request_id: true, merge_slashes: "Yes", reject_requests_with_escaped_slashes: on,
    strip_matching_host_port: "t", suppress_envoy_headers: true, enable_http10: true, allow_chunked_length: false, proper_case: true,
    server_name: gate, headers_with_underscores_action: DROP_HEADER, forward_client_cert_details: sanitize_set,
    set_current_client_cert_details: {uri: true, subject: true, dns: false}, max_request_headers_kb: 90,
    listener_idle_timeout_ms: 1500, buffer_limit_bytes: 4096, envoy_log_type: json, envoy_log_path: /tmp/x,
    envoy_log_format: {a: "%PROTOCOL%"}, enable_grpc_http11_bridge: false, enable_grpc_web: true,
    grpc_stats: {services: [{name: a.B, method_names: [C]}], upstream_stats: true}, lua_scripts: "a = 1\nb = 2\n",
    gzip: {memory_level: 9, compression_level: BEST_SPEED, compression_strategy: rle, window_bits: 9, min_content_length: 7,
      content_type: [a/b], disable_on_etag_header: true, remove_accept_encoding_header: true},
    buffer: {max_request_bytes: 5}, ip_deny: [{remote: 10.0.0.0/8}, {peer: "::1"}],
    error_response_overrides: [{on_status_code: 404, body: {text_format: "x\ny", content_type: a/b}},
      {on_status_code: 500, body: {json_format: {k: v}}}],
    cluster_request_timeout_ms: 1, cluster_idle_timeout_ms: 2, cluster_max_connection_lifetime_ms: 3, resolver: endpoint,
    add_linkerd_headers: true, enable_ipv4: false, enable_ipv6: true, use_ambassador_namespace_for_service_resolution: true,
    regex_max_size: 300, defaults: {tls_secret_namespacing: false, stats_name: a, add_request_headers: {x-a: a}, remove_response_headers: [b],
      httpmapping: {stats_name: b, add_request_headers: {x-b: b}, add_response_headers: {}, remove_request_headers: [c]}},
    cors: {origins: "*"}, retry_policy: {retry_on: 5xx}, debug_mode: true,
    liveness_probe: {}, readiness_probe: {enabled: true, prefix: /r, rewrite: /s, service: "other:1"},
    diagnostics: {enabled: true, allow_non_local: true}, auth_enabled: x, prune_unreachable_routes: true})y");
  EXPECT_EQ(all(*object), "");
  const Module& m = moduleOf(object);
  const HttpSettings& h = m.http;
  EXPECT_FALSE(h.use_remote_address);
  EXPECT_TRUE(h.preserve_external_request_id && h.merge_slashes && h.reject_escaped_slashes && h.strip_matching_host_port);
  EXPECT_TRUE(h.suppress_envoy_headers && h.accept_http_10 && h.proper_case && !h.preserve_case);
  EXPECT_EQ(h.allow_chunked_length, false);
  EXPECT_EQ(h.server_name, "gate");
  EXPECT_EQ(h.headers_with_underscores_action, "DROP_HEADER");
  EXPECT_EQ(h.forward_client_cert_details, "SANITIZE_SET");
  EXPECT_EQ(h.set_client_cert_details, (std::vector<std::string>{"subject", "uri"}));
  EXPECT_EQ(h.max_request_headers_kb, 90u);
  EXPECT_EQ(h.listener_idle_timeout_ms, 1500);
  EXPECT_EQ(h.buffer_limit_bytes, 4096u);
  EXPECT_EQ(h.access_log, (AccessLog{AccessLog::Type::Json, "/tmp/x", "", {{"a", "%PROTOCOL%"}}}));
  EXPECT_TRUE(!h.grpc_http1_bridge && h.grpc_web);
  EXPECT_EQ(h.grpc_stats, (GrpcStats{{{"a.B", {"C"}}}, false, true}));
  EXPECT_EQ(h.lua_scripts, "a = 1\nb = 2\n");
  EXPECT_EQ(h.gzip, (Gzip{9, "BEST_SPEED", "RLE", 9, 7, {"a/b"}, true, true}));
  EXPECT_EQ(h.buffer_max_request_bytes, 5u);
  EXPECT_EQ(h.ip_rules, (IpRules{false, {{false, "10.0.0.0", 8}, {true, "::1", 128}}}));
  EXPECT_EQ(h.error_responses, (std::vector<ErrorResponse>{{404, "a/b", "x\ny", {}}, {500, "", "", {{"k", "v"}}}}));
  EXPECT_EQ(m.cluster_request_timeout_ms, 1);
  EXPECT_EQ(m.cluster_idle_timeout_ms, 2);
  EXPECT_EQ(m.cluster_max_connection_lifetime_ms, 3);
  EXPECT_EQ(m.resolver, "endpoint");
  EXPECT_TRUE(m.add_linkerd_headers && !m.enable_ipv4 && m.enable_ipv6 && m.use_ambassador_namespace_for_service_resolution);
  EXPECT_EQ(m.regex_max_size, 300u);
  EXPECT_EQ(m.tls_secret_namespacing, false);
  EXPECT_EQ(m.cors, (Cors{{"*"}, {}, {}, {}, false, ""}));
  EXPECT_EQ(m.retry_policy->retry_on, "5xx");
  EXPECT_EQ(m.add_request_headers, (std::vector<HeaderValue>{{"x-b", "b", true}}));
  EXPECT_EQ(m.add_response_headers, std::vector<HeaderValue>{});
  EXPECT_EQ(m.remove_request_headers, std::vector<std::string>{"c"});
  EXPECT_EQ(m.remove_response_headers, std::vector<std::string>{"b"});
  EXPECT_EQ(m.stats_name, "b");
  EXPECT_TRUE(m.debug_mode);
  EXPECT_FALSE(m.liveness_probe.enabled);
  EXPECT_EQ(m.readiness_probe, (BuiltInMapping{true, "/r", "/s", "other:1"}));
  EXPECT_EQ(m.diagnostics.prefix, "/ambassador/v0/");
  EXPECT_TRUE(m.diagnostics_allow_non_local);
}

TEST(ModelModule, AWrongKeyIsLeftOutByItself) {
  struct Row {
    const char* config;
    const char* finding;
  };
  for (const Row& row : {
           Row{"{use_remote_address: 7}", "error spec.config.use_remote_address: must be true or false, but is the number 7"},
           Row{"{use_remote_addres: true}",
               "warning spec.config.use_remote_addres: is not a known field and is ignored; did you mean"},
           Row{"{merge_slashes: perhaps}", "error spec.config.merge_slashes: must be true or false"},
           Row{"{xff_num_trusted_hops: 1}", "notice spec.config.xff_num_trusted_hops: has no effect; write l7Depth"},
           Row{"{tls: {}}", "error spec.config.tls: is not used; write a TLSContext"},
           Row{"{envoy_validation_timeout: x}", "error spec.config.envoy_validation_timeout: must be a whole number"},
           Row{"{buffer: {}}", "error spec.config.buffer.max_request_bytes: is missing"},
           Row{"{buffer: {max_request_bytes: 1, max_request_time: 2}}",
               "notice spec.config.buffer.max_request_time: has no effect"},
           Row{"{gzip: {window_bits: 99}}", "error spec.config.gzip.window_bits: must be from 9 to 15"},
           Row{"{grpc_stats: {services: [{name: a.B}]}}", "error spec.config.grpc_stats.services[0].method_names: is missing"},
           Row{"{grpc_stats: {services: [{name: a.B, method_names: ['']}]}}",
               "error spec.config.grpc_stats.services[0].method_names: names no method"},
           Row{"{grpc_stats: {services: [{name: '', method_names: [x]}]}}",
               "error spec.config.grpc_stats.services[0].name: is empty"},
           Row{"{Gzip: {}}", "warning spec.config.Gzip: is not a known field and is ignored; did you mean gzip?"},
           Row{"{useRemoteAddress: true}",
               "warning spec.config.useRemoteAddress: is not a known field and is ignored; did you mean use_remote_address?"},
           Row{"{gzip: 3}", "error spec.config.gzip: must be a map of fields"},
           Row{"{ip_allow: [{peer: x}]}", "error spec.config.ip_allow[0]: \"x\" is no IP address"},
           Row{"{ip_allow: [{peer: 1.2.3.4/33}]}", "error spec.config.ip_allow[0]: \"1.2.3.4/33\" has no good length"},
           Row{"{ip_allow: [{peer: 1.2.3.4/}]}", "error spec.config.ip_allow[0]: \"1.2.3.4/\" has no good length"},
           Row{"{ip_allow: [{who: 1.2.3.4}]}", "error spec.config.ip_allow[0]: \"who\" is not known"},
           Row{"{ip_allow: [{peer: 1.2.3.4, remote: 1.2.3.4}]}", "error spec.config.ip_allow[0]: has more than one key"},
           Row{"{ip_allow: [{peer: 1.2.3.4}], ip_deny: [{peer: 1.2.3.4}]}",
               "error spec.config.ip_deny: is not used beside ip_allow"},
           Row{"{envoy_log_type: xml}", "error spec.config.envoy_log_type: must be one of text, json, typed_json"},
           Row{"{envoy_log_format: {a: b}}",
               "error spec.config.envoy_log_format: must be text, but is a map; write envoy_log_type"},
           Row{"{envoy_log_type: json, envoy_log_format: x}",
               "error spec.config.envoy_log_format: must be a map with envoy_log_type: json"},
           Row{"{envoy_log_format: \"%X%\"}", "error spec.config.envoy_log_format: holds %X%"},
           Row{"{forward_client_cert_details: X}", "error spec.config.forward_client_cert_details: must be one of"},
           Row{"{set_current_client_cert_details: {x: true}}",
               "warning spec.config.set_current_client_cert_details.x: is not a known"},
           Row{"{proper_case: true, header_case_overrides: [X-A]}", "error spec.config.header_case_overrides: is not used beside"},
           Row{"{header_case_overrides: X-A}", "error spec.config.header_case_overrides: must be a list of texts"},
           Row{"{error_response_overrides: [{on_status_code: 200, body: {text_format: x}}]}",
               "error spec.config.error_response_overrides[0].on_status_code: must be from 400 to 599"},
           Row{"{error_response_overrides: [{on_status_code: 404, body: {text_format_source: {filename: x}}}]}",
               "error spec.config.error_response_overrides[0].body.text_format_source: names a file"},
           Row{"{diagnostics: {prefix: x, enabled: true}}", "error spec.config.diagnostics.prefix: \"x\" can match no path"},
           Row{"{defaults: 3}", "error spec.config.defaults: must be a map of fields"},
           Row{"{retry_policy: {retry_on: x}}", "error spec.config.retry_policy.retry_on: \"x\" is no condition"},
           Row{"{cors: {origins: [a], credentials: x}}", "error spec.config.cors.credentials: must be true or false"},
           Row{"{defaults: {add_request_headers: x}}", "error spec.config.defaults.add_request_headers: must be a map"},
           Row{"{lua_scripts: \"function x(\\n\"}", "error spec.config.lua_scripts: is no Lua script: line:2: "},
           Row{"{lua_scripts: \"a\\u0007\"}", "error spec.config.lua_scripts: holds the control character 0x07"},
       }) {
    const ObjectPtr object = module(row.config);
    EXPECT_TRUE(object->usable);
    ASSERT_FALSE(object->findings.empty()) << row.config;
    EXPECT_TRUE(told(object->findings)[0].starts_with(row.finding)) << all(*object) << "expected: " << row.finding;
  }
}

TEST(ModelModule, WhatIsLeftOfMistakes) {
  EXPECT_EQ(moduleOf(module("{gzip: {window_bits: 99}, server_name: x}")).http.gzip, Gzip{});
  EXPECT_EQ(moduleOf(module("{grpc_stats: {services: [{name: a}, {name: b, method_names: ['', C]}]}}")).http.grpc_stats,
            (GrpcStats{{{"b", {"C"}}}, false, false}));
  EXPECT_EQ(moduleOf(module("{ip_allow: [{peer: x}]}")).http.ip_rules, std::nullopt);
  EXPECT_EQ(moduleOf(module("{retry_policy: {retry_on: 5xx, num_retries: x}}")).retry_policy, std::nullopt);
  EXPECT_EQ(moduleOf(module("{ip_allow: [{peer: x}, {peer: 1.2.3.4, remote: 5.6.7.8}]}")).http.ip_rules,
            (IpRules{true, {{true, "1.2.3.4", 32}}}));
  EXPECT_TRUE(std::get<Boxed<Module>>(module("{}")->spec).untouched());
  EXPECT_EQ(moduleOf(module("{diagnostics: {allow_non_local: true}}")).diagnostics.enabled, false);
  EXPECT_TRUE(moduleOf(module("{header_case_overrides: [X-A, \"a b\"]}")).http.preserve_case);
}

TEST(ModelModule, ConfigMustBeThere) {
  EXPECT_FALSE(ours("Module", "{}")->usable == false) << "another name has no config of ours";
  EXPECT_FALSE(module("null")->usable);
  EXPECT_FALSE(module("3")->usable);
}

TEST(ModelModule, OtherNames) {
  EXPECT_EQ(all(*module("{anything: 1}", "mine")), "");
  EXPECT_TRUE(all(*module("{server: {secret: x}}", "tls")).starts_with("warning spec.config: is not acted on; write a TLSContext"));
  EXPECT_TRUE(
      all(*module("{auth_service: x}", "authentication")).starts_with("warning spec.config: is not acted on in this version"));
}

TEST(ModelModule, ScriptsMayBeLong) {
  const auto script = [](size_t size) { return fmt::format("{{lua_scripts: \"--{}\"}}", std::string(size - 2, 'a')); };
  EXPECT_TRUE(module(script(1 << 20))->findings.empty());
  const ObjectPtr object = module(script((1 << 20) + 1));
  ASSERT_EQ(object->findings.size(), 1u);
  EXPECT_EQ(object->findings[0].message, "is 1048577 bytes long; the limit is 1048576");
}

}  // namespace
}  // namespace emissary::model
