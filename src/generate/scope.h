#pragma once
// Scoped routes, the parts that must agree: before routing Envoy writes "<listener> <authority>" into a header of its own, and the
// scope's key is that header. Kept in one place because routes, scopes and the HTTP connection manager share them.

#include <string>
#include <string_view>

namespace emissary::generate {

inline constexpr std::string_view kScopeHeader = "x-emissary-scope";
/// Name of the filter that falls back to the wildcard scope, and of the metadata by which it sees that a virtual host was found.
inline constexpr std::string_view kScopeFilter = "emissary.scope";
inline constexpr std::string_view kScopeFound = "found";

inline std::string scopeKey(std::string_view listener, std::string_view hostname) {
  return std::string(listener) + " " + std::string(hostname);
}

}  // namespace emissary::generate
