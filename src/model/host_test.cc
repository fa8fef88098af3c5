#include "model/testing.h"

namespace emissary::model {
namespace {

TEST(ModelHost, EveryField) {
  const ObjectPtr object = ours("Host", R"({ambassadorId: [blue], ambassador_id: [green], hostname: "shop.example.net:8443",
    mappingSelector: {matchLabels: {app: shop}, matchExpressions: [{key: tier, operator: NotIn, values: [a, b]}]},
    acmeProvider: {authority: none, email: a@b, registration: r, privateKeySecret: {name: k}},
    tlsSecret: {name: shop-cert, namespace: certs},
    tls: {min_tls_version: v1.2, maxTlsVersion: v1.3, alpnProtocols: "h2,http/1.1", cipher_suites: [AES128-SHA], ecdhCurves: [P-384],
          caSecret: ca.security, crlSecret: crl, certRequired: true, sni: s, redirect_cleartext_from: 80},
    requestPolicy: {insecure: {action: Route}}})");
  ASSERT_EQ(all(*object), "");
  EXPECT_EQ(object->ambassador_id, std::vector<std::string>{"blue"});
  const auto& host = std::get<Host>(object->spec);
  EXPECT_EQ(host.hostname, "shop.example.net:8443");
  ASSERT_TRUE(host.mapping_selector);
  EXPECT_EQ(host.mapping_selector->match_labels, (std::map<std::string, std::string>{{"app", "shop"}}));
  ASSERT_EQ(host.mapping_selector->match_expressions.size(), 1u);
  EXPECT_EQ(host.mapping_selector->match_expressions[0].op, LabelSelector::Operator::NotIn);
  EXPECT_EQ(host.tls_secret_name, "shop-cert");
  EXPECT_EQ(host.tls_secret_namespace, "certs");
  EXPECT_EQ(host.insecure_action, Host::InsecureAction::Route);
  ASSERT_TRUE(host.tls);
  TlsSettings expected;
  expected.alpn_protocols = "h2,http/1.1";
  expected.min_version = "v1.2";
  expected.max_version = "v1.3";
  expected.cipher_suites = {"AES128-SHA"};
  expected.ecdh_curves = {"P-384"};
  expected.ca_secret = "ca.security";
  expected.crl_secret = "crl";
  expected.cert_required = true;
  expected.sni = "s";
  EXPECT_EQ(*host.tls, expected);
}

TEST(ModelHost, Defaults) {
  const ObjectPtr object = parsedObject("{apiVersion: getambassador.io/v3alpha1, kind: Host, metadata: {name: x}}");
  EXPECT_EQ(all(*object), "");
  const auto& host = std::get<Host>(object->spec);
  EXPECT_EQ(host.hostname, "*");
  EXPECT_FALSE(host.mapping_selector || host.tls);
  EXPECT_EQ(host.tls_secret_name, "");
  EXPECT_EQ(host.insecure_action, Host::InsecureAction::Redirect);
}

TEST(ModelHost, DeprecatedSelectorCountsWhereTheOtherIsEmpty) {
  const ObjectPtr object = ours("Host", "{mappingSelector: {}, selector: {matchLabels: {a: b}}}");
  EXPECT_EQ(std::get<Host>(object->spec).mapping_selector->match_labels.size(), 1u);
  const ObjectPtr empty = ours("Host", "{mappingSelector: {}}");
  ASSERT_TRUE(std::get<Host>(empty->spec).mapping_selector);
  EXPECT_EQ(*std::get<Host>(empty->spec).mapping_selector, LabelSelector{});
}

constexpr Case kHostCases[] = {
    {"{hostname: 'a.*.x'}", "warning spec.hostname: \"a.*.x\" matches no host name", true},
    {"{hostname: '*.x:80'}", "", true},
    {"{hostname: '*x'}", "", true},
    {"{hostname: 'x.*'}", "", true},
    {"{hostname: 'x:http'}", "warning spec.hostname: \"x:http\" matches no request", true},
    {"{hostname: 'x:70000'}", "warning spec.hostname", true},
    {"{hostname: 'http://x'}", "warning spec.hostname", true},
    {"{hostname: 'x/y'}", "warning spec.hostname: \"x/y\" is no host name", true},
    {"{hostname: [x]}", "error spec.hostname: must be text, but is a list", false},
    {"{hostname: \"a\\tb\"}", "error spec.hostname: holds the control character 0x09", false},
    {"{selector: {matchLabels: {a: b}}}", "notice spec.selector: is deprecated", true},
    {"{selector: {matchLabels: {a: b}}, mappingSelector: {matchLabels: {a: c}}}", "warning spec.selector: is ignored", true},
    {"{mappingSelector: {matchLabels: {a: true}}}", "error spec.mappingSelector.matchLabels.a: must be text", false},
    {"{mappingSelector: {matchLabel: {a: b}}}",
     "warning spec.mappingSelector.matchLabel: is not a known field and is ignored; did you "
     "mean matchLabels?",
     true},
    {"{mappingSelector: {matchExpressions: [{key: a, operator: In}]}}",
     "error spec.mappingSelector.matchExpressions[0].values: must name", false},
    {"{mappingSelector: {matchExpressions: [{key: a, operator: Exists, values: [x]}]}}",
     "error spec.mappingSelector.matchExpressions[0].values: must be absent", false},
    {"{mappingSelector: {matchExpressions: [{key: a, operator: in, values: [x]}]}}",
     "error spec.mappingSelector.matchExpressions[0].operator: must be one of In, NotIn, Exists, DoesNotExist, but is text \"in\"; "
     "write In",
     false},
    {"{mappingSelector: {matchExpressions: [{operator: Exists}]}}",
     "error spec.mappingSelector.matchExpressions[0].key: is missing", false},
    {"{tlsSecret: {name: A_B}}", "error spec.tlsSecret.name: \"A_B\" is no name of a Secret", false},
    {"{tlsSecret: {name: a, namespace: a.b}}", "error spec.tlsSecret.namespace", false},
    {"{tlsSecret: {}}", "warning spec.tlsSecret: names no Secret", true},
    {"{tlsSecret: name}", "error spec.tlsSecret: must be a map of fields, but is text \"name\"", false},
    {"{tlsSecret: {name: a}, tls: {}, tlsContext: {name: b}}", "error spec.tls: must not stand beside tlsContext", false},
    {"{tls: {min_tls_version: v1.2}}", "warning spec.tls: has no effect without tlsSecret", true},
    {"{tlsContext: {name: b}}", "warning spec.tlsContext: has no effect without tlsSecret", true},
    {"{tlsSecret: {name: a}, tls: {min_tls_version: v1.4}}",
     "error spec.tls.min_tls_version: must be one of v1.0, v1.1, v1.2, v1.3, but is "
     "text \"v1.4\"",
     false},
    {"{tlsSecret: {name: a}, tls: {minTlsVersion: 1.2}}", "error spec.tls.minTlsVersion: must be text", false},
    {"{tlsSecret: {name: a}, tls: {minTlsVersion: v1.3, max_tls_version: v1.2}}", "error spec.tls.max_tls_version: v1.2 is below",
     false},
    {"{tlsSecret: {name: a}, tls: {ca_secret: a, caSecret: b}}", "warning spec.tls.caSecret: is another spelling", true},
    {"{tlsSecret: {name: a}, tls: {maxTlsVersion: v1.1}}", "warning spec.tls.maxTlsVersion: v1.1 leaves no version", true},
    {"{tlsSecret: {name: a}, tls: {cipher_suites: [RC4-MD5]}}",
     "error spec.tls.cipher_suites: \"RC4-MD5\" is no cipher suite that Envoy knows", false},
    {"{tlsSecret: {name: a}, tls: {cipherSuites: [AES128-SHA, RC4-MD5]}}",
     "error spec.tls.cipherSuites: \"RC4-MD5\" is no cipher suite that Envoy knows", true},
    {"{tlsSecret: {name: a}, tls: {cipher_suites: ['[AES128-SHA|NONE]']}}",
     "error spec.tls.cipher_suites: \"[AES128-SHA|NONE]\" is", false},
    {"{tlsSecret: {name: a}, tls: {cipher_suites: [TLS_AES_128_GCM_SHA256, AES128-SHA]}}",
     "error spec.tls.cipher_suites: \"TLS_AES_128_GCM_SHA256\" belongs to TLS 1.3", true},
    {"{tlsSecret: {name: a}, tls: {ecdh_curves: [secp256k1]}}", "error spec.tls.ecdh_curves: \"secp256k1\" is no curve", false},
    {"{tlsSecret: {name: a}, tls: {ecdhCurves: ['P-256:P-224']}}", "error spec.tls.ecdhCurves: \"P-224\" is no curve", true},
    {"{tlsSecret: {name: a}, tls: {cacertChainFile: /a}}", "error spec.tls.cacertChainFile: is not acted on in this version",
     false},
    {"{requestPolicy: {insecure: {action: redirect}}}",
     "error spec.requestPolicy.insecure.action: must be one of Redirect, Reject, Route, "
     "but is text \"redirect\"; write Redirect",
     false},
    {"{requestPolicy: {insecure: {additionalPort: 8080}}}", "notice spec.requestPolicy.insecure.additionalPort: has no effect",
     true},
    {"{requestPolicy: {insecur: {}}}", "warning spec.requestPolicy.insecur: is not a known field", true},
    {"{previewUrl: {enabled: true}}", "warning spec.previewUrl: has no effect", true},
    {"{acmeProvider: {authority: 'https://acme'}}", "notice spec.acmeProvider.authority: has no effect", true},
};

TEST(ModelHost, Cases) {
  for (const Case& c : kHostCases) expectCase("Host", c);
}

TEST(ModelTlsContext, EveryField) {
  const ObjectPtr object = ours("TLSContext", R"({hosts: [a.x, b.x], secret: cert.certs, secret_namespacing: false, ca_secret: ca,
    cert_required: false, alpn_protocols: h2, min_tls_version: v1.0, max_tls_version: v1.0, cipher_suites: [AES128-SHA, 'AES256-SHA:AES128-SHA'], ecdh_curves: [P-256],
    crl_secret: revoked, sni: s, redirect_cleartext_from: 8080})");
  EXPECT_EQ(all(*object), "");
  const auto& context = std::get<TlsContext>(object->spec);
  EXPECT_EQ(context.hosts, (std::vector<std::string>{"a.x", "b.x"}));
  EXPECT_EQ(context.secret, "cert.certs");
  EXPECT_EQ(context.secret_namespacing, false);
  EXPECT_EQ(context.settings.ca_secret, "ca");
  EXPECT_EQ(context.settings.crl_secret, "revoked");
  EXPECT_EQ(context.settings.cipher_suites, (std::vector<std::string>{"AES128-SHA", "AES256-SHA"}));
  EXPECT_EQ(context.settings.cert_required, false);
  EXPECT_EQ(context.settings.min_version, "v1.0");
  EXPECT_EQ(context.settings.ecdh_curves, std::vector<std::string>{"P-256"});
  EXPECT_FALSE(std::get<TlsContext>(ours("TLSContext", "{}")->spec).secret_namespacing.has_value());
}

