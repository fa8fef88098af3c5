// TCPMapping: connections to a port, or those for one TLS server name on it, to one service.

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/lower.h"
#include "model/readers.h"
#include "model/text.h"

namespace emissary::model {
namespace {

using manifest::Value;

constexpr size_t kMaxHost = 253;

/// One spelling for each address: equal ones are the same socket. "" when it is none.
std::string canonicalAddress(const std::string& text) {
  unsigned char raw[sizeof(in6_addr)];
  char out[INET6_ADDRSTRLEN];
  const std::string_view family = ipFamily(text);
  const int number = family == "4" ? AF_INET : AF_INET6;
  if (family.empty() || inet_pton(number, text.c_str(), raw) != 1) return "";
  if (inet_ntop(number, raw, out, sizeof(out)) == nullptr) return "";
  // Envoy binds no IPv4 address in IPv6's clothes.
  constexpr std::string_view kMapped = "::ffff:";
  const std::string_view told = out;
  return std::string(told.starts_with(kMapped) && told.find('.') != std::string_view::npos ? told.substr(kMapped.size()) : told);
}

void readAddress(Fields& spec, TcpMapping& mapping) {
  std::string text;
  if (!spec.read("address", text) || text.empty()) return;
  mapping.address = canonicalAddress(text);
  if (mapping.address.empty()) {
    spec.refuse("address", fmt::format("must be an IP address to bind, such as 0.0.0.0, but is {}", quoted(text)));
  }
}

/// What keeps `host` from being the name of a TLS server, as filter chains match it; "" when nothing does.
std::string hostProblem(const std::string& host) {
  if (host == "*") return "";
  if (host.size() > kMaxHost) return fmt::format("is longer than {} characters", kMaxHost);
  const std::string_view rest = host.starts_with("*.") ? std::string_view(host).substr(2) : std::string_view(host);
  if (rest.find(':') != std::string_view::npos) return "holds a port, which TLS server names never do; write it as port";
  if (rest.find('*') != std::string_view::npos) return "must be a whole name, \"*.suffix\" or \"*\"";
  const bool good = !rest.empty() && std::all_of(rest.begin(), rest.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '_';
  });
  return good ? "" : "is no host name; letters, digits, '-', '_' and '.' may stand in one";
}

void readHost(Fields& spec, TcpMapping& mapping) {
  std::string text;
  if (!spec.read("host", text) || text.empty()) return;
  mapping.host = lower(std::move(text));
  if (const std::string problem = hostProblem(mapping.host); !problem.empty()) {
    spec.refuse("host", fmt::format("{} {}", quoted(mapping.host), problem));
  }
}

/// By its schema it is text; a number says the same.
void readIdleTimeout(Fields& spec, TcpMapping& mapping) {
  constexpr std::string_view kName = "idle_timeout_ms";
  const Value* value = spec.take(kName);
  if (value == nullptr || (value->isString() && value->string.empty())) return;
  if (!value->isString()) {
    spec.readMs(kName, mapping.idle_timeout_ms);
    return;
  }
  const std::string& text = value->string;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  constexpr int64_t kMax = 9'000'000'000'000;
  if (error != std::errc() || end != text.data() + text.size() || number < 0 || number > kMax) {
    spec.refuse(kName, fmt::format("must be milliseconds in digits, such as \"30000\", but is {}", quoted(text)));
    return;
  }
  mapping.idle_timeout_ms = number;
}

}  // namespace

void readTcpMapping(Fields& spec, bool tls_passthrough, Object& object) {
  TcpMapping mapping;
  mapping.tls_passthrough = tls_passthrough;
  int64_t port = 0;
  if (spec.require("port", "write the port to accept on") && spec.read("port", port, 1, 65535)) {
    mapping.port = static_cast<uint32_t>(port);
  }
  readAddress(spec, mapping);
  readHost(spec, mapping);
  if (spec.require("service", "a TCPMapping needs the service to connect to, such as rabbit:5672") &&
      spec.read("service", mapping.service) && mapping.service.empty()) {
    spec.refuse("service", "must not be empty; write the service to connect to, such as rabbit:5672");
  }
  spec.read("tls", mapping.tls);
  spec.read("resolver", mapping.resolver);
  if (spec.read("weight", mapping.weight) && *mapping.weight < 0) {
    spec.refuse("weight", fmt::format("is {}; write a percentage from 0 to 100", *mapping.weight));
  }
  readCircuitBreakers(spec, "circuit_breakers", mapping.circuit_breakers);
  spec.read("enable_ipv4", mapping.enable_ipv4);
  spec.read("enable_ipv6", mapping.enable_ipv6);
  spec.read("cluster_tag", mapping.cluster_tag);
  spec.read("stats_name", mapping.stats_name);
  readIdleTimeout(spec, mapping);
  spec.accept("v2ExplicitTLS");
  if (mapping.tls_passthrough && mapping.host.empty()) {
    spec.warning("host", fmt::format("is missing, so {} has no effect: without it all of the port is handed on as it is",
                                     kPassthroughAnnotation));
    mapping.tls_passthrough = false;
  }
  object.spec = std::move(mapping);
}

}  // namespace emissary::model
