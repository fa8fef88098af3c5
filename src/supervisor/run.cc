#include "supervisor/run.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>

#include "base/log.h"
#include "envoy/bootstrap.h"

namespace emissary::supervisor {
namespace {

constexpr size_t kMaxSocketPath = 107;
constexpr std::string_view kSocket = "/ads.sock";
// Stays the program that we are, even when its file is replaced.
constexpr const char* kSelf = "/proc/self/exe";

std::string programPath() {
  char buffer[PATH_MAX];
  const ssize_t size = readlink(kSelf, buffer, sizeof buffer);
  return size > 0 ? std::string(buffer, static_cast<size_t>(size)) : std::string();
}

Program controlPlane(const settings::Settings& settings, const settings::Environment& env, const std::string& folder) {
  Program result{"the control plane", kSelf, {"emissary", "control-plane"}, {}};
  result.arguments.insert(result.arguments.end(), settings.run_arguments.begin(), settings.run_arguments.end());
  // Last, so that they win. The control plane is never process 1, so the delay is decided here.
  const uint32_t delay = settings.drain_delay_s.value_or(getpid() == 1 ? 5 : 0);
  result.arguments.insert(result.arguments.end(),
                          {"--drain-delay", std::to_string(delay), "--run-dir", folder, "--parent", std::to_string(getpid())});
  for (const auto& [name, value] : env) result.environment.push_back(name + "=" + value);
  return result;
}

/// With an IP address for its host. Once: Envoy's sinks know no names.
std::optional<settings::Statsd> resolved(const std::optional<settings::Statsd>& asked) {
  if (!asked) return std::nullopt;
  addrinfo* found = nullptr;
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  const int problem = getaddrinfo(asked->host.c_str(), nullptr, &hints, &found);
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> kept(found, freeaddrinfo);
  char host[NI_MAXHOST] = "";
  if (problem != 0 || getnameinfo(found->ai_addr, found->ai_addrlen, host, sizeof host, nullptr, 0, NI_NUMERICHOST) != 0) {
    log::error(fmt::format("STATSD_HOST: {} has no address ({}): no figures are sent", asked->host, gai_strerror(problem)));
    return std::nullopt;
  }
  settings::Statsd out = *asked;
  out.host = host;
  return out;
}

std::optional<Program> envoyProgram(const settings::Settings& settings, const settings::Environment& env, const std::string& folder,
                                    std::string& error) {
  const std::string binary = envoy::find(settings.envoy, env, programPath(), error);
  if (binary.empty()) return std::nullopt;
  envoy::BootstrapOptions options;
  options.node_cluster = envoy::nodeCluster(settings);
  options.ads_address = adsAddress(settings, folder);
  options.admin_port = settings.envoy_admin_port;
  options.ready = settings.ready;
  options.ready_log = settings.ready_log;
  options.memory_limit = envoy::memoryLimit();
  options.statsd = resolved(settings.statsd);
  options.max_connections = envoy::maxConnections(raiseOpenFiles());
  const std::string path = folder + "/bootstrap.json";
  if (!envoy::writeFile(path, envoy::bootstrap(options), error)) return std::nullopt;
  const bool json = settings.json_logging || !isatty(STDERR_FILENO);
  // By way of exec-child, which makes it die with us.
  Program result{"Envoy", kSelf, {"emissary", "exec-child", std::to_string(getpid()), "--"}, envoy::environment(env)};
  const auto arguments = envoy::arguments(settings, binary, path, json);
  result.arguments.insert(result.arguments.end(), arguments.begin(), arguments.end());
  return result;
}

}  // namespace

PrivateFolder::PrivateFolder(const settings::Environment& env) {
  const auto set = env.find("TMPDIR");
  std::string below = set == env.end() || set->second.empty() ? "/tmp" : set->second;
  const std::string name = "/emissary-XXXXXX";
  if (below[0] != '/' || below.size() + name.size() + kSocket.size() > kMaxSocketPath) below = "/tmp";
  std::string pattern = below + name;
  if (mkdtemp(pattern.data())) path_ = pattern;  // mode 0700
  else
    error_ = fmt::format("no private folder can be made below {}: {}; set TMPDIR to a folder that we may write", below,
                         std::strerror(errno));
}

PrivateFolder::~PrivateFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

std::string adsAddress(const settings::Settings& settings, const std::string& folder) {
  return settings.ads_address.empty() ? fmt::format("unix:{}{}", folder, kSocket) : settings.ads_address;
}

uint64_t raiseOpenFiles() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

int run(const settings::Settings& settings, const settings::Environment& env) {
  log::init(settings.log_level, settings.json_logging || !isatty(STDERR_FILENO), "supervisor");
  for (const std::string& note : settings.notes) log::warn(note);
  holdSignals();  // from here on there is something to clean up
  const PrivateFolder folder(env);
  if (folder.path().empty()) {
    log::error(folder.error());
    return 1;
  }
  raiseOpenFiles();
  Options options;
  options.grace = std::chrono::seconds(settings.grace_s);
  options.control_plane = controlPlane(settings, env, folder.path());
  if (!settings.no_envoy) {
    std::string error;
    options.envoy = envoyProgram(settings, env, folder.path(), error);
    if (!options.envoy) {
      log::error(error);
      return 1;
    }
  }
  return supervise(options);
}

}  // namespace emissary::supervisor
