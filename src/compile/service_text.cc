#include "compile/service_text.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>

#include "base/lower.h"

namespace emissary::compile {
namespace {

bool hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// Letters, digits and what DNS names and %-escapes need.
std::string badHost(std::string_view host) {
  if (host.empty()) return "has no host name";
  if (host.size() > 253) return "has a host name longer than 253 characters";
  for (size_t i = 0; i < host.size(); ++i) {
    const char c = host[i];
    if (c == '%') {
      if (i + 2 >= host.size() || !hex(host[i + 1]) || !hex(host[i + 2])) return "has a malformed %-escape";
      i += 2;
      continue;
    }
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    if (!plain) return fmt::format("has a character that no host name may have (0x{:02x})", static_cast<unsigned char>(c));
  }
  if (host.front() == '.' || host.find("..") != std::string_view::npos) return "has an empty label in its host name";
  return "";
}

}  // namespace

bool isIpAddress(std::string_view host) {
  unsigned char buffer[16];
  const std::string text(host);
  return inet_pton(AF_INET, text.c_str(), buffer) == 1 || inet_pton(AF_INET6, text.c_str(), buffer) == 1;
}

ServiceTextResult parseServiceText(std::string_view text) {
  ServiceTextResult result;
  ServiceText& value = result.value;
  const auto fail = [&](std::string_view why) {
    result.error = fmt::format("\"{}\" {}; write [http://|https://]name[.namespace][:port]", text.substr(0, 200), why);
    return result;
  };

  std::string_view rest = text;
  if (const size_t at = rest.find("://"); at != std::string_view::npos) {
    value.scheme = lower(rest.substr(0, at));
    rest.remove_prefix(at + 3);
    if (value.scheme != "http" && value.scheme != "https") return fail(fmt::format("has the unknown scheme \"{}\"", value.scheme));
  }
  if (const size_t at = rest.find_first_of("/?#"); at != std::string_view::npos) {
    if (at + 1 < rest.size() || rest[at] != '/') value.remark = "the path and query of a service are ignored; use rewrite";
    rest = rest.substr(0, at);
  }
  if (rest.find('@') != std::string_view::npos) return fail("holds a user name, which is not supported");

  std::string_view port;
  bool has_port = false;
  if (!rest.empty() && rest.front() == '[') {
    const size_t end = rest.find(']');
    if (end == std::string_view::npos) return fail("has no closing bracket");
    value.host = lower(rest.substr(1, end - 1));
    if (!isIpAddress(value.host)) return fail("holds no IPv6 address between its brackets");
    rest.remove_prefix(end + 1);
    if (!rest.empty()) {
      if (rest.front() != ':') return fail("has text between the bracket and the port");
      port = rest.substr(1);
      has_port = true;
    }
  } else {
    const size_t colon = rest.find(':');
    if (colon != std::string_view::npos && rest.find(':', colon + 1) != std::string_view::npos) {
      if (!isIpAddress(rest)) return fail("has more than one colon; put an IPv6 address in brackets");
      value.host = lower(rest);
    } else {
      value.host = lower(rest.substr(0, colon));
      if (colon != std::string_view::npos) {
        port = rest.substr(colon + 1);
        has_port = true;
      }
      if (std::string why = badHost(value.host); !why.empty()) return fail(why);
    }
  }
  value.ip = isIpAddress(value.host);
  if (has_port) {
    unsigned number = 0;
    const auto [end, failure] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (port.empty() || failure != std::errc{} || end != port.data() + port.size() || number < 1 || number > 65535) {
      return fail(fmt::format("has the port \"{}\", which is no number from 1 to 65535", port));
    }
    value.port = static_cast<uint16_t>(number);
  }
  return result;
}

}  // namespace emissary::compile
