#pragma once
// The `service` of a Mapping: [scheme://]host[:port], IPv6 in brackets.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace emissary::compile {

struct ServiceText {
  std::string scheme;  // lower case, "" when not written
  std::string host;    // lower case, without brackets
  bool ip = false;     // host is an IP address
  std::optional<uint16_t> port;
  /// What was wrong though the rest can be used, such as a path; "" when nothing.
  std::string remark;
};

struct ServiceTextResult {
  ServiceText value;
  /// Set: it cannot be used, and why and what to write instead.
  std::string error;
};

ServiceTextResult parseServiceText(std::string_view text);

/// Whether `host` is an IPv4 or IPv6 address (no brackets).
bool isIpAddress(std::string_view host);

}  // namespace emissary::compile
