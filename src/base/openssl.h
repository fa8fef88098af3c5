#pragma once
// Owners of OpenSSL's objects, and PEM texts. Any thread.

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cstdint>
#include <memory>
#include <string_view>

namespace emissary::openssl {

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

/// Errors of OpenSSL stay in a queue of the thread, where others would find them: one of these lives while it is called.
struct ErrorQueue {
  ErrorQueue();
  ~ErrorQueue();
  ErrorQueue(const ErrorQueue&) = delete;
};

/// Seconds since the epoch; 0 when it is no time.
int64_t seconds(const ASN1_TIME* time);

/// For what reads PEM; `pem` outlives it.
Bio reader(std::string_view pem);

/// The next certificate, or null. What is encrypted is none: nobody is asked for a password, here and below.
Certificate nextCertificate(const Bio& pem);
/// The first certificate, or null.
Certificate readCertificate(std::string_view pem);
/// Or null; `encrypted` then says whether it wants a password.
Key readKey(std::string_view pem, bool* encrypted = nullptr);

/// One block of a PEM text, undecoded.
struct Block {
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long length = 0;

  Block() = default;
  ~Block();
  Block(const Block&) = delete;

  /// Once. False at the end, which atEnd() then tells from a broken block.
  bool read(const Bio& pem);
};
bool atEnd();

}  // namespace emissary::openssl
