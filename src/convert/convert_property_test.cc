// There and back again: random objects, each field written in one of the forms that its version allows, must come back as they
// were, up to the few forms that both versions read alike. Each form says what it comes back as.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "convert/convert.h"
#include "manifest/parse.h"

namespace emissary::convert {
namespace {

using manifest::Value;

/// One field or several that belong together: as written, and as it comes back; `{}` around both.
struct Form {
  std::string written;
  std::string back;
};

Form same(std::string text) { return {text, text}; }

class Random {
 public:
  explicit Random(uint32_t seed) : random_(seed) {}
  const Form& pick(const std::vector<Form>& forms) { return forms[random_() % forms.size()]; }
  bool chance(int percent) { return static_cast<int>(random_() % 100) < percent; }

  /// Some of the fields, in any order.
  Form some(std::vector<std::vector<Form>> fields) {
    std::shuffle(fields.begin(), fields.end(), random_);
    Form out;
    for (const auto& forms : fields) {
      const Form& form = pick(forms);
      const auto append = [](std::string& to, const std::string& text) {
        if (!text.empty()) to += (to.empty() ? "" : ", ") + text;
      };
      append(out.written, form.written);
      append(out.back, form.back);
    }
    return out;
  }

 private:
  std::mt19937 random_;
};

/// One map of some entries; absent when it would come back empty.
Form mapOf(Random& random, const std::string& name, const std::vector<std::vector<Form>>& entries) {
  const Form inner = random.some(entries);
  const std::string written = inner.written.empty() ? "" : name + ": {" + inner.written + "}";
  return {written, inner.back.empty() ? "" : name + ": {" + inner.back + "}"};
}

const std::string kMark = "--apiVersion-v3alpha1-only--";
const Form kNothing = same("");

Value parse(const std::string& text) {
  const manifest::ParseResult result = manifest::parse(text);
  EXPECT_FALSE(result.error) << text;
  return result.documents.empty() ? Value{} : result.documents[0];
}

std::string document(const std::string& version, const std::string& kind, const std::string& spec) {
  return "{apiVersion: getambassador.io/" + version + ", kind: " + kind + ", metadata: {name: x}, spec: {" + spec + "}}";
}

// ------------------------------------------------------------------------------------------------ v2

std::vector<Form> ids2() {
  return {{"", "ambassador_id: [" + kMark + "default]"},
          {"ambassador_id: null", "ambassador_id: [" + kMark + "default]"},
          {"ambassador_id: blue", "ambassador_id: [" + kMark + "blue]"},
          {"ambassador_id: [a, " + kMark + "b]", "ambassador_id: [" + kMark + "a, " + kMark + "b]"}};
}

std::vector<Form> tls2(const std::string& service) {
  std::vector<Form> out;
  for (const char* scheme : {"", "http://", "https://", "HTTPS://"}) {
    const std::string named = service + ": '" + scheme + "cart:80'";
    for (const char* tls : {"true", "false", "''", "up"}) out.push_back(same(named + ", tls: " + tls));
    out.push_back(same(named));
    out.push_back({named + ", tls: null", named});
  }
  return out;
}

/// The scheme of a TCPMapping's service means nothing in v2.
std::vector<Form> tcpTls2() {
  return {same("service: mq"),
          {"service: http://mq", "service: mq"},
          same("service: https://mq"),
          same("service: mq, tls: up"),
          {"service: http://mq, tls: up", "service: mq, tls: up"},
          {"service: https://mq, tls: true", "service: mq, tls: true"},
          same("service: mq, tls: true"),
          same("service: mq, tls: false"),
          same("service: mq, tls: ''")};
}

std::vector<Form> times(const std::string& name) {
  return {kNothing, same(name + ": 5"), same(name + ": 0"), {name + ": null", name + ": 0"}};
}

std::vector<Form> texts(const std::string& name) {
  return {kNothing, {name + ": a", name + ": [a]"}, same(name + ": [a, b]"), same(name + ": []")};
}

std::vector<Form> added() {
  std::vector<Form> out;
  for (const char* value : {"v", "''", "null", "{value: v}", "{value: v, append: false}", "{append: true}"})
    out.push_back(same(value));
  return out;
}

std::vector<Form> under(const std::string& key, std::vector<Form> values) {
  for (Form& value : values) {
    if (!value.written.empty()) value.written = key + ": " + value.written;
    if (!value.back.empty()) value.back = key + ": " + value.back;
  }
  values.push_back(kNothing);
  return values;
}

std::vector<Form> labels2() {
  std::vector<Form> out = {kNothing};
  for (const char* specifiers : {"remote_address", "source_cluster, tenant", "{k: {header: x-k}}",
                                 "{k: {header: x-k, omit_if_not_present: true}}, {generic_key: v}", "{generic_key: v, v3Key: kk}",
                                 "{generic_key: destination_cluster}, destination_cluster"}) {
    out.push_back(same(std::string("labels: {d: [{g: [") + specifiers + "]}, {h: [a]}]}"));
  }
  return out;
}

Form mapping2(Random& random) {
  const std::vector<Form> match = {same("'1'"), same("true"), {"false", ""}, {"null", ""}};
  const auto matches = [&](const std::string& name) {
    return std::vector<Form>{mapOf(random, name, {under("x-a", match), under("x-b", match), under("x-c", match)})};
  };
  const std::vector<Form> regex = {kNothing, same("regex_headers: {x-a: a}"), same("regex_headers: {x-b: '.+', x-z: z}")};
  const std::vector<Form> host = {kNothing,
                                  {"host: ''", ""},
                                  {"host: '*'", ""},
                                  same("host: a.com"),
                                  same("host: '*.com', host_regex: false"),
                                  same("host: 'a.*', host_regex: true"),
                                  same("host: _skip_mapping_with_empty_host_")};
  const Form cors = mapOf(
      random, "cors",
      {texts("methods"),
       texts("headers"),
       texts("exposed_headers"),
       {kNothing, same("max_age: '3'")},
       {kNothing, same("origins: 'http://a, http://b'"), same("origins: ''"), same("origins: [http://a]"), same("origins: []")}});
  return random.some({{same("prefix: /p/")},
                      ids2(),
                      tls2("service"),
                      host,
                      matches("headers"),
                      regex,
                      matches("query_parameters"),
                      {mapOf(random, "add_request_headers", {under("x-a", added()), under("x-b", added())})},
                      texts("remove_request_headers"),
                      {cors},
                      labels2(),
                      times("timeout_ms"),
                      {kNothing, same("v3StatsName: s")},
                      {kNothing, same("v3health_checks: [{a: b}]")}});
}

Form other2(Random& random, const std::string& kind) {
  const std::vector<Form> stats = {kNothing, same("v3StatsName: s")};
  if (kind == "AuthService") {
    return random.some({ids2(), tls2("auth_service"), stats, times("timeout_ms"), {kNothing, same("v3CircuitBreakers: [{a: b}]")}});
  }
  if (kind == "RateLimitService") return random.some({ids2(), tls2("service"), stats, {kNothing, same("v3GRPC: {a: true}")}});
  if (kind == "TCPMapping") return random.some({ids2(), tcpTls2(), stats, {same("port: 3"), same("idle_timeout_ms: '3'")}});
  if (kind == "LogService") {
    return random.some({ids2(), stats, times("flush_interval_time"), {kNothing, same("v3ProtocolVersion: v3")}});
  }
  if (kind == "TracingService") {
    return random.some({ids2(),
                        stats,
                        {kNothing,
                         same("v3CustomTags: [{tag: t}]"),
                         {"tag_headers: [x]", "v3CustomTags: [{tag: x, request_header: {name: x}}]"},
                         {"tag_headers: [x], v3CustomTags: [{tag: t}]", "v3CustomTags: [{tag: t}]"}},
                        {kNothing, same("config: {v3PropagationModes: [B3], collector_endpoint: e}")}});
  }
  if (kind == "Host") {
    return random.some({{same("hostname: a.com")},
                        {{"", "ambassador_id: [" + kMark + "default]"},
                         {"ambassador_id: a, ambassadorId: [b]", "ambassador_id: [" + kMark + "a, " + kMark + "b]"}},
                        {kNothing, same("selector: {matchLabels: {a: b}}")},
                        {kNothing, same("tls: {v3CRLSecret: c, sni: s}")}});
  }
  if (kind == "TLSContext") return random.some({ids2(), {kNothing, same("v3CRLSecret: c")}, {same("hosts: [a]")}});
  return random.some({ids2(), {kNothing, same("config: {a: {b: [null, 1.5]}}")}});
}

// ------------------------------------------------------------------------------------------------ v3alpha1

std::vector<Form> ids3() {
  return {{"", "ambassador_id: [default]"}, {"ambassador_id: []", "ambassador_id: [default]"}, same("ambassador_id: [a, b]")};
}

std::vector<Form> tls3(const std::string& service) {
  std::vector<Form> out;
  for (const char* plain : {"cart", "http://cart", "https://cart"}) {
    const std::string named = service + ": " + plain;
    out.push_back(same(named));
    // That it was written as a name is remembered.
    out.push_back({named + ", tls: up", named + ", tls: up, v2ExplicitTLS: {}"});
    out.push_back(same(named + ", v2ExplicitTLS: {tls: 'bool:false'}"));
    out.push_back(same(named + ", v2ExplicitTLS: {tls: string}"));
  }
  out.push_back(same(service + ": https://cart, v2ExplicitTLS: {tls: 'bool:true'}"));
  out.push_back(same(service + ": https://cart, v2ExplicitTLS: {serviceScheme: 'http://', tls: 'bool:true'}"));
  return out;
}

Form mapping3(Random& random) {
  const std::vector<Form> hostname = {kNothing,
                                      same("hostname: '*'"),
                                      same("hostname: a.com"),
                                      {"hostname: '*.b', host: zz, host_regex: true", "hostname: '*.b', host_regex: false"},
                                      {"host: zz", "hostname: zz"},
                                      same("host: 'z.*', host_regex: true")};
  const std::vector<Form> headers = {kNothing,
                                     same("headers: {x-a: '1'}, regex_headers: {x-b: '.*'}, v2BoolHeaders: [x-b]"),
                                     same("regex_headers: {x-b: '.*'}"),
                                     same("headers: {x-a: '1'}"),
                                     {"regex_headers: {x-b: b}, v2BoolHeaders: [x-z]", "regex_headers: {x-b: b}"}};
  std::vector<Form> labels = {kNothing};
  for (const char* specifier :
       {"{remote_address: {key: remote_address}}", "{request_headers: {key: k, header_name: h, omit_if_not_present: false}}",
        "{generic_key: {value: v}}", "{generic_key: {key: kk, value: v}}", "{generic_key: {value: v, v2Shorthand: true}}"}) {
    labels.push_back(same(std::string("labels: {d: [{g: [") + specifier + "]}]}"));
  }
  const std::vector<Form> add = {
      kNothing, same("add_request_headers: {x: {value: v}, y: {value: w, append: false}, z: {}}"),
      same("add_request_headers: {x: {value: v, v2Representation: string}, y: {v2Representation: 'null'}}")};
  const std::vector<Form> cors = {kNothing, same("cors: {origins: [http://a, http://b], methods: [GET]}"),
                                  same("cors: {origins: [http://a, ' http://b'], v2CommaSeparatedOrigins: true}"),
                                  same("cors: {headers: [a]}")};
  return random.some({{same("prefix: /p/")},
                      ids3(),
                      tls3("service"),
                      hostname,
                      headers,
                      labels,
                      add,
                      cors,
                      times("timeout_ms"),
                      {kNothing, same("stats_name: s")},
                      {kNothing, same("health_checks: [{a: b}]")},
                      {kNothing, same("remove_response_headers: [a]")}});
}

Form other3(Random& random, const std::string& kind) {
  const std::vector<Form> stats = {kNothing, same("stats_name: s")};
  if (kind == "AuthService")
    return random.some({ids3(), tls3("auth_service"), stats, {kNothing, same("circuit_breakers: [{a: b}]")}});
  if (kind == "RateLimitService") return random.some({ids3(), tls3("service"), stats, {kNothing, same("grpc: {a: true}")}});
  if (kind == "TCPMapping") {
    return random.some({ids3(),
                        stats,
                        {same("service: mq"),
                         same("service: https://mq"),
                         {"service: http://mq", "service: mq"},
                         {"service: https://mq, tls: up", "service: mq, tls: up, v2ExplicitTLS: {}"},
                         same("service: https://mq, v2ExplicitTLS: {tls: 'bool:true'}")}});
  }
  if (kind == "LogService") return random.some({ids3(), stats, {kNothing, same("protocol_version: v3, flush_interval_time: 3")}});
  if (kind == "TracingService") {
    return random.some(
        {ids3(),
         stats,
         {kNothing, same("custom_tags: [{tag: t}]"), {"tag_headers: [x]", "custom_tags: [{tag: x, request_header: {name: x}}]"}},
         {kNothing, same("config: {propagation_modes: [B3], service_name: n}")}});
  }
  if (kind == "Host") {
    return random.some({ids3(),
                        {kNothing,
                         same("mappingSelector: {a: b}"),
                         {"selector: {a: b}", "mappingSelector: {a: b}"},
                         {"selector: {a: b}, mappingSelector: {c: d}", "mappingSelector: {c: d}"}},
                        {kNothing, same("tls: {crl_secret: c}")}});
  }
  if (kind == "TLSContext") return random.some({ids3(), {kNothing, same("crl_secret: c")}});
  return random.some({ids3(), {kNothing, same("config: {a: {b: [null, 1.5]}}")}});
}

class ConvertProperty : public ::testing::TestWithParam<const char*> {};

TEST_P(ConvertProperty, ThereAndBack) {
  const std::string kind = GetParam();
  Random random(1);
  for (int i = 0; i < 300 && !::testing::Test::HasFailure(); ++i) {
    const Form older = kind == "Mapping" ? mapping2(random) : other2(random, kind);
    const Value written2 = parse(document("v2", kind, older.written));
    const Value as3 = toV3alpha1(written2, kind, Version::V2).object;
    const Value back2 = fromV3alpha1(as3, kind, Version::V2);
    EXPECT_EQ(back2.canonical(), parse(document("v2", kind, older.back)).canonical()) << written2.canonical() << "\n"
                                                                                      << as3.canonical();

    const Form newer = kind == "Mapping" ? mapping3(random) : other3(random, kind);
    const Value written3 = parse(document("v3alpha1", kind, newer.written));
    const Value as2 = fromV3alpha1(written3, kind, Version::V2);
    const Value back3 = toV3alpha1(as2, kind, Version::V2).object;
    EXPECT_EQ(back3.canonical(), parse(document("v3alpha1", kind, newer.back)).canonical()) << written3.canonical() << "\n"
                                                                                            << as2.canonical();
    // What came back once comes back for ever.
    EXPECT_EQ(fromV3alpha1(back3, kind, Version::V2).canonical(), as2.canonical()) << written3.canonical();
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, ConvertProperty,
                         ::testing::Values("Mapping", "AuthService", "RateLimitService", "TCPMapping", "LogService",
                                           "TracingService", "Host", "TLSContext", "Module", "ConsulResolver"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace emissary::convert
