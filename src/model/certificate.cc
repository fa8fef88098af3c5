#include "model/certificate.h"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string_view>

#include "base/openssl.h"

namespace emissary::model {
namespace {

using openssl::atEnd;
using openssl::Block;
using openssl::Certificate;
using openssl::ErrorQueue;
using openssl::Free;
using openssl::reader;
using List = std::unique_ptr<X509_CRL, Free<X509_CRL_free>>;
using Number = std::unique_ptr<BIGNUM, Free<BN_clear_free>>;

/// Bounds of BoringSSL.
constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 16384;
constexpr int kMaxRsaExponentBits = 33;

/// The first certificate. `good` is false when there is none, or a later one is broken. Blocks of another kind are passed over.
Certificate readChain(const std::string& pem, bool& good) {
  const openssl::Bio bio = reader(pem);
  Certificate first;
  good = true;
  while (good) {
    Block block;
    if (!block.read(bio)) {
      good = atEnd() && first != nullptr;
      break;
    }
    const std::string_view name = block.name;
    const bool trusted = name == PEM_STRING_X509_TRUSTED;
    if (!(trusted && first == nullptr) && name != PEM_STRING_X509 && name != PEM_STRING_X509_OLD) continue;
    const unsigned char* at = block.data;
    Certificate next(trusted ? d2i_X509_AUX(nullptr, &at, block.length) : d2i_X509(nullptr, &at, block.length));
    good = next != nullptr && at == block.data + block.length;  // OpenSSL overlooks what follows, BoringSSL does not
    if (good && first == nullptr) first = std::move(next);
  }
  return first;
}

Number parameter(const EVP_PKEY* key, const char* name) {
  BIGNUM* value = nullptr;
  EVP_PKEY_get_bn_param(key, name, &value);
  return Number(value);
}

std::string curveProblem(const EVP_PKEY* key) {
  char name[64] = {};
  size_t length = 0;
  int explicit_parameters = 0;
  EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &explicit_parameters);
  const bool named = EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, name, sizeof(name), &length) == 1;
  const std::string_view curve(name, length);
  if (named && explicit_parameters == 0 && (curve == "prime256v1" || curve == "secp384r1" || curve == "secp521r1")) return {};
  return "the certificate's elliptic curve is none of P-256, P-384, P-521, the ones Envoy takes";
}

/// Of the leaf's public key.
std::string algorithmProblem(const EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA: {
      const int bits = EVP_PKEY_get_bits(key);
      if (bits < kMinRsaBits || bits > kMaxRsaBits) {
        return fmt::format("the certificate's RSA key has {} bits; Envoy takes {} to {}", bits, kMinRsaBits, kMaxRsaBits);
      }
      const Number exponent = parameter(key, OSSL_PKEY_PARAM_RSA_E);
      if (exponent == nullptr || BN_num_bits(exponent.get()) > kMaxRsaExponentBits) {
        return "the certificate's RSA key has a public exponent that is larger than Envoy takes";
      }
      return {};
    }
    case EVP_PKEY_EC: return curveProblem(key);
    case EVP_PKEY_ED25519: return {};
    default: return "the certificate's key is of a kind that Envoy does not take; RSA, ECDSA and Ed25519 are";
  }
}

/// Whether the private numbers of an RSA key fit one another; BoringSSL computes with them blindly otherwise, so it looks first.
bool rsaConsistent(const EVP_PKEY* key) {
  const Number n = parameter(key, OSSL_PKEY_PARAM_RSA_N), e = parameter(key, OSSL_PKEY_PARAM_RSA_E),
               d = parameter(key, OSSL_PKEY_PARAM_RSA_D), p = parameter(key, OSSL_PKEY_PARAM_RSA_FACTOR1),
               q = parameter(key, OSSL_PKEY_PARAM_RSA_FACTOR2), dp = parameter(key, OSSL_PKEY_PARAM_RSA_EXPONENT1),
               dq = parameter(key, OSSL_PKEY_PARAM_RSA_EXPONENT2), qinv = parameter(key, OSSL_PKEY_PARAM_RSA_COEFFICIENT1);
  for (const Number* number : {&n, &e, &d, &p, &q, &dp, &dq, &qinv}) {
    if (*number == nullptr || BN_is_zero(number->get())) return false;
  }
  const std::unique_ptr<BN_CTX, Free<BN_CTX_free>> context(BN_CTX_new());
  const Number product(BN_new()), less(BN_new());
  BN_CTX* c = context.get();
  if (BN_mul(product.get(), p.get(), q.get(), c) != 1 || BN_cmp(product.get(), n.get()) != 0) return false;
  // For each prime: its exponent is d reduced, and e undoes it.
  const auto fits = [&](const Number& prime, const Number& exponent) {
    return BN_sub(less.get(), prime.get(), BN_value_one()) == 1 && !BN_is_zero(less.get()) &&
           BN_nnmod(product.get(), d.get(), less.get(), c) == 1 && BN_cmp(product.get(), exponent.get()) == 0 &&
           BN_mod_mul(product.get(), e.get(), exponent.get(), less.get(), c) == 1 && BN_is_one(product.get());
  };
  return fits(p, dp) && fits(q, dq) && BN_mod_mul(product.get(), q.get(), qinv.get(), p.get(), c) == 1 && BN_is_one(product.get());
}

