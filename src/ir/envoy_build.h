#pragma once
// Which of the extensions that our configuration uses the running Envoy has. Builds differ: distributions and patched branches
// leave some out. Envoy tells in its first discovery request, with its version. A value: the same list, the same result, whoever
// asked.

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace emissary::ir {

/// In the order of the table in envoy_build.cc.
enum class Extension : uint8_t {
  Buffer,
  Compressor,
  Cors,
  DnsCluster,
  EarlyHeaderMutation,
  FileLog,
  GrpcHealthCheck,
  GrpcHttp1Bridge,
  GrpcStats,
  GrpcWeb,
  Gzip,
  HeaderInput,
  HttpHealthCheck,
  LeastRequest,
  Lua,
  Maglev,
  MatchDelegate,
  PreserveCase,
  ProxyProtocol,
  Rbac,
  RingHash,
  TcpProxy,
  TlsInspector,
};
inline constexpr size_t kExtensions = 23;

/// As Envoy's --disable-extensions writes it: "envoy.filters.http/envoy.filters.http.lua".
std::string_view extensionName(Extension extension);

struct EnvoyBuild {
  /// "1.37.0"; of several, separated by commas. "" where nothing is missing: then it makes no difference.
  std::string version;
  /// A bit an Extension.
  uint32_t missing = 0;
  /// Before 1.40 a cluster with several health checks is refused.
  bool one_health_check = false;

  bool has(Extension extension) const { return (missing >> static_cast<unsigned>(extension) & 1) == 0; }
  bool complete() const { return missing == 0 && !one_health_check; }
  /// What is made for this build is good for `other` too.
  bool serves(const EnvoyBuild& other) const {
    return (other.missing & ~missing) == 0 && (one_health_check || !other.one_health_check);
  }
  /// "this Envoy (1.37.0) has no envoy.filters.http.lua"
  std::string lacks(Extension extension) const;
  /// "this Envoy (1.37.0)"
  std::string called() const;

  auto operator<=>(const EnvoyBuild&) const = default;
};

/// `extensions`: those that it has and that are not disabled, as extensionName() writes them. None at all: a client that does not
/// say, and is taken to have everything.
EnvoyBuild envoyBuild(std::string version, const std::vector<std::string>& extensions);

/// What all of `builds` have.
EnvoyBuild common(const std::vector<EnvoyBuild>& builds);

/// Of the extensions without which nothing can be made to work: those that are not among `extensions`.
std::vector<std::string_view> indispensable(const std::vector<std::string>& extensions);

}  // namespace emissary::ir
