#include "model/testing.h"

namespace emissary::model {
namespace {

const Mapping& mappingOf(const ObjectPtr& object) {
  static const Mapping kNone;
  const Mapping* mapping = std::get_if<Mapping>(&object->spec);
  EXPECT_NE(mapping, nullptr) << all(*object);
  return mapping != nullptr ? *mapping : kNone;
}

TEST(ModelMapping, EveryField) {
  const ObjectPtr good = ours("Mapping", R"y({
    ambassador_id: [blue, green], hostname: "*.example.com", prefix: "/a/(b|c)", prefix_regex: true, case_sensitive: false,
    headers: {x-b: "2", x-a: "1", ":authority": shop}, regex_headers: {x-c: ".*"},
    query_parameters: {q: ""}, regex_query_parameters: {p: "[0-9]+"},
    method: "GET|PUT", method_regex: true, precedence: -3, service: "https://cart:8443", resolver: endpoint, tls: up, weight: 120,
    rewrite: "", host_rewrite: other, timeout_ms: 5000.0, idle_timeout_ms: 0, connect_timeout_ms: 250, grpc: true,
    allow_upgrade: [spdy/3.1, WebSocket], use_websocket: true, cluster_tag: t, stats_name: s, docs: {path: /x},
    modules: [1], envoy_override: x, v2ExplicitTLS: {tls: ""}, v2BoolHeaders: [a], v2BoolQueryParameters: [b]})y");
  EXPECT_TRUE(good->usable) << all(*good);
  ASSERT_EQ(good->findings.size(), 1u) << all(*good);
  EXPECT_EQ(good->findings[0].severity, Severity::Notice);
  EXPECT_EQ(good->findings[0].field, "spec.use_websocket");
  EXPECT_EQ(good->ambassador_id, (std::vector<std::string>{"blue", "green"}));
  const Mapping& m = mappingOf(good);
  EXPECT_EQ(m.hostname, "*.example.com");
  EXPECT_EQ(m.prefix, "/a/(b|c)");
  EXPECT_TRUE(m.prefix_regex);
  EXPECT_EQ(m.case_sensitive, false);
  ASSERT_EQ(m.headers.size(), 4u);
  EXPECT_EQ(m.headers[0], (ValueMatch{":authority", "shop", false}));
  EXPECT_EQ(m.headers[1], (ValueMatch{"x-a", "1", false}));
  EXPECT_EQ(m.headers[2], (ValueMatch{"x-b", "2", false}));
  EXPECT_EQ(m.headers[3], (ValueMatch{"x-c", ".*", true}));
  ASSERT_EQ(m.query_parameters.size(), 2u);
  EXPECT_EQ(m.query_parameters[0], (ValueMatch{"q", "", false}));
  EXPECT_EQ(m.query_parameters[1], (ValueMatch{"p", "[0-9]+", true}));
  EXPECT_EQ(m.method, "GET|PUT");
  EXPECT_TRUE(m.method_regex);
  EXPECT_EQ(m.precedence, -3);
  EXPECT_EQ(m.service, "https://cart:8443");
  EXPECT_EQ(m.resolver, "endpoint");
  EXPECT_EQ(m.tls, "up");
  EXPECT_EQ(m.weight, 120);
  EXPECT_EQ(m.rewrite, "");
  EXPECT_EQ(m.host_rewrite, "other");
  EXPECT_EQ(m.timeout_ms, 5000);
  EXPECT_EQ(m.idle_timeout_ms, 0);
  EXPECT_EQ(m.connect_timeout_ms, 250);
  EXPECT_TRUE(m.grpc);
  EXPECT_EQ(m.allow_upgrade, (std::vector<std::string>{"spdy/3.1", "WebSocket"}));
  EXPECT_EQ(m.cluster_tag, "t");
  EXPECT_EQ(m.stats_name, "s");
}

TEST(ModelMapping, AbsentIsNotAValue) {
  const ObjectPtr object =
      ours("Mapping", "{prefix: /, service: a, hostname: null, host: '', weight: null, rewrite: null, cors: null}");
  EXPECT_EQ(all(*object), "");
  const Mapping& m = mappingOf(object);
  EXPECT_FALSE(m.hostname || m.host || m.weight || m.rewrite || m.case_sensitive || m.timeout_ms || m.tls || m.resolver);
  EXPECT_EQ(object->ambassador_id, std::vector<std::string>{"default"});
}

constexpr Case kCases[] = {
    {"{prefix: /}", "error spec.service: is missing", false},
    {"{service: a}", "error spec.prefix: is missing", false},
    {"{prefix: '', service: a}", "error spec.prefix: must not be empty", false},
    {"{prefix: /, service: ''}", "error spec.service: must not be empty", false},
    {"{prefix: 3, service: a}", "error spec.prefix: must be text, but is the number 3; write it in quotes", false},
    {"{prefix: [/], service: a}", "error spec.prefix: must be text, but is a list", false},
    {"{prefix: a, service: a}", "warning spec.prefix: \"a\" can match no path, for paths begin with '/'; write \"/a\"", true},
    {"{prefix: '/a b/', service: a}", "warning spec.prefix: \"/a b/\" can match no path, where blanks", true},
    {"{prefix: '/ü/', service: a}", "warning spec.prefix: \"/ü/\" can match no path", true},
    {"{prefix: '/a%20b~!/', service: a}", "", true},
    {"{prefix: '/a?b', service: a}", "warning spec.prefix: \"/a?b\" can match no path", true},
    {"{prefix: '/a(', prefix_regex: true, service: a}", "error spec.prefix: is no RE2 regular expression: missing )", false},
    {"{prefix: '/a(?!b)', prefix_regex: true, service: a}", "error spec.prefix: is no RE2 regular expression", false},
    {"{prefix: '/(abcdefghijkl){1000}', prefix_regex: true, service: a}", "error spec.prefix: compiles to ", false},
    {"{prefix: /, prefix_exact: 'true', service: a}",
     "error spec.prefix_exact: must be true or false, but is text \"true\"; write it without quotes", false},
    {"{prefix: /.*, prefix_exact: true, prefix_regex: true, service: a}", "warning spec.prefix_exact: has no effect", true},
    {"{prefix: /, service: a, timeout_ms: 3s}",
     "error spec.timeout_ms: must be a whole number of milliseconds, but is text \"3s\"; write 3000", false},
    {"{prefix: /, service: a, timeout_ms: '250'}",
     "error spec.timeout_ms: must be a whole number of milliseconds, but is text \"250\"; write 250", false},
    {"{prefix: /, service: a, timeout_ms: 1.5}",
     "error spec.timeout_ms: must be a whole number of milliseconds, but is the number 1.5", false},
    {"{prefix: /, service: a, timeout_ms: -1}", "error spec.timeout_ms: must be from 0 to", false},
    {"{prefix: /, service: a, timeout_ms: 9223372036854775807}", "error spec.timeout_ms: must be from 0 to", false},
    {"{prefix: /, service: a, connect_timeout_ms: 0}", "error spec.connect_timeout_ms: must be from 1 to", false},
    {"{prefix: /, service: a, weight: '50'}", "error spec.weight: must be a whole number, but is text \"50\"; write 50", false},
    {"{prefix: /, service: a, weight: 50%}", "error spec.weight: must be a whole number, but is text \"50%\"", false},
    {"{prefix: /, service: a, weight: -5}", "", true},
    {"{prefix: /, service: a, grpc: 1}", "error spec.grpc: must be true or false, but is the number 1", false},
    {"{prefix: /, service: a, host: '*.x'}", "error spec.host: \"*.x\" holds a '*'", false},
    {"{prefix: /, service: a, host: '[', host_regex: true}", "error spec.host: is no RE2", false},
    {"{prefix: /, service: a, host: a.x, hostname: b.x}", "warning spec.host: is ignored beside hostname", true},
    {"{prefix: /, service: a, hostname: 'a.*.x'}", "warning spec.hostname: \"a.*.x\" matches no host name", true},
    {"{prefix: /, service: a, hostname: '*.x.*'}", "warning spec.hostname", true},
    {"{prefix: /, service: a, hostname: '*x'}", "", true},
    {"{prefix: /, service: a, hostname: 'x.*'}", "", true},
    {"{prefix: /, service: a, headers: {x-a: true}}",
     "error spec.headers.x-a: must be text, but is the boolean true; write it in quotes, or to match any value write "
     "regex_headers: "
     "{x-a: \".*\"}",
     false},
    {"{prefix: /, service: a, headers: {x-a: 1}}", "error spec.headers.x-a: must be text, but is the number 1; write it in quotes",
     false},
    {"{prefix: /, service: a, headers: [x-a]}", "error spec.headers: must be a map", false},
    {"{prefix: /, service: a, headers: {'x a': b}}", "error spec.headers.x a: \"x a\" is no name of a header", false},
    {"{prefix: /, service: a, headers: {'': b}}", "error spec.headers.: \"\" is no name of a header", false},
    {"{prefix: /, service: a, headers: {':authority': '*.x'}}", "error spec.headers.:authority: \"*.x\" holds a '*'", false},
    {"{prefix: /, service: a, regex_headers: {':authority': '.*'}}", "", true},
    {"{prefix: /, service: a, regex_headers: {x: ''}}", "error spec.regex_headers.x: must not be empty", false},
    {"{prefix: /, service: a, regex_headers: {x: '*'}}", "error spec.regex_headers.x: is no RE2", false},
    {"{prefix: /, service: a, regex_query_parameters: {x: '*'}}", "error spec.regex_query_parameters.x: is no RE2", false},
    {"{prefix: /, service: a, query_parameters: {'': b}}", "error spec.query_parameters.: the name of a query parameter", false},
    {"{prefix: /, service: a, query_parameters: {x: 'a b'}}", "warning spec.query_parameters.x: \"a b\" is compared with", true},
    {"{prefix: /, service: a, query_parameters: {x: 1}}", "error spec.query_parameters.x: must be text", false},
    {"{prefix: /, service: a, method: get}", "warning spec.method: \"get\" has small letters", true},
    {"{prefix: /, service: a, method: 'GET, PUT'}", "warning spec.method: \"GET, PUT\" matches no method", true},
    {"{prefix: /, service: a, method: '(', method_regex: true}", "error spec.method: is no RE2", false},
    {"{prefix: /, service: a, regex_rewrite: {pattern: '(', substitution: x}}", "error spec.regex_rewrite.pattern: is no RE2",
     false},
    {"{prefix: /, service: a, regex_rewrite: {substitution: x}}", "error spec.regex_rewrite.pattern: is missing", false},
    {"{prefix: /, service: a, regex_rewrite: {pattern: '(a)', substitution: '\\2'}}",
     "error spec.regex_rewrite.pattern: does not fit its substitution", false},
    {"{prefix: /, service: a, regex_rewrite: {pattern: '(a)', substitution: '\\1'}}", "", true},
    {"{prefix: /, service: a, rewrite: /b, regex_rewrite: {pattern: a}}", "notice spec.rewrite: is ignored beside regex_rewrite",
     true},
    {"{prefix: /, service: a, rewrite: b}", "warning spec.rewrite: \"b\" does not begin with '/', as every path does; write \"/b\"",
     true},
    {"{prefix: /, service: a, rewrite: ''}", "", true},
    {"{prefix: /, service: a, host_rewrite: b, auto_host_rewrite: true}", "error spec.auto_host_rewrite: is not used", true},
    {"{prefix: /, service: a, allow_upgrade: websocket}",
     "error spec.allow_upgrade: must be a list of texts, but is text \"websocket\"; write [\"websocket\"]", false},
    {"{prefix: /, service: a, allow_upgrade: ['a b']}", "error spec.allow_upgrade: \"a b\" is no protocol", false},
    {"{prefix: /, service: a, allow_upgrade: [1]}", "error spec.allow_upgrade[0]: must be text", false},
    {"{prefix: /, service: a, ambassador_id: 5}", "error spec.ambassador_id: must be a list of texts", false},
    {"{prefix: /, service: a, cors: x}", "error spec.cors: must be a map of fields, but is text \"x\"", false},
    {"{prefix: /, service: a, shadow: false, host_redirect: false}", "", true},
    {"{prefix: /, service: a, prefx: /b}", "warning spec.prefx: is not a known field and is ignored; did you mean prefix?", true},
    {"{prefix: /, service: a, timeout: 3}", "warning spec.timeout: is not a known field and is ignored", true},
    {"{prefix: /, service: a, ambassadorId: b}",
     "warning spec.ambassadorId: is not a known field and is ignored; did you mean "
     "ambassador_id?",
     true},
    {"{prefix: \"/a\\nb\", service: a}", "error spec.prefix: holds the control character 0x0a; remove it", false},
    {"{prefix: /, service: \"a\\x7f\"}", "error spec.service: holds the control character 0x7f", false},
    {"{prefix: /, service: a, rewrite: \"\\r\"}", "error spec.rewrite: holds the control character 0x0d", false},
    {"{prefix: /, service: a, hostname: \"\\0\"}", "error spec.hostname: holds the control character 0x00", false},
    {"{prefix: /, service: a, headers: {\"x\\n\": b}}", "error spec.headers.x?: \"x?\" is no name of a header", false},
    {"{prefix: /, service: a, headers: {x: \"b\\n\"}}", "error spec.headers.x: holds the control character 0x0a", false},
    {"{prefix: /, service: a, query_parameters: {\"x\\n\": b}}", "error spec.query_parameters.x?: the name of", false},
    {"[]", "error spec: must be a map of fields, but is a list", false},
};

TEST(ModelMapping, Cases) {
  for (const Case& c : kCases) {
    if (c.spec == "[]") continue;  // below: what is missing is told as well
    expectCase("Mapping", c);
  }
  const ObjectPtr list = ours("Mapping", "[]");
  EXPECT_FALSE(list->usable);
  EXPECT_EQ(told(list->findings)[0], "error spec: must be a map of fields, but is a list");
}

TEST(ModelMapping, LongTextIsRefusedAndNotRepeated) {
  const ObjectPtr object = ours("Mapping", "{prefix: /" + std::string(70000, 'a') + ", service: a}");
  EXPECT_FALSE(object->usable);
  EXPECT_EQ(all(*object), "error spec.prefix: is 70001 bytes long; the limit is 65536\n");
  const ObjectPtr regex = ours("Mapping", "{prefix: /" + std::string(5000, 'a') + ", prefix_regex: true, service: a}");
  EXPECT_EQ(all(*regex), "error spec.prefix: is 5001 bytes long; a regular expression may have 4096\n");
}

TEST(ModelMapping, FindingsAreBounded) {
  std::string spec = "{prefix: /, service: a, headers: {";
  for (int i = 0; i < 5000; ++i) spec += "x-" + std::to_string(i) + ": 1, ";
  const ObjectPtr headers = ours("Mapping", spec + "}}");
  EXPECT_FALSE(headers->usable);
  EXPECT_EQ(headers->findings.size(), 101u);
  spec = "{prefix: /, service: a";
  for (int i = 0; i < 5000; ++i) spec += ", f" + std::to_string(i) + ": 1";
  const ObjectPtr unknown = ours("Mapping", spec + "}");
  EXPECT_TRUE(unknown->usable);
  EXPECT_EQ(unknown->findings.size(), 11u);
}

TEST(ModelMapping, LinesAreThoseOfTheFields) {
  const ObjectPtr object = parsedObject(R"(apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata:
  name: x
spec:
  prefix: /
  service: a
  headers:
    x-a: ok
    x-b: 3
)");
  ASSERT_EQ(object->findings.size(), 1u);
  EXPECT_EQ(object->findings[0].field, "spec.headers.x-b");
  EXPECT_EQ(object->findings[0].line, 10);
  EXPECT_EQ(object->ref.text(), "Mapping own/x");
}

}  // namespace
}  // namespace emissary::model
