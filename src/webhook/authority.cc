#include "webhook/authority.h"

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstdlib>

#include "base/openssl.h"

namespace emissary::webhook {
namespace {

using openssl::Bio;
using openssl::Certificate;
using openssl::ErrorQueue;
using openssl::Key;
using openssl::readCertificate;
using openssl::readKey;

constexpr int kLeastRsaBits = 2048;
constexpr const char* kOrganization = "Emissary-ingress";

std::string textOf(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(size)};
}

std::string pemOf(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(bio.get(), certificate) != 1) std::abort();
  return textOf(bio);
}

/// PKCS#8.
std::string pemOf(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_secmem()));
  if (PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) std::abort();
  return textOf(bio);
}

void setTimes(X509* certificate, int64_t from, int64_t to) {
  ASN1_TIME_set(X509_getm_notBefore(certificate), from);
  ASN1_TIME_set(X509_getm_notAfter(certificate), to);
}

uint64_t setSerial(X509* certificate) {
  uint64_t serial = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1) std::abort();
  serial >>= 1;  // positive
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial);
  return serial;
}

void setName(X509_NAME* name, const std::string& common) {
  const auto add = [&](const char* field, const std::string& text) {
    X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                               static_cast<int>(text.size()), -1, 0);
  };
  add("O", kOrganization);
  add("CN", common);
}

void addExtension(X509* certificate, X509* issuer, int what, const std::string& text) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, what, text.c_str());
  if (extension == nullptr) std::abort();
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate newCertificate(EVP_PKEY* key) {
  Certificate out(X509_new());
  X509_set_version(out.get(), X509_VERSION_3);
  X509_set_pubkey(out.get(), key);
  return out;
}

/// As its kind of key asks: Ed25519 has no digest of its own choosing.
void sign(X509* certificate, EVP_PKEY* key) {
  int digest = NID_undef;
  const bool none = EVP_PKEY_get_default_digest_nid(key, &digest) == 2 && digest == NID_undef;
  if (X509_sign(certificate, key, none ? nullptr : EVP_sha256()) == 0) std::abort();
}

bool strong(EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA: return EVP_PKEY_get_bits(key) >= kLeastRsaBits;
    case EVP_PKEY_EC: return EVP_PKEY_get_bits(key) >= 256;
    case EVP_PKEY_ED25519: return true;
    default: return false;
  }
}

}  // namespace

Pair newAuthority(int64_t now) {
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate = newCertificate(key.get());
  const uint64_t serial = setSerial(certificate.get());
  setTimes(certificate.get(), now - kBackdated, now + kAuthorityLife);
  // Each its own name, so that whoever holds several finds the one that signed.
  setName(X509_get_subject_name(certificate.get()), fmt::format("conversion webhook {:016x}", serial));
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  addExtension(certificate.get(), certificate.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  addExtension(certificate.get(), certificate.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  addExtension(certificate.get(), certificate.get(), NID_subject_key_identifier, "hash");
  sign(certificate.get(), key.get());
  return {pemOf(certificate.get()), pemOf(key.get())};
}

Pair newServer(const Pair& authority, const std::vector<std::string>& names, int64_t now) {
  const Certificate issuer = readCertificate(authority.certificate);
  const Key issuer_key = readKey(authority.key);
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate = newCertificate(key.get());
  setSerial(certificate.get());
  const Validity theirs = validityOf(authority.certificate);
  setTimes(certificate.get(), std::max(now - kBackdated, theirs.not_before), std::min(now + kServerLife, theirs.not_after));
  setName(X509_get_subject_name(certificate.get()), "Webhook API");
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get()));
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "DNS:" : ",DNS:") + name;
  addExtension(certificate.get(), issuer.get(), NID_basic_constraints, "critical,CA:FALSE");
  addExtension(certificate.get(), issuer.get(), NID_key_usage, "critical,digitalSignature");
  addExtension(certificate.get(), issuer.get(), NID_ext_key_usage, "serverAuth");
  addExtension(certificate.get(), issuer.get(), NID_subject_key_identifier, "hash");
  addExtension(certificate.get(), issuer.get(), NID_subject_alt_name, list);
  if (X509_get0_subject_key_id(issuer.get()) != nullptr) {
    addExtension(certificate.get(), issuer.get(), NID_authority_key_identifier, "keyid");
  }
  sign(certificate.get(), issuer_key.get());
  return {pemOf(certificate.get()), pemOf(key.get())};
}

std::string authorityProblem(const Pair& authority, int64_t now) {
  const ErrorQueue errors;
  if (authority.certificate.empty() || authority.key.empty()) return "it lacks tls.crt or tls.key";
  const Certificate certificate = readCertificate(authority.certificate);
  if (certificate == nullptr) return "its tls.crt is no certificate";
  const Key key = readKey(authority.key);
  if (key == nullptr) return "its tls.key is no private key";
  if (X509_check_private_key(certificate.get(), key.get()) != 1) return "its tls.key does not belong to its tls.crt";
  if (!strong(key.get())) return "its key is too weak, or of a kind that is not used";
  if (!isAuthority(authority.certificate)) return "its certificate is not one of an authority";
  const Validity validity = validityOf(authority.certificate);
  if (now < validity.not_before) return "its certificate is not valid yet";
  if (now >= validity.not_after) return "its certificate has expired";
  return {};
}

std::vector<std::string> certificatesIn(std::string_view pem) {
  const ErrorQueue errors;
  std::vector<std::string> out;
  const Bio bio = openssl::reader(pem);
  while (true) {
    openssl::Block block;
    if (!block.read(bio)) break;
    if (std::string_view(block.name) != PEM_STRING_X509) continue;
    const unsigned char* at = block.data;
    const Certificate certificate(d2i_X509(nullptr, &at, block.length));
    if (certificate != nullptr) out.push_back(pemOf(certificate.get()));
  }
  return out;
}

Validity validityOf(std::string_view pem) {
  const Certificate certificate = readCertificate(pem);
  if (certificate == nullptr) return {};
  return {openssl::seconds(X509_get0_notBefore(certificate.get())), openssl::seconds(X509_get0_notAfter(certificate.get()))};
}

bool isAuthority(std::string_view pem) {
  const Certificate certificate = readCertificate(pem);
  return certificate != nullptr && X509_check_ca(certificate.get()) == 1;
}

}  // namespace emissary::webhook
