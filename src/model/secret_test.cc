#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

#include "model/certificate.h"
#include "model/testing.h"

namespace emissary::model {
namespace {

using Key = std::shared_ptr<EVP_PKEY>;
Key own(EVP_PKEY* key) { return Key(key, EVP_PKEY_free); }
Key rsa(size_t bits) { return own(EVP_RSA_gen(static_cast<unsigned>(bits))); }
Key curve(const char* name) { return own(EVP_EC_gen(name)); }

std::string drain(BIO* bio) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio, &data);
  std::string out(data, static_cast<size_t>(length));
  BIO_free(bio);
  return out;
}

std::string pemOf(const Key& key, const char* password = nullptr) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(bio, key.get(), password != nullptr ? EVP_aes_128_cbc() : nullptr, password,
                                password != nullptr ? static_cast<int>(std::string_view(password).size()) : 0, nullptr, nullptr);
  return drain(bio);
}

/// A self-signed certificate that expires at `until`.
std::string certificateOf(const Key& key, const char* usage = nullptr, time_t until = 2'000'000'000) {
  X509* x = X509_new();
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
  ASN1_TIME_set(X509_getm_notBefore(x), 1'000'000'000);
  ASN1_TIME_set(X509_getm_notAfter(x), until);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("x"), -1, -1, 0);
  X509_set_issuer_name(x, X509_get_subject_name(x));
  X509_set_pubkey(x, key.get());
  if (usage != nullptr) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_key_usage, usage);
    X509_add_ext(x, extension, -1);
    X509_EXTENSION_free(extension);
  }
  const int id = EVP_PKEY_get_base_id(key.get());
  X509_sign(x, key.get(), id == EVP_PKEY_ED25519 || id == EVP_PKEY_ED448 ? nullptr : EVP_sha256());
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, x);
  X509_free(x);
  return drain(bio);
}

