#pragma once
// Certificates of the webhook: the authority that an API server is told to trust, and what that signs for the webhook's own names.
// Times are seconds since the epoch, given by the caller. Pure but for random numbers, any thread. All text is PEM.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace emissary::webhook {

struct Pair {
  std::string certificate;
  std::string key;
};

struct Validity {
  int64_t not_before = 0;
  int64_t not_after = 0;
};

inline constexpr int64_t kDay = 86400;
inline constexpr int64_t kAuthorityLife = 365 * kDay;
inline constexpr int64_t kServerLife = 14 * kDay;
/// Certificates are good a while before they were made, for clocks that are behind.
inline constexpr int64_t kBackdated = 3600;

/// A self-signed authority (ECDSA, P-256).
Pair newAuthority(int64_t now);
/// For a server of these names, signed by `authority`, which must be usable; ends with it at the latest.
Pair newServer(const Pair& authority, const std::vector<std::string>& names, int64_t now);

/// Why nothing can be signed with this at `now`; "" when it can. Nothing of the content is in what is returned.
std::string authorityProblem(const Pair& authority, int64_t now);

/// The certificates in a text, each in the one form that equal ones share. What is none is left out.
std::vector<std::string> certificatesIn(std::string_view pem);
/// Of the first certificate; zeros when there is none.
Validity validityOf(std::string_view pem);
/// The first certificate may sign others.
bool isAuthority(std::string_view pem);

}  // namespace emissary::webhook
