#include "compile/host.h"

#include <gtest/gtest.h>

#include <map>

namespace emissary::compile {
namespace {

class CompileHost : public ::testing::Test {
 protected:
  CompileHost() {
    object_.ref = {Kind::Host, "edge", "shop"};
    spec_.hostname = "shop.com";
    spec_.tls_secret_name = "cert";
    secrets_["edge/cert"] = {.exists = true, .has_certificate = true, .has_ca = true};
    secrets_["edge/ca"] = {.exists = true, .has_ca = true};
    secrets_["security/ca"] = {.exists = true, .has_ca = true, .cert_required = true};
    secrets_["edge/ca.security"] = {.exists = true, .has_ca = true};
    secrets_["edge/revoked"] = {.exists = true, .has_crl = true};
  }

  void context(const std::string& name, model::TlsContext spec) {
    auto object = std::make_shared<Object>();
    object->ref = {Kind::TLSContext, "edge", name};
    object->spec = std::move(spec);
    contexts_[name] = std::move(object);
  }

  HostResult run() {
    object_.spec = spec_;
    HostLookups lookups;
    lookups.secret = [this](std::string_view ns, std::string_view name) {
      return secrets_[std::string(ns) + "/" + std::string(name)];
    };
    lookups.tls_context = [this](std::string_view name, std::string_view) { return contexts_[std::string(name)]; };
    lookups.secret_namespacing = namespacing_;
    return compileHost(object_, lookups);
  }

  /// The Host is not served, and this is why.
  void expectRefused(const std::string& field, const std::string& part) {
    const HostResult result = run();
    EXPECT_FALSE(result.host.has_value()) << part;
    ASSERT_EQ(result.findings.size(), 1u) << part;
    EXPECT_EQ(result.findings[0].severity, Severity::Error);
    EXPECT_EQ(result.findings[0].field, field);
    EXPECT_NE(result.findings[0].message.find(part), std::string::npos) << result.findings[0].message;
  }

  ir::TlsTermination tls() {
    const HostResult result = run();
    if (result.host && result.host->tls && result.findings.empty()) return *result.host->tls;
    ADD_FAILURE() << (result.findings.empty() ? "no TLS" : result.findings[0].message);
    return {};
  }

