// Running an exec plugin (client.authentication.k8s.io/v1 and v1beta1) and reading what it prints.

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/rfc3339.h"
#include "kube/credentials.h"

extern char** environ;  // NOLINT: POSIX declares it nowhere

namespace emissary::kube {
namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t kMaxOutput = 1u << 20;

std::string execInfo(const ExecPlugin& plugin, const Config& config) {
  nlohmann::json info = {{"apiVersion", plugin.api_version}, {"kind", "ExecCredential"}, {"spec", {{"interactive", false}}}};
  if (plugin.provide_cluster_info) info["spec"]["cluster"] = {{"server", config.server}};
  return info.dump();
}

/// Ours, and what the plugin is given; of two of one name the last counts.
std::vector<std::string> environmentFor(const ExecPlugin& plugin, const Config& config) {
  std::vector<std::string> out;
  const auto set = [&](const std::string& name, const std::string& value) {
    std::erase_if(out, [&](const std::string& entry) { return entry.starts_with(name + "="); });
    out.push_back(name + "=" + value);
  };
  for (char** entry = environ; *entry != nullptr; ++entry) out.emplace_back(*entry);
  for (const auto& [name, value] : plugin.environment) set(name, value);
  set("KUBERNETES_EXEC_INFO", execInfo(plugin, config));
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

pid_t start(const ExecPlugin& plugin, const Config& config, int out_fd, std::string& error) {
  std::vector<std::string> arguments = {plugin.command};
  arguments.insert(arguments.end(), plugin.arguments.begin(), plugin.arguments.end());
  std::vector<std::string> environment = environmentFor(plugin, config);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  // A group of its own, so that what it has started ends with it.
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  pid_t pid = -1;
  const int result =
      posix_spawnp(&pid, plugin.command.c_str(), &actions, &attributes, pointers(arguments).data(), pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (result == 0) return pid;
  error = fmt::format("it cannot be started: {}{}{}", std::strerror(result), plugin.install_hint.empty() ? "" : "; ",
                      plugin.install_hint);
  return -1;
}

/// All that comes until the end; nothing when it takes too long or is too much.
std::optional<std::string> readAll(int fd, Clock::time_point end, std::string& error) {
  std::string text;
  char buffer[4096];
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    pollfd ready{fd, POLLIN, 0};
    const int count = left.count() > 0 ? poll(&ready, 1, static_cast<int>(left.count())) : 0;
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      error = "it does not come to an end";
      return std::nullopt;
    }
    const ssize_t size = read(fd, buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return text;
    text.append(buffer, static_cast<size_t>(size));
    if (text.size() > kMaxOutput) {
      error = "it prints more than 1 MiB";
      return std::nullopt;
    }
  }
}

/// Its status. It is killed when it has not ended at `end`.
int ended(pid_t pid, Clock::time_point end) {
  int status = 0;
  pid_t result = 0;
  while ((result = waitpid(pid, &status, WNOHANG)) == 0 && Clock::now() < end) poll(nullptr, 0, 5);
  if (result != 0) return status;
  kill(-pid, SIGKILL);
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

std::optional<ExecCredential> readExecCredential(std::string_view text, std::string& error) {
  // Nothing of `text` may stand in `error`: it holds a token.
  const nlohmann::json read = nlohmann::json::parse(text, nullptr, false);
  const auto status = read.is_object() ? read.find("status") : read.end();
  if (!read.is_object() || status == read.end() || !status->is_object()) {
    error = "what it prints is no ExecCredential with a status";
    return std::nullopt;
  }
  const auto field = [&](const char* name) {
    const auto it = status->find(name);
    return it != status->end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  ExecCredential out{field("token"), field("clientCertificateData"), field("clientKeyData"),
                     parseTime(field("expirationTimestamp"))};
  if (out.token.empty() && (out.client_certificate.empty() || out.client_key.empty())) {
    error = "what it prints holds neither a token nor a certificate with its key";
    return std::nullopt;
  }
  return out;
}

std::optional<ExecCredential> runPlugin(const ExecPlugin& plugin, const Config& config, std::chrono::milliseconds patience,
                                        std::string& error) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) {
    error = std::strerror(errno);
    return std::nullopt;
  }
  const pid_t pid = start(plugin, config, fds[1], error);
  close(fds[1]);
  std::optional<std::string> text;
  const Clock::time_point end = Clock::now() + patience;
  if (pid > 0) text = readAll(fds[0], end, error);
  close(fds[0]);
  if (pid < 0) return std::nullopt;
  const int status = ended(pid, text ? end : Clock::now());
  if (!text) return std::nullopt;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    error = WIFEXITED(status) ? fmt::format("it ended with status {}", WEXITSTATUS(status)) : "it was killed";
    return std::nullopt;
  }
  return readExecCredential(*text, error);
}

}  // namespace emissary::kube