constexpr Case kContextCases[] = {
    {"{hosts: a.x}", "error spec.hosts: must be a list of texts, but is text \"a.x\"; write [\"a.x\"]", false},
    {"{min_tls_version: TLSv1.2}", "error spec.min_tls_version: must be one of v1.0", true},
    {"{min_tls_version: 1.2}", "error spec.min_tls_version: must be text, but is the number 1.2; write it in quotes", false},
    {"{redirect_cleartext_from: x}",
     "error spec.redirect_cleartext_from: must be a whole number, but is text \"x\"; it is not used", true},
    {"{cert_chain_file: /a}", "error spec.cert_chain_file: needs private_key_file", false},
    {"{crl_file: /a}", "error spec.crl_file: is not acted on", false},
    {"{alpnProtocols: a}", "warning spec.alpnProtocols: is not a known field", true},
    {"{secret_namespacing: 'no'}", "error spec.secret_namespacing: must be true or false, but is text \"no\"", false},
};

TEST(ModelTlsContext, Cases) {
  for (const Case& c : kContextCases) {
    const ObjectPtr object = ours("TLSContext", c.spec);
    SCOPED_TRACE(c.spec);
    EXPECT_EQ(object->usable, c.usable);
    ASSERT_FALSE(object->findings.empty());
    EXPECT_TRUE(told(object->findings)[0].starts_with(c.finding)) << all(*object);
  }
}

