#include "settings/settings.h"

#include <fmt/format.h>

#include <string_view>

#include "base/uuid.h"
#include "settings/command_line.h"
#include "settings/environment.h"
#include "settings/texts.h"

namespace emissary::settings {
namespace {

Parsed parseChild(const std::vector<std::string>& arguments) {
  Settings s;
  s.command = Command::ExecChild;
  const auto parent = arguments.size() >= 4 && arguments[2] == "--" ? number(arguments[1]) : std::nullopt;
  if (!parent || *parent == 0 || *parent > INT32_MAX) return usage("exec-child", "PARENT -- PROGRAM ARGUMENT…");
  s.parent = static_cast<int>(*parent);
  s.child.assign(arguments.begin() + 3, arguments.end());
  return s;
}

}  // namespace

std::string Address::text() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

std::string clusterId(const Settings& settings, const std::string& namespace_uid) {
  if (!settings.cluster_id.empty()) return settings.cluster_id;
  const std::string uid = namespace_uid.empty() ? "00000000-0000-0000-0000-000000000000" : namespace_uid;
  return uuidOfUrl(fmt::format("d6e_id://{}/{}", uid, settings.ambassador_id));
}

std::vector<std::string> ownAddresses(const Settings& settings) {
  std::vector<std::string> out;
  const auto add = [&](const Address& address) {
    out.push_back(address.text());
    for (const char* host : {"127.0.0.1", "::1"}) out.push_back(Address{host, address.port}.text());
  };
  add(settings.admin);
  add({"127.0.0.1", settings.envoy_admin_port});
  add(settings.ready);
  if (const auto ads = parseAddress(settings.ads_address)) add(*ads);
  return out;
}

std::optional<Address> parseAddress(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  std::string host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!isIp(host) || bracketed != (host.find(':') != std::string::npos)) return std::nullopt;
  const auto port = number(std::string_view(text).substr(colon + 1));
  if (!port || *port < 1 || *port > 65535) return std::nullopt;
  return Address{host, static_cast<uint16_t>(*port)};
}

Environment environmentOf(char** environ) {
  Environment result;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text(*entry);
    const size_t equals = text.find('=');
    if (equals != std::string_view::npos) result.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return result;
}

Parsed parse(const std::vector<std::string>& arguments, const Environment& env) {
  if (!arguments.empty() && arguments[0] == "exec-child") return parseChild(arguments);
  Settings s;
  Flags flags;
  if (auto exit = readCommandLine(arguments, s, flags)) return *exit;
  try {
    take(flags, env, s);
  } catch (const BadValue& error) {
    return usage(flags.command, error.message);
  }
  if (s.command == Command::Run || s.command == Command::ControlPlane)
    s.run_arguments.assign(arguments.begin() + 1, arguments.end());
  return s;
}

}  // namespace emissary::settings