bool belongsToLater(const std::string& chain, EVP_PKEY* key) {
  const openssl::Bio bio = reader(chain);
  while (true) {
    const Certificate next = openssl::nextCertificate(bio);
    if (next == nullptr) return false;
    if (X509_check_private_key(next.get(), key) == 1) return true;
  }
}

std::string keyProblem(X509* leaf, const std::string& chain, const std::string& pem) {
  bool encrypted = false;
  const openssl::Key key = openssl::readKey(pem, &encrypted);
  if (encrypted) return "the private key is encrypted; store it without a password";
  if (key == nullptr) return "the private key is no PEM of a key (PKCS#8, PKCS#1 or EC)";
  if (X509_check_private_key(leaf, key.get()) != 1) {
    return belongsToLater(chain, key.get())
               ? "the private key belongs to a later certificate of the chain; the server's own must come first"
               : "the private key does not belong to the certificate";
  }
  if (EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_RSA && !rsaConsistent(key.get())) return "the private key is damaged";
  return {};
}

/// What a peer is verified by. Envoy refuses it all for one block that does not parse.
struct Bundle {
  size_t certificates = 0;
  size_t lists = 0;
  std::string problem;
};

Bundle readBundle(const std::string& pem) {
  const openssl::Bio bio = reader(pem);
  Bundle out;
  while (out.problem.empty()) {
    Block block;
    if (!block.read(bio)) {
      if (!atEnd()) out.problem = "one of its PEM blocks is broken";
      break;
    }
    const std::string_view name = block.name;
    const unsigned char* at = block.data;
    const auto whole = [&](const auto& parsed) { return parsed != nullptr && at == block.data + block.length; };
    bool good = true;
    if (name == PEM_STRING_X509 || name == PEM_STRING_X509_OLD) {
      good = whole(Certificate(d2i_X509(nullptr, &at, block.length)));
      ++out.certificates;
    } else if (name == PEM_STRING_X509_TRUSTED) {
      good = whole(Certificate(d2i_X509_AUX(nullptr, &at, block.length)));
      ++out.certificates;
    } else if (name == PEM_STRING_X509_CRL) {
      good = whole(List(d2i_X509_CRL(nullptr, &at, block.length)));
      ++out.lists;
    } else if (name == PEM_STRING_RSA || name == PEM_STRING_DSA || name == PEM_STRING_ECPRIVATEKEY) {
      out.problem = "a private key stands in it, which does not belong there; remove it";
    }
    if (!good) out.problem = "one of its PEM blocks is broken";
  }
  return out;
}

}  // namespace

PairCheck checkPair(const std::string& certificate, const std::string& key) {
  const ErrorQueue queue;
  PairCheck out;
  if (certificate.empty()) {
    out.problem = "there is no certificate (tls.crt)";
    return out;
  }
  bool good = false;
  const Certificate leaf = readChain(certificate, good);
  if (leaf == nullptr) {
    out.problem = "the certificate is no PEM of an X.509 certificate";
    return out;
  }
  out.not_before = openssl::seconds(X509_get0_notBefore(leaf.get()));
  out.not_after = openssl::seconds(X509_get0_notAfter(leaf.get()));
  const EVP_PKEY* public_key = X509_get0_pubkey(leaf.get());
  if (!good) {
    out.problem = "what follows the first certificate holds a broken one";
  } else if (public_key == nullptr) {
    out.problem = "the certificate's key cannot be read";
  } else if (out.problem = algorithmProblem(public_key); !out.problem.empty()) {
    return out;
  } else if (EVP_PKEY_get_base_id(public_key) == EVP_PKEY_EC && (X509_get_key_usage(leaf.get()) & KU_DIGITAL_SIGNATURE) == 0) {
    out.problem = "the certificate's key usage does not allow digital signatures, which TLS with an elliptic curve needs";
  } else {
    out.problem = key.empty() ? "there is no private key (tls.key)" : keyProblem(leaf.get(), certificate, key);
  }
  return out;
}

std::string authorityProblem(const std::string& pem) {
  const ErrorQueue queue;
  const Bundle bundle = readBundle(pem);
  if (!bundle.problem.empty()) return bundle.problem;
  return bundle.certificates > 0 ? "" : "the CA certificate is no PEM of an X.509 certificate";
}

std::string revocationProblem(const std::string& pem) {
  const ErrorQueue queue;
  const Bundle bundle = readBundle(pem);
  if (!bundle.problem.empty()) return bundle.problem;
  // Envoy would take none for a list that leaves nobody in.
  return bundle.lists > 0 ? "" : "there is no PEM of a certificate revocation list (crl.pem)";
}

}  // namespace emissary::model
