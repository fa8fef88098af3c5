#include "ir/envoy_build.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>
#include <utility>

namespace emissary::ir {
namespace {

constexpr std::array<std::string_view, kExtensions> kNames = {
    "envoy.filters.http/envoy.filters.http.buffer",
    "envoy.filters.http/envoy.filters.http.compressor",
    "envoy.filters.http/envoy.filters.http.cors",
    "envoy.clusters/envoy.cluster.dns",
    "envoy.http.early_header_mutation/envoy.http.early_header_mutation.header_mutation",
    "envoy.access_loggers/envoy.access_loggers.file",
    "envoy.health_checkers/envoy.health_checkers.grpc",
    "envoy.filters.http/envoy.filters.http.grpc_http1_bridge",
    "envoy.filters.http/envoy.filters.http.grpc_stats",
    "envoy.filters.http/envoy.filters.http.grpc_web",
    "envoy.compression.compressor/envoy.compression.gzip.compressor",
    "envoy.matching.http.input/envoy.matching.inputs.request_headers",
    "envoy.health_checkers/envoy.health_checkers.http",
    "envoy.load_balancing_policies/envoy.load_balancing_policies.least_request",
    "envoy.filters.http/envoy.filters.http.lua",
    "envoy.load_balancing_policies/envoy.load_balancing_policies.maglev",
    "envoy.filters.http/envoy.filters.http.match_delegate",
    "envoy.http.stateful_header_formatters/envoy.http.stateful_header_formatters.preserve_case",
    "envoy.filters.listener/envoy.filters.listener.proxy_protocol",
    "envoy.filters.http/envoy.filters.http.rbac",
    "envoy.load_balancing_policies/envoy.load_balancing_policies.ring_hash",
    "envoy.filters.network/envoy.filters.network.tcp_proxy",
    "envoy.filters.listener/envoy.filters.listener.tls_inspector",
};
static_assert(static_cast<size_t>(Extension::TlsInspector) + 1 == kExtensions && kExtensions <= 32);

constexpr std::array<std::string_view, 10> kIndispensable = {
    "envoy.access_loggers/envoy.access_loggers.stdout",
    "envoy.clusters/envoy.cluster.eds",
    "envoy.clusters/envoy.cluster.static",
    "envoy.clusters/envoy.cluster.strict_dns",
    "envoy.filters.http/envoy.filters.http.router",
    "envoy.filters.network/envoy.filters.network.http_connection_manager",
    "envoy.load_balancing_policies/envoy.load_balancing_policies.round_robin",
    "envoy.transport_sockets.downstream/envoy.transport_sockets.tls",
    "envoy.transport_sockets.upstream/envoy.transport_sockets.tls",
    "envoy.upstream_options/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
};

/// A version that is no number, as of a patched branch, is taken to be new.
bool isBefore(const std::string& version, int major, int minor) {
  int its_major = 0;
  int its_minor = 0;
  if (std::sscanf(version.c_str(), "%d.%d.", &its_major, &its_minor) != 2) return false;
  return std::pair(its_major, its_minor) < std::pair(major, minor);
}

}  // namespace

std::string_view extensionName(Extension extension) { return kNames[static_cast<size_t>(extension)]; }

std::string EnvoyBuild::lacks(Extension extension) const {
  std::string_view name = extensionName(extension);
  name.remove_prefix(name.find('/') + 1);
  return called() + " has no " + std::string(name);
}

std::string EnvoyBuild::called() const { return version.empty() ? "this Envoy" : "this Envoy (" + version + ")"; }

EnvoyBuild envoyBuild(std::string version, const std::vector<std::string>& extensions) {
  if (extensions.empty()) return {};
  const std::set<std::string_view> known(extensions.begin(), extensions.end());
  EnvoyBuild build;
  for (size_t i = 0; i < kExtensions; ++i) {
    if (!known.contains(kNames[i])) build.missing |= uint32_t{1} << i;
  }
  build.one_health_check = isBefore(version, 1, 40);
  if (!build.complete()) build.version = std::move(version);
  return build;
}

EnvoyBuild common(const std::vector<EnvoyBuild>& builds) {
  EnvoyBuild out;
  std::set<std::string> versions;
  for (const EnvoyBuild& build : builds) {
    out.missing |= build.missing;
    out.one_health_check = out.one_health_check || build.one_health_check;
    if (!build.version.empty()) versions.insert(build.version);
  }
  for (const std::string& version : versions) out.version += (out.version.empty() ? "" : ", ") + version;
  return out;
}

std::vector<std::string_view> indispensable(const std::vector<std::string>& extensions) {
  std::vector<std::string_view> out;
  if (extensions.empty()) return out;
  for (const std::string_view name : kIndispensable) {
    if (std::find(extensions.begin(), extensions.end(), name) == extensions.end()) out.push_back(name);
  }
  return out;
}

}  // namespace emissary::ir
