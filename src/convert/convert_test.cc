// Each rule, as a pair of what a user wrote and what the other version's readers see.

#include "convert/convert.h"

#include <gtest/gtest.h>

#include "manifest/parse.h"

namespace emissary::convert {
namespace {

using manifest::Value;

Value yaml(const std::string& text) {
  manifest::ParseResult result = manifest::parse(text);
  EXPECT_FALSE(result.error) << text;
  EXPECT_EQ(result.documents.size(), 1u) << text;
  return result.documents.empty() ? Value{} : result.documents[0];
}

Value object(std::string_view version, std::string_view kind, const std::string& spec) {
  return yaml("{apiVersion: getambassador.io/" + std::string(version) + ", kind: " + std::string(kind) + ", spec: " + spec + "}");
}

std::string specOf(const Value& object) { return object.find("spec")->canonical(); }
std::string newer(std::string_view kind, const std::string& v2) {
  return specOf(toV3alpha1(object("v2", kind, v2), kind, Version::V2).object);
}
std::string older(std::string_view kind, const std::string& v3) {
  return specOf(fromV3alpha1(object("v3alpha1", kind, v3), kind, Version::V2));
}

struct Pair {
  std::string_view kind;
  std::string v2;
  std::string v3;
};

void expectNewer(const Pair& pair) {
  EXPECT_EQ(newer(pair.kind, pair.v2), yaml(pair.v3).canonical()) << pair.kind << " " << pair.v2;
}
void expectOlder(const Pair& pair) {
  EXPECT_EQ(older(pair.kind, pair.v3), yaml(pair.v2).canonical()) << pair.kind << " " << pair.v3;
}

/// Equal in both directions, ids apart, which v2 always spells out.
void expectBoth(Pair pair) {
  pair.v3.insert(1, "ambassador_id: [default], ");
  pair.v2.insert(1, "ambassador_id: [--apiVersion-v3alpha1-only--default], ");
  expectNewer(pair);
  expectOlder(pair);
}

TEST(Convert, Versions) {
  EXPECT_EQ(versionNamed("v2"), Version::V2);
  EXPECT_EQ(versionNamed("v0"), std::nullopt);
  EXPECT_TRUE(exists("Mapping", Version::V1));
  EXPECT_FALSE(exists("Host", Version::V1));
  EXPECT_TRUE(exists("Host", Version::V2));
  EXPECT_FALSE(exists("Listener", Version::V2));
  EXPECT_TRUE(exists("Listener", Version::V3alpha1));
  EXPECT_FALSE(exists("Service", Version::V1));
}

TEST(Convert, BetweenAnyTwo) {
  const Value v1 = object("v1", "Mapping", "{prefix: /, service: a, tls: true, host: a.com}");
  const Value v2 = between(v1, "Mapping", Version::V1, Version::V2).object;
  EXPECT_EQ(v2.text("apiVersion"), "getambassador.io/v2");
  EXPECT_EQ(specOf(v2), specOf(v1));  // the same by another name, not by way of v3alpha1
  const Value v3 = between(v2, "Mapping", Version::V2, Version::V3alpha1).object;
  EXPECT_EQ(v3.canonical(), toV3alpha1(v2, "Mapping", Version::V2).object.canonical());
  EXPECT_EQ(between(v3, "Mapping", Version::V3alpha1, Version::V1).object.canonical(),
            fromV3alpha1(v3, "Mapping", Version::V1).canonical());
  EXPECT_EQ(between(v3, "Mapping", Version::V3alpha1, Version::V3alpha1).object.canonical(), v3.canonical());
}

TEST(Convert, TheVersionIsRewrittenAndTheRestKept) {
  const Value v1 = yaml(
      "apiVersion: getambassador.io/v1\nkind: Module\nmetadata: {name: a}\nspec:\n  config: {x: [1, null]}\n  odd: {y: z}\nstatus: "
      "s");
  const Value v3 = toV3alpha1(v1, "Module", Version::V1).object;
  EXPECT_EQ(
      v3.canonical(),
      yaml(
          "{apiVersion: getambassador.io/v3alpha1, kind: Module, metadata: {name: a}, spec: {config: {x: [1, null]}, odd: {y: z}}, "
          "status: s}")
          .canonical());
  EXPECT_EQ(fromV3alpha1(v3, "Module", Version::V1).text("apiVersion"), "getambassador.io/v1");
  EXPECT_EQ(toV3alpha1(v1, "Module", Version::V3alpha1).object.canonical(), v1.canonical());
  // What is no object of ours in any version is left to its reader.
  for (const char* spec : {"3", "[1]", "null"})
    EXPECT_EQ(newer("Mapping", spec), yaml(std::string("[") + spec + "]").list[0].canonical());
}

TEST(Convert, Ids) {
  for (const Pair& pair :
       std::vector<Pair>{{"Module", "{ambassador_id: blue}", "{ambassador_id: [blue]}"},
                         {"Module", "{ambassador_id: [a, --apiVersion-v3alpha1-only--b]}", "{ambassador_id: [a, b]}"},
                         {"Module", "{ambassador_id: [--apiVersion-v3alpha1-only----apiVersion-v3alpha1-only--b]}",
                          "{ambassador_id: [--apiVersion-v3alpha1-only--b]}"},
                         {"Module", "{}", "{}"},
                         {"Module", "{ambassador_id: null}", "{}"},
                         {"Module", "{ambassador_id: []}", "{ambassador_id: []}"},
                         {"Module", "{ambassador_id: 3}", "{ambassador_id: 3}"},
                         {"Host", "{ambassador_id: a, ambassadorId: [b]}", "{ambassador_id: [a, b]}"},
                         {"Host", "{ambassadorId: b}", "{ambassador_id: [b]}"},
                         {"Module", "{ambassadorId: b}", "{ambassadorId: b}"}}) {
    expectNewer(pair);
  }
  for (const Pair& pair :
       std::vector<Pair>{{"Module", "{ambassador_id: [--apiVersion-v3alpha1-only--default]}", "{}"},
                         {"Module", "{ambassador_id: [--apiVersion-v3alpha1-only--default]}", "{ambassador_id: []}"},
                         {"Module", "{ambassador_id: [--apiVersion-v3alpha1-only--a, --apiVersion-v3alpha1-only--b]}",
                          "{ambassador_id: [a, --apiVersion-v3alpha1-only--b]}"}}) {
    expectOlder(pair);
  }
}

TEST(Convert, OtherNames) {
  for (const Pair& pair : std::vector<Pair>{
           {"Host", "{selector: {matchLabels: {a: b}}}", "{mappingSelector: {matchLabels: {a: b}}}"},
           {"Host", "{tls: {v3CRLSecret: c, ca_secret: d}}", "{tls: {crl_secret: c, ca_secret: d}}"},
           {"TLSContext", "{v3CRLSecret: c, secret: d}", "{crl_secret: c, secret: d}"},
           {"AuthService", "{v3StatsName: s, v3CircuitBreakers: [{max_requests: 3}]}",
            "{stats_name: s, circuit_breakers: [{max_requests: 3}]}"},
           {"LogService", "{v3ProtocolVersion: v3, v3StatsName: s}", "{protocol_version: v3, stats_name: s}"},
           {"RateLimitService", "{v3StatsName: s, failure_mode_deny: true, v3GRPC: {use_resource_exhausted_code: true}}",
            "{stats_name: s, failure_mode_deny: true, grpc: {use_resource_exhausted_code: true}}"},
           {"TCPMapping", "{v3StatsName: s, port: 1}", "{stats_name: s, port: 1}"},
           {"TracingService", "{v3StatsName: s, v3CustomTags: [{tag: t}], config: {v3PropagationModes: [B3], service_name: n}}",
            "{stats_name: s, custom_tags: [{tag: t}], config: {propagation_modes: [B3], service_name: n}}"},
           {"Mapping", "{v3StatsName: s, v3health_checks: [{a: 1}], host: h}",
            "{stats_name: s, health_checks: [{a: 1}], hostname: h}"},
           {"ConsulResolver", "{address: a, datacenter: d}", "{address: a, datacenter: d}"},
           {"KubernetesEndpointResolver", "{}", "{}"},
           {"KubernetesServiceResolver", "{}", "{}"},
           {"DevPortal", "{default: true}", "{default: true}"}}) {
    Pair both = pair;
    if (both.v2 == "{}") both = {pair.kind, "{x: y}", "{x: y}"};
    expectBoth(both);
  }
  expectOlder({"Host", "{ambassador_id: [--apiVersion-v3alpha1-only--default], selector: {a: b}}", "{selector: {a: b}}"});
  expectOlder({"Host", "{ambassador_id: [--apiVersion-v3alpha1-only--default], selector: {c: d}}",
               "{selector: {a: b}, mappingSelector: {c: d}}"});
  // What v2 does not have is not taken for more than it is.
  expectOlder(
      {"TLSContext", "{ambassador_id: [--apiVersion-v3alpha1-only--default], v3CRLSecret: c}", "{crl_secret: c, v3CRLSecret: d}"});
}

TEST(Convert, FieldsOfTheNewVersionInAnOldObject) {
  const Converted out = toV3alpha1(yaml("apiVersion: getambassador.io/v1\nkind: Mapping\nspec:\n  hostname: b.com\n  host: a.com\n"
                                        "  stats_name: s\n  v2BoolHeaders: [x]\n"),
                                   "Mapping", Version::V1);
  EXPECT_EQ(specOf(out.object), yaml("{hostname: a.com}").canonical());
  ASSERT_EQ(out.remarks.size(), 3u);
  EXPECT_EQ(out.remarks[0].field, "spec.stats_name");
  EXPECT_EQ(out.remarks[0].line, 6);
  EXPECT_EQ(out.remarks[0].message,
            "is no field of getambassador.io/v1 and is ignored; write v3StatsName, or the object as getambassador.io/v3alpha1");
  EXPECT_EQ(out.remarks[1].message,
            "is no field of getambassador.io/v1 and is ignored; write the object as getambassador.io/v3alpha1");
  EXPECT_EQ(out.remarks[2].field, "spec.hostname");
  ASSERT_EQ(out.renamed.size(), 1u);
  EXPECT_EQ(out.renamed[0].now, "spec.hostname");
  EXPECT_EQ(out.renamed[0].written, "spec.host");
  EXPECT_EQ(out.object.find("spec")->find("hostname")->line, 5);
}

TEST(Convert, Tls) {
  const std::string host = ", hostname: '*'";
  for (const Pair& pair : std::vector<Pair>{
           {"Mapping", "{service: cart, tls: true}",
            "{service: https://cart, v2ExplicitTLS: {serviceScheme: '', tls: 'bool:true'}" + host + "}"},
           {"Mapping", "{service: http://cart, tls: true}",
            "{service: https://cart, v2ExplicitTLS: {serviceScheme: 'http://', tls: 'bool:true'}" + host + "}"},
           {"Mapping", "{service: https://cart, tls: true}",
            "{service: https://cart, v2ExplicitTLS: {tls: 'bool:true'}" + host + "}"},
           {"Mapping", "{service: HTTPS://cart, tls: true}",
            "{service: HTTPS://cart, v2ExplicitTLS: {tls: 'bool:true'}" + host + "}"},
           {"Mapping", "{service: cart, tls: up}", "{service: cart, tls: up, v2ExplicitTLS: {}" + host + "}"},
           {"Mapping", "{service: http://cart, tls: up}", "{service: http://cart, tls: up, v2ExplicitTLS: {}" + host + "}"},
           {"Mapping", "{service: https://cart, tls: false}",
            "{service: https://cart, v2ExplicitTLS: {tls: 'bool:false'}" + host + "}"},
           {"Mapping", "{service: cart, tls: ''}", "{service: cart, v2ExplicitTLS: {tls: string}" + host + "}"},
           {"Mapping", "{service: HtTp://cart:80}", "{service: HtTp://cart:80" + host + "}"},
           {"AuthService", "{auth_service: gate, tls: true}",
            "{auth_service: https://gate, v2ExplicitTLS: {serviceScheme: '', tls: 'bool:true'}}"},
           {"RateLimitService", "{service: rate, tls: true}",
            "{service: https://rate, v2ExplicitTLS: {serviceScheme: '', tls: 'bool:true'}}"},
           {"TCPMapping", "{service: mq, tls: true}", "{service: https://mq, v2ExplicitTLS: {tls: 'bool:true'}}"},
           {"TCPMapping", "{service: mq, tls: up}", "{service: mq, tls: up, v2ExplicitTLS: {}}"}}) {
    expectBoth(pair);
  }
  expectNewer({"Mapping", "{service: cart, tls: null}", "{service: cart" + host + "}"});
  expectNewer({"Mapping", "{service: cart, tls: 5}", "{service: cart, tls: 5" + host + "}"});
  expectNewer({"Mapping", "{tls: true}", "{v2ExplicitTLS: {tls: 'bool:true'}" + host + "}"});
  expectNewer({"TCPMapping", "{service: http://mq, tls: true}", "{service: https://mq, v2ExplicitTLS: {tls: 'bool:true'}}"});
  const std::string ids = "ambassador_id: [--apiVersion-v3alpha1-only--default], ";
  for (const Pair& pair : std::vector<Pair>{
           {"Mapping", "{service: cart}", "{service: cart, v2ExplicitTLS: {tls: 'bool:true'}, hostname: '*'}"},
           {"Mapping", "{service: https://cart, tls: up}",
            "{service: https://cart, tls: up, v2ExplicitTLS: {tls: 'bool:false'}, hostname: '*'}"},
           {"Mapping", "{service: 'http://cart', tls: up}",
            "{service: https://cart, tls: up, v2ExplicitTLS: {serviceScheme: 'http://'}, hostname: '*'}"},
           {"Mapping", "{service: http://cart}", "{service: cart, v2ExplicitTLS: {serviceScheme: 'http://'}, hostname: '*'}"},
           {"Mapping", "{service: https://cart}", "{service: https://cart, v2ExplicitTLS: {serviceScheme: ''}, hostname: '*'}"},
           {"Mapping", "{service: cart, tls: null}", "{service: cart, v2ExplicitTLS: {tls: 'null'}, hostname: '*'}"},
           {"TCPMapping", "{service: mq}", "{service: http://mq}"},
           {"TCPMapping", "{service: https://mq}", "{service: https://mq}"},
           {"TCPMapping", "{service: mq, tls: up}",
            "{service: https://mq, tls: up, v2ExplicitTLS: {serviceScheme: 'https://'}}"}}) {
    Pair old = pair;
    old.v2.insert(1, ids);
    expectOlder(old);
  }
}

TEST(Convert, HostOfAMapping) {
  for (const Pair& pair :
       std::vector<Pair>{{"Mapping", "{host: a.com}", "{hostname: a.com}"},
                         {"Mapping", "{host: '^a.*', host_regex: true}", "{host: '^a.*', host_regex: true}"},
                         {"Mapping", "{host: _skip_mapping_with_empty_host_}", "{}"},
                         {"Mapping", "{host: _skip_mapping_with_empty_host_, prefix: /}", "{prefix: /}"},
                         {"Mapping", "{prefix: /}", "{prefix: /, hostname: '*'}"},
                         {"Mapping", "{host: a.com, host_regex: false}", "{hostname: a.com, host_regex: false}"}}) {
    Pair both = pair;
    if (both.v3 == "{}") {
      expectNewer(both);
      continue;
    }
    expectBoth(both);
  }
  expectNewer({"Mapping", "{host: ''}", "{hostname: '*'}"});
  expectNewer({"Mapping", "{host: null}", "{hostname: '*'}"});
  expectNewer({"Mapping", "{host: 3}", "{hostname: 3}"});
  const std::string ids = "{ambassador_id: [--apiVersion-v3alpha1-only--default], ";
  expectOlder({"Mapping", ids + "host: _skip_mapping_with_empty_host_}", "{}"});
  expectOlder({"Mapping", ids + "host: '*.b', host_regex: false}", "{hostname: '*.b', host: zz, host_regex: true}"});
  expectOlder({"Mapping", ids + "host: zz}", "{host: zz}"});
  expectOlder({"Mapping", ids + "prefix: /}", "{hostname: '*', host: zz, prefix: /}"});
  expectOlder(
      {"Mapping", ids + "host: _skip_mapping_with_empty_host_, host_regex: false}", "{hostname: '', host: '', host_regex: true}"});
}

TEST(Convert, MatchesThatOnlyHaveToBeThere) {
  const std::string host = ", hostname: '*'";
  for (const Pair& pair : std::vector<Pair>{
           {"Mapping", "{headers: {x-a: '1', x-b: true}}",
            "{headers: {x-a: '1'}, regex_headers: {x-b: '.*'}, v2BoolHeaders: [x-b]" + host + "}"},
           {"Mapping", "{headers: {x-b: true, x-a: true}}",
            "{regex_headers: {x-b: '.*', x-a: '.*'}, v2BoolHeaders: [x-a, x-b]" + host + "}"},
           {"Mapping", "{headers: {x-b: true}, regex_headers: {x-b: 'y', x-c: z}}",
            "{regex_headers: {x-b: 'y', x-c: z}, v2BoolHeaders: [x-b]" + host + "}"},
           {"Mapping", "{query_parameters: {q: true, p: '1'}}",
            "{query_parameters: {p: '1'}, regex_query_parameters: {q: '.*'}, v2BoolQueryParameters: [q]" + host + "}"}}) {
    expectBoth(pair);
  }
  expectNewer({"Mapping", "{headers: {x-a: false, x-b: null, x-c: c}}", "{headers: {x-c: c}" + host + "}"});
  expectNewer({"Mapping", "{headers: {x-a: false}}", "{hostname: '*'}"});
  expectNewer({"Mapping", "{headers: {x-a: 3}}", "{headers: {x-a: 3}" + host + "}"});
  expectNewer({"Mapping", "{headers: {x-a: true}, regex_headers: {x-a: null}}",
               "{regex_headers: {x-a: '.*'}, v2BoolHeaders: [x-a]" + host + "}"});
  expectNewer({"Mapping", "{headers: [a]}", "{headers: [a]" + host + "}"});
  const std::string ids = "{ambassador_id: [--apiVersion-v3alpha1-only--default], ";
  expectOlder({"Mapping", ids + "headers: {x-a: '1'}, regex_headers: {x-a: '.*'}}",
               "{headers: {x-a: '1'}, regex_headers: {x-a: '.*'}, v2BoolHeaders: [x-a, x-z]" + host + "}"});
}

TEST(Convert, HeadersAddedAndRemoved) {
  const std::string host = ", hostname: '*'";
  for (const Pair& pair :
       std::vector<Pair>{{"Mapping", "{add_request_headers: {x-c: v}}",
                          "{add_request_headers: {x-c: {value: v, v2Representation: string}}" + host + "}"},
                         {"Mapping", "{add_response_headers: {x-c: null}}",
                          "{add_response_headers: {x-c: {v2Representation: 'null'}}" + host + "}"},
                         {"Mapping", "{add_request_headers: {x-c: {value: v, append: false}}}",
                          "{add_request_headers: {x-c: {value: v, append: false}}" + host + "}"},
                         {"Mapping", "{remove_request_headers: [foo]}", "{remove_request_headers: [foo]" + host + "}"}}) {
    expectBoth(pair);
  }
  expectNewer({"Mapping", "{remove_request_headers: foo, remove_response_headers: 'a,b'}",
               "{remove_request_headers: [foo], remove_response_headers: ['a,b']" + host + "}"});
  const std::string ids = "{ambassador_id: [--apiVersion-v3alpha1-only--default], ";
  expectOlder({"Mapping", ids + "add_request_headers: {a: {value: v, append: true}, b: {value: v}, c: {value: w}, d: {}}}",
               "{add_request_headers: {a: {value: v, append: true, v2Representation: string}, b: {value: v, v2Representation: ''}, "
               "c: {value: w, v2Representation: 'null'}, d: null}" +
                   host + "}"});
}

TEST(Convert, Cors) {
  const std::string host = ", hostname: '*'";
  for (const Pair& pair :
       std::vector<Pair>{{"Mapping", "{cors: {origins: 'http://a,http://b'}}",
                          "{cors: {origins: [http://a, http://b], v2CommaSeparatedOrigins: true}" + host + "}"},
                         {"Mapping", "{cors: {origins: 'http://a, http://b'}}",
                          "{cors: {origins: [http://a, ' http://b'], v2CommaSeparatedOrigins: true}" + host + "}"},
                         {"Mapping", "{cors: {origins: ''}}", "{cors: {origins: [''], v2CommaSeparatedOrigins: true}" + host + "}"},
                         {"Mapping", "{cors: {origins: [http://a], credentials: true}}",
                          "{cors: {origins: [http://a], credentials: true}" + host + "}"},
                         {"Mapping", "{cors: {origins: []}}", "{cors: {origins: []}" + host + "}"}}) {
    expectBoth(pair);
  }
  expectNewer({"Mapping", "{cors: {methods: 'GET', headers: x-a, exposed_headers: [x-b]}}",
               "{cors: {methods: [GET], headers: [x-a], exposed_headers: [x-b]}" + host + "}"});
}

TEST(Convert, Labels) {
  for (const Pair& pair : std::vector<Pair>{
           {"", "[remote_address, {k: {header: x-k}}, tenant]",
            "[{remote_address: {key: remote_address}}, {request_headers: {key: k, header_name: x-k}}, {generic_key: {value: "
            "tenant, "
            "v2Shorthand: true}}]"},
           {"", "[source_cluster, destination_cluster]",
            "[{source_cluster: {key: source_cluster}}, {destination_cluster: {key: destination_cluster}}]"},
           {"", "[{k: {header: x, omit_if_not_present: true}}]",
            "[{request_headers: {key: k, header_name: x, omit_if_not_present: true}}]"},
           {"", "[{generic_key: v, v3Key: kk}]", "[{generic_key: {value: v, key: kk}}]"},
           {"", "[{generic_key: v}]", "[{generic_key: {value: v}}]"},
           {"", "[{generic_key: remote_address}]", "[{generic_key: {value: remote_address}}]"},
           {"", "[{request_headers: {header: h}}, {generic_key: {header: h}}]",
            "[{request_headers: {key: request_headers, header_name: h}}, {request_headers: {key: generic_key, header_name: h}}]"},
           {"", "[3, [a], {a: b, c: d}]", "[3, [a], {a: b, c: d}]"}}) {
    expectBoth({"Mapping", "{labels: {d: [{g: " + pair.v2 + "}]}}", "{labels: {d: [{g: " + pair.v3 + "}]}, hostname: '*'}"});
  }
  expectOlder({"Mapping",
               "{ambassador_id: [--apiVersion-v3alpha1-only--default], labels: {d: [{g: [{generic_key: remote_address}]}]}}",
               "{labels: {d: [{g: [{generic_key: {value: remote_address, v2Shorthand: true}}]}]}, hostname: '*'}"});
}

TEST(Convert, TagHeaders) {
  expectNewer({"TracingService", "{tag_headers: [x-a]}", "{custom_tags: [{tag: x-a, request_header: {name: x-a}}]}"});
  expectOlder({"TracingService",
               "{ambassador_id: [--apiVersion-v3alpha1-only--default], v3CustomTags: [{tag: x-a, request_header: {name: x-a}}]}",
               "{tag_headers: [x-a]}"});
  const Converted both =
      toV3alpha1(object("v2", "TracingService", "{tag_headers: [x-a], v3CustomTags: [{tag: t}]}"), "TracingService", Version::V2);
  EXPECT_EQ(specOf(both.object), yaml("{custom_tags: [{tag: t}]}").canonical());
  ASSERT_EQ(both.remarks.size(), 1u);
  EXPECT_EQ(both.remarks[0].field, "spec.tag_headers");
}

TEST(Convert, NullTimesAreZero) {
  expectNewer({"Mapping", "{timeout_ms: null, docs: {timeout_ms: null}, weight: null}",
               "{timeout_ms: 0, docs: {timeout_ms: 0}, weight: null, hostname: '*'}"});
  expectNewer({"LogService", "{flush_interval_time: null}", "{flush_interval_time: 0}"});
  expectNewer({"DevPortal", "{docs: [{timeout_ms: null}]}", "{docs: [{timeout_ms: 0}]}"});
  expectNewer({"TCPMapping", "{idle_timeout_ms: null}", "{idle_timeout_ms: null}"});
}

TEST(Convert, LinesStay) {
  const Value v3 =
      toV3alpha1(yaml("apiVersion: getambassador.io/v2\nkind: Mapping\nspec:\n  tls: true\n  service: a\n  headers:\n    x: true\n"
                      "  add_request_headers:\n    w: z\n"),
                 "Mapping", Version::V2)
          .object;
  const Value& spec = *v3.find("spec");
  EXPECT_EQ(v3.find("apiVersion")->line, 1);
  EXPECT_EQ(spec.find("v2ExplicitTLS")->line, 4);
  EXPECT_EQ(spec.find("service")->line, 5);
  EXPECT_EQ(spec.find("regex_headers")->find("x")->line, 7);
  EXPECT_EQ(spec.find("add_request_headers")->find("w")->find("value")->line, 9);
}

}  // namespace
}  // namespace emissary::convert
