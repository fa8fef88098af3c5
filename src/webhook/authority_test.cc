#include "webhook/authority.h"

#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include "base/openssl.h"
#include "model/certificate.h"

namespace emissary::webhook {
namespace {

using openssl::Certificate;
using openssl::readCertificate;

constexpr int64_t kNow = 1'790'000'000;

/// As an API server that trusts `authorities` holds it against `name`.
bool verifies(const std::vector<std::string>& authorities, const std::string& server, const std::string& name, int64_t now) {
  X509_STORE* store = X509_STORE_new();
  for (const std::string& pem : authorities) X509_STORE_add_cert(store, readCertificate(pem).get());
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  const Certificate certificate = readCertificate(server);
  X509_STORE_CTX_init(context, store, certificate.get(), nullptr);
  X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER);
  X509_STORE_CTX_set_time(context, 0, now);
  X509_VERIFY_PARAM_set1_host(X509_STORE_CTX_get0_param(context), name.data(), name.size());
  const bool good = X509_verify_cert(context) == 1;
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  return good;
}

TEST(Authority, SignsForItsNamesAndNoOthers) {
  const Pair authority = newAuthority(kNow), other = newAuthority(kNow);
  EXPECT_EQ(authorityProblem(authority, kNow), "");
  const Pair server = newServer(authority, {"hook", "hook.ns.svc"}, kNow);
  EXPECT_EQ(model::checkPair(server.certificate, server.key).problem, "");
  const std::vector<std::string> both = {other.certificate, authority.certificate};
  EXPECT_TRUE(verifies(both, server.certificate, "hook.ns.svc", kNow));
  EXPECT_TRUE(verifies(both, server.certificate, "hook", kNow));
  EXPECT_TRUE(verifies(both, server.certificate, "hook", kNow - kBackdated + 1));
  EXPECT_FALSE(verifies(both, server.certificate, "other.ns.svc", kNow));
  EXPECT_FALSE(verifies({other.certificate}, server.certificate, "hook", kNow));
  EXPECT_FALSE(verifies(both, server.certificate, "hook", kNow + kServerLife + 1));
  EXPECT_FALSE(isAuthority(server.certificate));
}

TEST(Authority, NothingLivesLongerThanWhatSignedIt) {
  const Pair authority = newAuthority(kNow);
  const int64_t late = kNow + kAuthorityLife - kDay;
  EXPECT_EQ(validityOf(newServer(authority, {"hook"}, late).certificate).not_after, kNow + kAuthorityLife);
}

TEST(Authority, WhatIsNone) {
  const Pair good = newAuthority(kNow), other = newAuthority(kNow), server = newServer(good, {"hook"}, kNow);
  EXPECT_NE(authorityProblem({}, kNow), "");
  EXPECT_NE(authorityProblem({"text", good.key}, kNow), "");
  EXPECT_NE(authorityProblem({good.certificate, "text"}, kNow), "");
  EXPECT_NE(authorityProblem({good.certificate.substr(0, 200), good.key}, kNow), "");
  EXPECT_NE(authorityProblem({good.certificate, other.key}, kNow), "");
  EXPECT_NE(authorityProblem(server, kNow), "");
  EXPECT_NE(authorityProblem(good, kNow - kDay), "");
  EXPECT_NE(authorityProblem(good, kNow + kAuthorityLife), "");
}

TEST(Authority, EqualCertificatesAreEqualTexts) {
  const std::string a = newAuthority(kNow).certificate, b = newAuthority(kNow).certificate;
  EXPECT_EQ(certificatesIn("a remark\n" + a + "\n\n" + newServer(newAuthority(kNow), {"x"}, kNow).key + b), (std::vector{a, b}));
  EXPECT_TRUE(certificatesIn("").empty());
  EXPECT_TRUE(certificatesIn("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n").empty());
}

}  // namespace
}  // namespace emissary::webhook
