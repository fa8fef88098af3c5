#pragma once
// Whether Envoy would load a certificate and its key. What BoringSSL refuses and OpenSSL reads is refused here too, since
// a pair that Envoy refuses costs it the whole resource. Pure, any thread; nothing of the content is in what is returned.

#include <cstdint>
#include <string>

namespace emissary::model {

struct PairCheck {
  /// Why the pair cannot be used; "" when it can.
  std::string problem;
  /// Seconds since the epoch at which the first certificate expires; 0 when there is none.
  int64_t not_after = 0;
  int64_t not_before = 0;
};

PairCheck checkPair(const std::string& certificate, const std::string& key);

/// Why `pem` is no list of certificates to trust; "" when it is.
std::string authorityProblem(const std::string& pem);

/// Why `pem` is no list of certificates that are revoked; "" when it is.
std::string revocationProblem(const std::string& pem);

}  // namespace emissary::model
