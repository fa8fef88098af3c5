#include "base/openssl.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <climits>
#include <ctime>

namespace emissary::openssl {
namespace {

/// OpenSSL would otherwise ask at the terminal.
int noPassword(char*, int, int, void* asked) {
  if (asked != nullptr) *static_cast<bool*>(asked) = true;
  return -1;
}

}  // namespace

ErrorQueue::ErrorQueue() { ERR_clear_error(); }
ErrorQueue::~ErrorQueue() { ERR_clear_error(); }

int64_t seconds(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return 0;
  return static_cast<int64_t>(timegm(&parts));
}

Bio reader(std::string_view pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(std::min<size_t>(pem.size(), INT_MAX))));
}

Certificate nextCertificate(const Bio& pem) { return Certificate(PEM_read_bio_X509(pem.get(), nullptr, noPassword, nullptr)); }

Certificate readCertificate(std::string_view pem) {
  const ErrorQueue errors;
  return nextCertificate(reader(pem));
}

Key readKey(std::string_view pem, bool* encrypted) {
  const ErrorQueue errors;
  return Key(PEM_read_bio_PrivateKey(reader(pem).get(), nullptr, noPassword, encrypted));
}

Block::~Block() {
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_clear_free(data, data != nullptr ? static_cast<size_t>(length) : 0);
}

bool Block::read(const Bio& pem) { return PEM_read_bio(pem.get(), &name, &header, &data, &length) == 1; }

bool atEnd() {
  // The end of the text is told as a missing first line.
  const unsigned long error = ERR_peek_last_error();
  return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

}  // namespace emissary::openssl
