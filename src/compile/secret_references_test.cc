#include "compile/secret_references.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "manifest/parse.h"
#include "model/parse.h"

namespace emissary::compile {
namespace {

/// "field ns/name", sorted; what is not likely with a "?".
std::string referencesOf(std::string_view yaml) {
  const manifest::ParseResult parsed = manifest::parse(yaml);
  EXPECT_FALSE(parsed.error) << yaml;
  std::vector<std::string> out;
  for (const ObjectPtr& object : model::parseDocument(parsed.documents.at(0), {}).objects) {
    for (const SecretReference& reference : secretReferences(*object, "default")) {
      out.push_back(reference.field + " " + reference.secret.ns + "/" + reference.secret.name + (reference.likely ? "" : "?"));
    }
  }
  std::sort(out.begin(), out.end());
  std::string text;
  for (const std::string& line : out) text += (text.empty() ? "" : ", ") + line;
  return text;
}
std::string ours(std::string_view kind, std::string_view spec) {
  return referencesOf("{apiVersion: getambassador.io/v3alpha1, kind: " + std::string(kind) +
                      ", metadata: {name: x, namespace: edge}, spec: " + std::string(spec) + "}");
}

TEST(SecretReferences, OfHosts) {
  EXPECT_EQ(ours("Host", "{hostname: a.x}"), "");
  EXPECT_EQ(ours("Host", "{hostname: a.x, tlsSecret: {name: cert}}"), "spec.tlsSecret edge/cert");
  EXPECT_EQ(ours("Host", "{hostname: a.x, tlsSecret: {name: cert, namespace: other}}"), "spec.tlsSecret other/cert");
  EXPECT_EQ(ours("Host", "{hostname: a.x, tlsSecret: {name: cert.other}}"),
            "spec.tlsSecret edge/cert.other, spec.tlsSecret other/cert?");
  EXPECT_EQ(
      ours("Host", "{hostname: a.x, tlsSecret: {name: c}, tls: {ca_secret: ca, crl_secret: crl.other}}"),
      "spec.tls.ca_secret edge/ca, spec.tls.crl_secret edge/crl.other?, spec.tls.crl_secret other/crl, spec.tlsSecret edge/c");
  EXPECT_EQ(ours("Host", "{hostname: a.x, acmeProvider: {authority: none, privateKeySecret: {name: key}}}"),
            "spec.acmeProvider.privateKeySecret edge/key?");
}

TEST(SecretReferences, OfTlsContexts) {
  EXPECT_EQ(ours("TLSContext", "{hosts: [a.x], secret: cert, ca_secret: ca.other}"),
            "spec.ca_secret edge/ca.other?, spec.ca_secret other/ca, spec.secret edge/cert");
  EXPECT_EQ(ours("TLSContext", "{hosts: [a.x], secret: cert.other, secret_namespacing: true}"), "spec.secret other/cert");
  EXPECT_EQ(ours("TLSContext", "{hosts: [a.x], secret: cert.other, secret_namespacing: false}"), "spec.secret edge/cert.other");
}

TEST(SecretReferences, OfOthers) {
  EXPECT_EQ(ours("Mapping", "{hostname: '*', prefix: /, service: s, tls: context}"), "");
  EXPECT_EQ(referencesOf("apiVersion: v1\nkind: Service\nmetadata:\n  name: s\n  namespace: edge\n  annotations:\n"
                         "    getambassador.io/config: |\n"
                         "      {apiVersion: getambassador.io/v3alpha1, kind: Host, name: h, hostname: a.x, tlsSecret: {name: c}}\n"
                         "      ---\n"
                         "      {apiVersion: getambassador.io/v3alpha1, kind: Host, name: i, ambassador_id: [x], hostname: b.x, "
                         "tlsSecret: {name: d}}\n"),
            "spec.tlsSecret edge/c");
}

}  // namespace
}  // namespace emissary::compile
