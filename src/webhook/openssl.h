#pragma once
// Owners of OpenSSL's objects. Internal to this folder.

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

namespace emissary::webhook {

template <auto free>
struct Free {
  template <typename T>
  void operator()(T* value) const {
    free(value);
  }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;

/// The first certificate, or null.
Certificate readCertificate(std::string_view pem);
/// Or null; one that wants a password is none.
Key readKey(std::string_view pem);

}  // namespace emissary::webhook