  Object object_;
  model::Host spec_;
  std::map<std::string, SecretState> secrets_;
  std::map<std::string, ObjectPtr> contexts_;
  bool namespacing_ = true;
};

TEST_F(CompileHost, SecretsThatCannotBeUsed) {
  secrets_["edge/cert"] = {};
  expectRefused("spec.tlsSecret", "Secret edge/cert does not exist");
  secrets_["edge/cert"] = {.exists = true};
  expectRefused("spec.tlsSecret", "holds no certificate with its key");
  secrets_["edge/cert"] = {.exists = true, .has_certificate = true, .problem = "the private key is encrypted"};
  expectRefused("spec.tlsSecret", "cannot be used: the private key is encrypted");
  spec_.tls_secret_namespace = "certs";
  expectRefused("spec.tlsSecret", "Secret certs/cert does not exist");
}

TEST_F(CompileHost, ClientCertificates) {
  spec_.tls.emplace();
  spec_.tls->ca_secret = "ca";
  EXPECT_EQ(tls().ca_name, "ca");
  EXPECT_FALSE(tls().client_certificate_required);
  spec_.tls->cert_required = true;
  EXPECT_TRUE(tls().client_certificate_required);
  EXPECT_EQ(tls().settings, model::TlsSettings{}) << "what is resolved does not stand twice";
  spec_.tls->ca_secret.clear();
  expectRefused("spec.tls.cert_required", "is true without a ca_secret");
  spec_.tls->ca_secret = "gone";
  expectRefused("spec.tls.ca_secret", "names Secret edge/gone, which does not exist");
  secrets_["edge/gone"] = {.exists = true};
  expectRefused("spec.tls.ca_secret", "holds no certificate authority");
}

TEST_F(CompileHost, TheAuthoritysSecretMayRequireCertificates) {
  spec_.tls.emplace();
  spec_.tls->ca_secret = "ca.security";
  EXPECT_EQ(tls().ca_namespace, "security");
  EXPECT_TRUE(tls().client_certificate_required);
  spec_.tls->cert_required = false;
  EXPECT_FALSE(tls().client_certificate_required) << "what the Host says itself counts";
  namespacing_ = false;
  EXPECT_EQ(tls().ca_name, "ca.security");
  EXPECT_EQ(tls().ca_namespace, "edge");
}

TEST_F(CompileHost, AnAuthorityBesideTheCertificate) {
  secrets_["edge/cert"].bundles_ca = true;
  EXPECT_EQ(tls().ca_name, "cert");
  secrets_["edge/cert"].cert_required = true;
  EXPECT_TRUE(tls().client_certificate_required);
  spec_.tls.emplace();
  spec_.tls->ca_secret = "ca";
  EXPECT_EQ(tls().ca_name, "ca");
  EXPECT_FALSE(tls().client_certificate_required);
  spec_.tls->ca_secret.clear();
  secrets_["edge/cert"].has_ca = false;
  expectRefused("spec.tlsSecret", "root-cert.pem");
}

TEST_F(CompileHost, Revocation) {
  spec_.tls.emplace();
  spec_.tls->crl_secret = "revoked";
  expectRefused("spec.tls.crl_secret", "needs a ca_secret");
  spec_.tls->ca_secret = "ca";
  EXPECT_EQ(tls().crl_name, "revoked");
  EXPECT_EQ(tls().crl_namespace, "edge");
  secrets_["edge/revoked"].has_crl = false;
  expectRefused("spec.tls.crl_secret", "holds no revocation list");
}

TEST_F(CompileHost, Contexts) {
  spec_.tls_context = "strict";
  expectRefused("spec.tlsContext.name", "\"strict\", which does not exist");
  model::TlsContext strict;
  strict.settings.min_version = "v1.3";
  context("strict", strict);
  EXPECT_EQ(tls().settings.min_version, "v1.3");
  strict.secret = "cert";
  strict.hosts = {"shop.com"};
  context("strict", strict);
  EXPECT_EQ(tls().secret_name, "cert");
  strict.hosts = {"shop"};
  context("strict", strict);
  EXPECT_EQ(tls().secret_name, "cert") << "the Host's name counts as well as its hostname";
  strict.hosts = {"other.com"};
  context("strict", strict);
  ASSERT_TRUE(run().host.has_value());
  EXPECT_EQ(run().findings.at(0).severity, Severity::Warning);
  strict.secret = "cert.certs";
  context("strict", strict);
  expectRefused("spec.tlsSecret", "differs from the Secret \"cert.certs\"");
  strict.secret_namespacing = false;
  spec_.tls_secret_name = "cert.certs";
  secrets_["edge/cert.certs"] = secrets_["edge/cert"];
  strict.hosts.clear();
  context("strict", strict);
  EXPECT_EQ(tls().secret_name, "cert.certs");
  strict.settings.ca_secret = "ca.security";
  context("strict", strict);
  EXPECT_EQ(tls().ca_namespace, "edge");
  strict.settings.ca_secret = "gone";
  context("strict", strict);
  expectRefused("spec.tlsContext", "ca_secret of TLSContext edge/strict names Secret edge/gone");
}

TEST_F(CompileHost, ADotInTheSecretsName) {
  spec_.tls_secret_name = "cert.certs";
  expectRefused("spec.tlsSecret", "Secret edge/cert.certs does not exist");
  secrets_["certs/cert"] = secrets_["edge/cert"];
  EXPECT_EQ(tls().secret_namespace, "certs");
  EXPECT_EQ(tls().secret_name, "cert");
  model::TlsContext same;
  same.secret = "cert.certs";
  context("shop-context", same);
  EXPECT_EQ(tls().secret_namespace, "certs");
  contexts_.clear();
  namespacing_ = false;
  expectRefused("spec.tlsSecret", "Secret edge/cert.certs does not exist");
  namespacing_ = true;
  secrets_["edge/cert.certs"] = secrets_["edge/cert"];
  EXPECT_EQ(tls().secret_name, "cert.certs") << "a Secret that is called so";
  spec_.tls_secret_namespace = "security";
  expectRefused("spec.tlsSecret", "Secret security/cert.certs does not exist");
}

TEST_F(CompileHost, TheContextNamedAfterTheHost) {
  model::TlsContext implied;
  implied.settings.max_version = "v1.2";
  context("shop-context", implied);
  EXPECT_EQ(tls().settings.max_version, "v1.2");
  spec_.tls.emplace();
  EXPECT_EQ(tls().settings.max_version, "") << "not where the Host has settings of its own";
  spec_.tls_secret_name.clear();
  const HostResult plain = run();
  ASSERT_TRUE(plain.host.has_value());
  EXPECT_FALSE(plain.host->tls.has_value());
}

TEST_F(CompileHost, AnAcmeKeyThatIsMissingIsToldAndNothingMore) {
  spec_.acme_key_name = "acme";
  HostResult result = run();
  ASSERT_TRUE(result.host.has_value());
  ASSERT_EQ(result.findings.size(), 1u);
  EXPECT_EQ(result.findings[0].field, "spec.acmeProvider.privateKeySecret");
  spec_.acme_key_namespace = "security";
  spec_.acme_key_name = "ca";
  EXPECT_TRUE(run().findings.empty());
}

}  // namespace
}  // namespace emissary::compile