TEST(ModelTlsContext, Alpn) {
  const auto alpn = [](const std::string& text) {
    const ObjectPtr object = ours("TLSContext", "{alpn_protocols: '" + text + "'}");
    EXPECT_EQ(object->findings.empty(), text.size() < 100);
    return std::get<TlsContext>(object->spec).settings.alpn_protocols;
  };
  EXPECT_EQ(alpn(" h2 , http/1.1,,"), "h2,http/1.1");
  EXPECT_EQ(alpn("h2," + std::string(256, 'x')), "h2");
}

TEST(ModelSelector, Matches) {
  using Operator = LabelSelector::Operator;
  const std::map<std::string, std::string> labels = {{"a", "1"}, {"b", "2"}};
  struct Row {
    LabelSelector selector;
    bool matches;
  };
  const Row rows[] = {
      {{}, true},
      {{{{"a", "1"}}, {}}, true},
      {{{{"a", "2"}}, {}}, false},
      {{{{"c", "1"}}, {}}, false},
      {{{}, {{"a", Operator::In, {"0", "1"}}}}, true},
      {{{}, {{"a", Operator::In, {"0"}}}}, false},
      {{{}, {{"c", Operator::In, {"0"}}}}, false},
      {{{}, {{"a", Operator::NotIn, {"0"}}}}, true},
      {{{}, {{"a", Operator::NotIn, {"1"}}}}, false},
      {{{}, {{"c", Operator::NotIn, {"1"}}}}, true},
      {{{}, {{"a", Operator::Exists, {}}}}, true},
      {{{}, {{"c", Operator::Exists, {}}}}, false},
      {{{}, {{"a", Operator::DoesNotExist, {}}}}, false},
      {{{}, {{"c", Operator::DoesNotExist, {}}}}, true},
      {{{{"a", "1"}}, {{"b", Operator::In, {"3"}}}}, false},
  };
  for (const Row& row : rows) EXPECT_EQ(row.selector.matches(labels), row.matches);
}

}  // namespace
}  // namespace emissary::model
