#include "model/testing.h"

namespace emissary::model {
namespace {

using Layer = Listener::Layer;

TEST(ModelListener, EveryField) {
  const ObjectPtr object = ours("Listener", R"({ambassador_id: blue, port: 8443.0, protocolStack: [PROXY, TLS, HTTP, TCP],
    securityModel: SECURE, statsPrefix: edge, l7Depth: 2, http2MaxConcurrentStreams: 100,
    hostBinding: {namespace: {from: Selector, selector: {matchLabels: {team: a}}}, selector: {matchExpressions: [{key: t, operator: Exists}]}}})");
  ASSERT_EQ(all(*object), "");
  EXPECT_EQ(object->ambassador_id, std::vector<std::string>{"blue"});
  const auto& listener = std::get<Listener>(object->spec);
  EXPECT_EQ(listener.port, 8443u);
  EXPECT_EQ(listener.stack, (std::vector<Layer>{Layer::PROXY, Layer::TLS, Layer::HTTP, Layer::TCP}));
  EXPECT_EQ(listener.security_model, Listener::SecurityModel::SECURE);
  EXPECT_EQ(listener.stats_prefix, "edge");
  EXPECT_EQ(listener.l7_depth, 2u);
  EXPECT_EQ(listener.http2_max_concurrent_streams, 100u);
  EXPECT_EQ(listener.from, Listener::From::SELECTOR);
  EXPECT_EQ(listener.namespace_selector.match_labels.size(), 1u);
  ASSERT_TRUE(listener.host_selector);
  EXPECT_EQ(listener.host_selector->match_expressions.size(), 1u);
}

TEST(ModelListener, Protocols) {
  struct Row {
    std::string protocol;
    std::vector<Layer> stack;
  };
  for (const Row& row : std::vector<Row>{{"HTTP", {Layer::HTTP, Layer::TCP}},
                                         {"HTTPS", {Layer::TLS, Layer::HTTP, Layer::TCP}},
                                         {"HTTPPROXY", {Layer::PROXY, Layer::HTTP, Layer::TCP}},
                                         {"HTTPSPROXY", {Layer::TLS, Layer::PROXY, Layer::HTTP, Layer::TCP}},
                                         {"TCP", {Layer::TCP}},
                                         {"TLS", {Layer::TLS, Layer::TCP}}}) {
    const ObjectPtr object =
        ours("Listener", "{port: 1, protocol: " + row.protocol + ", securityModel: XFP, hostBinding: {namespace: {from: all}}}");
    EXPECT_EQ(all(*object), "");
    EXPECT_EQ(std::get<Listener>(object->spec).stack, row.stack) << row.protocol;
    EXPECT_EQ(std::get<Listener>(object->spec).from, Listener::From::ALL);
  }
}

TEST(ModelListener, OnlyASelectorBindsTheOwnNamespace) {
  const ObjectPtr object =
      ours("Listener", "{port: 1, protocol: HTTP, securityModel: XFP, hostBinding: {selector: {matchLabels: {a: b}}}}");
  EXPECT_EQ(all(*object), "");
  EXPECT_EQ(std::get<Listener>(object->spec).from, Listener::From::SELF);
}

TEST(ModelListener, StackWinsOverProtocol) {
  const ObjectPtr object = ours(
      "Listener",
      "{port: 1, protocol: HTTP, protocolStack: [TLS, HTTP, UDP], securityModel: XFP, hostBinding: {namespace: {from: SELF}}}");
  EXPECT_TRUE(object->usable);
  EXPECT_EQ(std::get<Listener>(object->spec).stack, (std::vector<Layer>{Layer::TLS, Layer::HTTP, Layer::UDP}));
  EXPECT_TRUE(all(*object).starts_with("error spec.protocol: is not used, for protocolStack is given too"));
}

#define REST "securityModel: XFP, hostBinding: {namespace: {from: SELF}}}"
constexpr Case kCases[] = {
    {"{protocol: HTTP, " REST, "error spec.port: is missing", false},
    {"{port: 0, protocol: HTTP, " REST, "error spec.port: must be from 1 to 65535, but is 0", false},
    {"{port: 65536, protocol: HTTP, " REST, "error spec.port: must be from 1 to 65535", false},
    {"{port: '80', protocol: HTTP, " REST, "error spec.port: must be a whole number, but is text \"80\"; write 80", false},
    {"{port: 80, " REST, "error spec.protocol: is missing", false},
    {"{port: 80, protocolStack: [], " REST, "error spec.protocol: is missing", false},
    {"{port: 80, protocol: http, " REST,
     "error spec.protocol: must be one of HTTP, HTTPS, HTTPPROXY, HTTPSPROXY, TCP, TLS, UDP, but is "
     "text \"http\"; write HTTP",
     false},
    {"{port: 80, protocol: UDP, " REST, "error spec.protocol: protocol UDP is not valid", false},
    {"{port: 80, protocolStack: [TLS, HTTP], " REST, "error spec.protocolStack: must end with TCP or UDP", false},
    {"{port: 80, protocolStack: [TLS, UDP], " REST, "error spec.protocolStack: UDP carries HTTP only", false},
    {"{port: 80, protocolStack: [HTTP, UDP], " REST, "error spec.protocolStack: HTTP over UDP", false},
    {"{port: 80, protocolStack: [TLS, HTTP, SCTP], " REST, "error spec.protocolStack[2]: must be one of", false},
    {"{port: 80, protocolStack: HTTP, " REST, "error spec.protocolStack: must be a list such as [TLS, HTTP, TCP], but is text",
     false},
    {"{port: 80, protocol: HTTP, hostBinding: {namespace: {from: SELF}}}", "error spec.securityModel: is missing", false},
    {"{port: 80, protocol: HTTP, securityModel: xfp, hostBinding: {namespace: {from: SELF}}}",
     "error spec.securityModel: must be one of XFP, SECURE, INSECURE, but is text \"xfp\"; write XFP", false},
    {"{port: 80, protocol: HTTP, securityModel: XFP}", "error spec.hostBinding: is missing", false},
    {"{port: 80, protocol: HTTP, securityModel: XFP, hostBinding: {}}",
     "error spec.hostBinding: names neither namespace nor selector", false},
    {"{port: 80, protocol: HTTP, securityModel: XFP, hostBinding: {namespace: {}, selector: {}}}",
     "error spec.hostBinding: names neither", false},
    {"{port: 80, protocol: HTTP, securityModel: XFP, hostBinding: {namespace: {from: ANY}}}",
     "error spec.hostBinding.namespace.from: must be one of ALL, SELF, SELECTOR, but is text \"ANY\"", false},
    {"{port: 80, protocol: HTTP, securityModel: XFP, hostBinding: {namespace: {from: SELECTOR}}}",
     "error spec.hostBinding.namespace.from: SELECTOR needs a selector", true},
    {"{port: 80, protocol: HTTP, securityModel: XFP, hostBinding: {namespace: {from: ALL, selector: {matchLabels: {a: b}}}}}",
     "warning spec.hostBinding.namespace.selector: has no effect", true},
    {"{port: 80, protocol: HTTP, securityModel: XFP, hostBinding: {selector: {matchLabels: {a: 1}}}}",
     "error spec.hostBinding.selector.matchLabels.a: must be text", false},
    {"{port: 80, protocol: HTTP, securityModel: XFP, hostBinding: all}", "error spec.hostBinding: must be a map of fields", false},
    {"{port: 80, protocol: HTTP, l7Depth: -1, " REST, "warning spec.l7Depth: -1 counts as 0", true},
    {"{port: 80, protocol: HTTP, http2MaxConcurrentStreams: 0, " REST, "error spec.http2MaxConcurrentStreams: must be from 1",
     false},
    {"{port: 80, protocol: HTTP, statsprefix: a, " REST,
     "warning spec.statsprefix: is not a known field and is ignored; did you mean "
     "statsPrefix?",
     true},
};
#undef REST

TEST(ModelListener, Cases) {
  for (const Case& c : kCases) expectCase("Listener", c);
}

}  // namespace
}  // namespace emissary::model