std::string base64(const std::string& text) {
  std::string out((text.size() + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  out.resize(static_cast<size_t>(length));
  return out;
}

ObjectPtr secretOf(std::string_view rest) {
  return parsedObject("{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: certs}, " + std::string(rest) + "}");
}

// What Envoy 1.40 said of each of these was tried with the binary.
TEST(ModelCertificate, GoodPairs) {
  const std::string other = certificateOf(curve("P-256"));
  for (const Key& key : {rsa(2048), rsa(3072), curve("P-256"), curve("P-384"), curve("P-521"),
                         own(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"))}) {
    const std::string certificate = certificateOf(key);
    const PairCheck check = checkPair(certificate, pemOf(key));
    EXPECT_EQ(check.problem, "");
    EXPECT_EQ(check.not_after, 2'000'000'000);
    EXPECT_EQ(checkPair("words before\n" + certificate + other + "words after\n", certificate + pemOf(key)).problem, "");
  }
  const Key key = rsa(2048);
  EXPECT_EQ(checkPair(certificateOf(key, "critical,keyCertSign"), pemOf(key)).problem, "");
  EXPECT_EQ(checkPair(certificateOf(key, nullptr, 1'100'000'000), pemOf(key)).not_after, 1'100'000'000);
}

TEST(ModelCertificate, BadPairs) {
  const Key key = rsa(2048), ec = curve("P-256");
  const std::string certificate = certificateOf(key), pem = pemOf(key);
  const std::string broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const auto problem = [](const std::string& c, const std::string& k) { return checkPair(c, k).problem; };
  EXPECT_EQ(problem("", pem), "there is no certificate (tls.crt)");
  EXPECT_EQ(problem(certificate, ""), "there is no private key (tls.key)");
  EXPECT_EQ(problem("nothing", pem), "the certificate is no PEM of an X.509 certificate");
  EXPECT_EQ(problem(pem, pem), "the certificate is no PEM of an X.509 certificate");
  EXPECT_EQ(problem(broken, pem), "the certificate is no PEM of an X.509 certificate");
  EXPECT_EQ(problem(certificate + broken, pem), "what follows the first certificate holds a broken one");
  EXPECT_EQ(problem(certificate + certificate.substr(0, 200), pem), "what follows the first certificate holds a broken one");
  EXPECT_EQ(problem(certificate, "nothing"), "the private key is no PEM of a key (PKCS#8, PKCS#1 or EC)");
  EXPECT_EQ(problem(certificate, certificate), "the private key is no PEM of a key (PKCS#8, PKCS#1 or EC)");
  EXPECT_EQ(problem(certificate, pemOf(key, "word")), "the private key is encrypted; store it without a password");
  EXPECT_EQ(problem(certificate, pemOf(ec)), "the private key does not belong to the certificate");
  EXPECT_EQ(problem(certificate, pemOf(rsa(2048))), "the private key does not belong to the certificate");
  EXPECT_EQ(problem(certificateOf(ec) + certificate, pem),
            "the private key belongs to a later certificate of the chain; the server's own must come first");
  const Key small = rsa(1024);
  EXPECT_EQ(problem(certificateOf(small), pemOf(small)), "the certificate's RSA key has 1024 bits; Envoy takes 2048 to 16384");
  for (const char* name : {"P-224", "secp256k1"}) {
    const Key odd = curve(name);
    EXPECT_EQ(problem(certificateOf(odd), pemOf(odd)),
              "the certificate's elliptic curve is none of P-256, P-384, P-521, the ones Envoy takes");
  }
  const Key ed448 = own(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448"));
  EXPECT_TRUE(problem(certificateOf(ed448), pemOf(ed448)).starts_with("the certificate's key is of a kind"));
  EXPECT_TRUE(problem(certificateOf(ec, "critical,keyCertSign"), pemOf(ec)).starts_with("the certificate's key usage"));
}

TEST(ModelCertificate, DamagedRsaKey) {
  const Key key = rsa(2048);
  unsigned char* der = nullptr;
  const int length = i2d_PrivateKey(key.get(), &der);
  ASSERT_GT(length, 400);
  const auto pemWith = [&](int at) {
    std::string bytes(reinterpret_cast<char*>(der), static_cast<size_t>(length));
    if (at >= 0) bytes[static_cast<size_t>(at)] = static_cast<char>(bytes[static_cast<size_t>(at)] ^ 1);
    return "-----BEGIN RSA PRIVATE KEY-----\n" + base64(bytes) + "\n-----END RSA PRIVATE KEY-----\n";
  };
  EXPECT_EQ(checkPair(certificateOf(key), pemWith(-1)).problem, "");
  EXPECT_EQ(checkPair(certificateOf(key), pemWith(length - 20)).problem, "the private key is damaged");  // in the coefficient
  EXPECT_EQ(checkPair(certificateOf(key), pemWith(400)).problem, "the private key is damaged");          // in the exponent
  OPENSSL_free(der);
}

std::string revocationList(const Key& key) {
  X509_CRL* list = X509_CRL_new();
  X509_CRL_set_version(list, X509_CRL_VERSION_2);
  X509_NAME* issuer = X509_NAME_new();
  X509_NAME_add_entry_by_txt(issuer, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("x"), -1, -1, 0);
  X509_CRL_set_issuer_name(list, issuer);
  X509_NAME_free(issuer);
  ASN1_TIME* at = ASN1_TIME_set(nullptr, 1'000'000'000);
  X509_CRL_set1_lastUpdate(list, at);
  X509_CRL_set1_nextUpdate(list, at);
  ASN1_TIME_free(at);
  X509_CRL_sign(list, key.get(), EVP_sha256());
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509_CRL(bio, list);
  X509_CRL_free(list);
  return drain(bio);
}

TEST(ModelCertificate, RevocationLists) {
  const Key key = curve("P-256");
  const std::string list = revocationList(key), certificate = certificateOf(key);
  EXPECT_EQ(revocationProblem(list), "");
  EXPECT_EQ(revocationProblem("words\n" + certificate + list + list), "");
  EXPECT_EQ(authorityProblem(certificate + list + pemOf(key)), "");
  EXPECT_EQ(authorityProblem(certificate + list.substr(0, 200)), "one of its PEM blocks is broken");
  EXPECT_EQ(revocationProblem(list + certificate.substr(0, 200)), "one of its PEM blocks is broken");
  EXPECT_EQ(authorityProblem(certificate + "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"),
            "a private key stands in it, which does not belong there; remove it");
  for (const std::string& none : {std::string(), std::string("words"), certificate, pemOf(key), std::string(1 << 20, '\xff')}) {
    EXPECT_EQ(revocationProblem(none), "there is no PEM of a certificate revocation list (crl.pem)");
  }
  EXPECT_EQ(revocationProblem("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"), "one of its PEM blocks is broken");
  EXPECT_EQ(revocationProblem(list + list.substr(0, 200)), "one of its PEM blocks is broken");
}

TEST(ModelSecret, Authorities) {
  const Key key = curve("P-256");
  const std::string certificate = base64(certificateOf(key)), pem = base64(pemOf(key));
  const auto read = [](const std::string& data) {
    const ObjectPtr object = secretOf("data: {" + data + "}");
    EXPECT_EQ(all(*object), "");
    return std::get<Secret>(object->spec);
  };
  EXPECT_EQ(base64(read("ca.crt: " + certificate).ca), certificate);
  EXPECT_EQ(read("ca.crt: " + certificate).ca_problem, "");
  // As cert-manager writes it: nobody meant to ask clients for certificates.
  EXPECT_EQ(read("ca.crt: " + certificate + ", tls.crt: " + certificate + ", tls.key: " + pem).ca, "");
  EXPECT_EQ(read("tls.crt: " + certificate + ", tls.key: " + pem).ca_problem, "") << "a pair may serve as a CA";
  EXPECT_FALSE(read("tls.crt: " + certificate).cert_required.has_value());
  EXPECT_EQ(read("tls.crt: " + certificate + ", cert_required: " + base64("True\n")).cert_required, true);
  EXPECT_EQ(read("tls.crt: " + certificate + ", cert_required: " + base64("false")).cert_required, false);
  EXPECT_EQ(read("crl.pem: " + base64("x") + ", user.key: " + base64("y")).crl, "x");
  EXPECT_NE(read("crl.pem: " + base64("x")).crl_problem, "");
}

TEST(ModelSecret, KeysAndTypes) {
  const Key key = curve("P-256");
  const std::string certificate = certificateOf(key), pem = pemOf(key);
  const auto tls = secretOf("type: kubernetes.io/tls, data: {tls.crt: " + base64(certificate) + ", tls.key: " + base64(pem) + "}");
  EXPECT_EQ(all(*tls), "");
  const auto& s = std::get<Secret>(tls->spec);
  EXPECT_EQ(s.certificate, certificate);
  EXPECT_EQ(s.key, pem);
  EXPECT_EQ(s.pair_problem, "");
  EXPECT_EQ(s.not_before, 1'000'000'000);
  EXPECT_EQ(s.not_after, 2'000'000'000);
  EXPECT_EQ(s.ca, "");

  const auto istio = secretOf("type: istio.io/key-and-cert, data: {cert-chain.pem: " + base64(certificate) +
                              ", key.pem: " + base64(pem) + ", root-cert.pem: " + base64(certificate) + ", crl.pem: AAAA}");
  const auto& i = std::get<Secret>(istio->spec);
  EXPECT_EQ(i.pair_problem, "");
  EXPECT_EQ(i.ca, certificate);
  EXPECT_EQ(i.ca_problem, "");
  EXPECT_EQ(i.crl, std::string(3, '\0'));

  const auto ca = secretOf("data: {tls.crt: " + base64(certificate) + "}");
  const auto& c = std::get<Secret>(ca->spec);
  EXPECT_EQ(c.type, "Opaque");
  EXPECT_EQ(c.ca, certificate);
  EXPECT_EQ(c.ca_problem, "");
  EXPECT_EQ(c.pair_problem, "there is no private key (tls.key)");
  EXPECT_NE(std::get<Secret>(secretOf("stringData: {tls.crt: x}")->spec).ca_problem, "");

  for (const char* other :
       {"type: helm.sh/release.v1, data: {tls.crt: '%%'}", "type: Opaque, data: {password: '%%'}", "type: Opaque"}) {
    const auto object = secretOf(other);
    EXPECT_TRUE(object->usable);
    EXPECT_EQ(object->spec.index(), 0u) << other;
    EXPECT_EQ(all(*object), "");
  }
}

TEST(ModelSecret, Base64) {
  const auto decoded = [](std::string_view text) -> std::string {
    const auto object = secretOf("data: {tls.crt: \"" + std::string(text) + "\"}");
    if (!object->usable) return "refused: " + object->findings.at(0).field;
    return std::get<Secret>(object->spec).certificate;
  };
  EXPECT_EQ(decoded("aGVsbG8="), "hello");
  EXPECT_EQ(decoded("aGVs\\nbG8=\\r\\n "), "hello");
  EXPECT_EQ(decoded("aGVsbA=="), "hell");
  EXPECT_EQ(decoded(""), "");
  for (const char* bad : {"aGVsbG8", "aGVs*G8=", "aGVs-G8=", "aGV=bG8=", "====", "a===", "=", "aGVsbG8=aGVs"}) {
    EXPECT_EQ(decoded(bad), "refused: data.tls.crt") << bad;
  }
  EXPECT_EQ(std::get<Secret>(secretOf("data: {tls.crt: aGVsbG8=}, stringData: {tls.crt: plain}")->spec).certificate, "plain");
}

TEST(ModelSecret, NothingOfItIsInAFinding) {
  for (const char* rest :
       {"data: {tls.key: 'hunter2!'}", "data: {tls.key: 424242}", "data: {tls.key: [hunter2]}", "stringData: {tls.key: 424242}",
        "data: hunter2", "stringData: [hunter2]", "data: {tls.key: 'hunter2!', tls.crt: 'hunter2!'}"}) {
    const auto object = secretOf(rest);
    EXPECT_FALSE(object->usable) << rest;
    ASSERT_FALSE(object->findings.empty()) << rest;
    EXPECT_EQ(all(*object).find("hunter2"), std::string::npos) << all(*object);
    EXPECT_EQ(all(*object).find("424242"), std::string::npos) << all(*object);
  }
}

}  // namespace
}  // namespace emissary::model
