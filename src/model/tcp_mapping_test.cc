#include "model/testing.h"

namespace emissary::model {
namespace {

TEST(ModelTcpMapping, EveryField) {
  const ObjectPtr object = ours("TCPMapping", R"({ambassador_id: blue, port: 5671, address: "0:0::1", host: MQ.Example.net,
    service: "rabbit:5672", tls: up, resolver: endpoint, weight: 20, enable_ipv4: false, enable_ipv6: true, cluster_tag: t,
    stats_name: s, idle_timeout_ms: "30000"})");
  ASSERT_EQ(all(*object), "");
  const auto& mapping = std::get<TcpMapping>(object->spec);
  EXPECT_EQ(mapping.port, 5671u);
  EXPECT_EQ(mapping.address, "::1");
  EXPECT_EQ(mapping.host, "mq.example.net");
  EXPECT_EQ(mapping.service, "rabbit:5672");
  EXPECT_EQ(mapping.tls, "up");
  EXPECT_EQ(mapping.resolver, "endpoint");
  EXPECT_EQ(mapping.weight, 20);
  EXPECT_EQ(mapping.enable_ipv4, false);
  EXPECT_EQ(mapping.enable_ipv6, true);
  EXPECT_EQ(mapping.cluster_tag, "t");
  EXPECT_EQ(mapping.stats_name, "s");
  EXPECT_EQ(mapping.idle_timeout_ms, 30000);
  EXPECT_FALSE(mapping.tls_passthrough);
}

TEST(ModelTcpMapping, AbsentDiffersFromZero) {
  const ObjectPtr object = ours("TCPMapping", R"({port: 1, service: s, host: "", address: "", idle_timeout_ms: 0})");
  ASSERT_EQ(all(*object), "");
  const auto& mapping = std::get<TcpMapping>(object->spec);
  EXPECT_EQ(mapping.address, "");
  EXPECT_EQ(mapping.host, "");
  EXPECT_EQ(mapping.idle_timeout_ms, 0);
  EXPECT_FALSE(mapping.weight);
  EXPECT_FALSE(mapping.tls);
}

TEST(ModelTcpMapping, OneSpellingForEachAddress) {
  const auto address = [](const std::string& text) {
    return std::get<TcpMapping>(ours("TCPMapping", "{port: 1, service: s, address: \"" + text + "\"}")->spec).address;
  };
  EXPECT_EQ(address("0:0::1"), "::1");
  EXPECT_EQ(address("::ffff:10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(address("::FFFF:0a00:1"), "10.0.0.1");
  EXPECT_EQ(address("::"), "::");
}

TEST(ModelTcpMapping, Mistakes) {
  for (const Case& c : std::vector<Case>{
           {"{service: s}", "error spec.port: is missing; write the port", false},
           {"{port: 0, service: s}", "error spec.port: must be from 1 to 65535, but is 0", false},
           {"{port: \"1\", service: s}", "error spec.port: must be a whole number", false},
           {"{port: 1}", "error spec.service: is missing", false},
           {"{port: 1, service: \"\"}", "error spec.service: must not be empty", false},
           {"{port: 1, service: s, address: localhost}", "error spec.address: must be an IP address to bind", false},
           {"{port: 1, service: s, address: 300.0.0.1}", "error spec.address: must be an IP address to bind", false},
           {"{port: 1, service: s, host: \"a.com:443\"}", "error spec.host: \"a.com:443\" holds a port", false},
           {"{port: 1, service: s, host: \"a.*\"}", "error spec.host: \"a.*\" must be a whole name", false},
           {"{port: 1, service: s, host: \"*a.com\"}", "error spec.host: \"*a.com\" must be a whole name", false},
           {"{port: 1, service: s, host: \"*.\"}", "error spec.host: \"*.\" is no host name", false},
           {"{port: 1, service: s, host: \"a b\"}", "error spec.host: \"a b\" is no host name", false},
           {"{port: 1, service: s, host: \"*\"}", "", true},
           {"{port: 1, service: s, host: \"*.a.com\"}", "", true},
           {"{port: 1, service: s, weight: -1}", "error spec.weight: is -1; write a percentage", false},
           {"{port: 1, service: s, weight: 50%}", "error spec.weight: must be a whole number", false},
           {"{port: 1, service: s, idle_timeout_ms: 3s}", "error spec.idle_timeout_ms: must be milliseconds in digits", false},
           {"{port: 1, service: s, idle_timeout_ms: \"-5\"}", "error spec.idle_timeout_ms: must be milliseconds in digits", false},
           {"{port: 1, service: s, idle_timeout_ms: \"99999999999999999999\"}", "error spec.idle_timeout_ms: must be", false},
           {"{port: 1, service: s, idle_timeout_ms: -5}", "error spec.idle_timeout_ms: must be from 0", false},
           {"{port: 1, service: s, idle_timeout_ms: [1]}", "error spec.idle_timeout_ms: must be a whole number", false},
           {"{port: 1, service: s, hostname: a}", "warning spec.hostname: is not a known field", true},
       }) {
    expectCase("TCPMapping", c);
  }
}

ObjectPtr annotated(const std::string& value, const std::string& host) {
  return parsedObject(
      "apiVersion: getambassador.io/v3alpha1\nkind: TCPMapping\nmetadata: {name: x, annotations: "
      "{getambassador.io/tls-passthrough: " +
      value + "}}\nspec: {port: 1, service: s" + host + "}\n");
}

TEST(ModelTcpMapping, PassthroughIsAskedForByAnAnnotation) {
  const ObjectPtr on = annotated("\"true\"", ", host: a.com"), off = annotated("\"false\"", ", host: a.com");
  EXPECT_TRUE(std::get<TcpMapping>(on->spec).tls_passthrough);
  EXPECT_FALSE(std::get<TcpMapping>(off->spec).tls_passthrough);
  EXPECT_NE(on->hash, off->hash) << "an annotation that counts is content";
  const ObjectPtr hostless = annotated("\"true\"", "");
  EXPECT_FALSE(std::get<TcpMapping>(hostless->spec).tls_passthrough);
  EXPECT_TRUE(all(*hostless).starts_with("warning spec.host: is missing, so getambassador.io/tls-passthrough has no effect"));
}

}  // namespace
}  // namespace emissary::model
