#include "envoy/program_version.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

namespace emissary::envoy {
namespace {

constexpr size_t kMostOutput = 4096;
constexpr size_t kMostShown = 80;

/// What comes out of `fd` until it ends, or the time does.
std::string readAll(int fd, std::chrono::steady_clock::time_point until) {
  std::string out;
  while (out.size() < kMostOutput) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd wait{fd, POLLIN, 0};
    if (left.count() <= 0 || poll(&wait, 1, static_cast<int>(left.count())) <= 0) break;
    char buffer[512];
    const ssize_t size = read(fd, buffer, sizeof buffer);
    if (size <= 0) break;
    out.append(buffer, static_cast<size_t>(size));
  }
  return out;
}

}  // namespace

std::string versionIn(std::string_view output) {
  constexpr std::string_view kMark = "version: ";
  while (!output.empty() && output.front() == '\n') output.remove_prefix(1);
  std::string_view line = output.substr(0, output.find('\n'));
  if (const size_t mark = line.find(kMark); mark != std::string_view::npos) {
    const size_t first = line.find('/', mark);
    const size_t second = first == std::string_view::npos ? first : line.find('/', first + 1);
    if (second != std::string_view::npos) line = line.substr(first + 1, second - first - 1);
  }
  std::string out(line.substr(0, kMostShown));
  std::replace_if(out.begin(), out.end(), [](unsigned char c) { return c < ' ' || c == 127; }, ' ');
  return out;
}

std::string programVersion(const std::string& binary, std::chrono::milliseconds patience) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return {};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setpgroup(&attributes, 0);  // so that what it has started ends with it
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  std::string program = binary, flag = "--version";
  char* arguments[] = {program.data(), flag.data(), nullptr};
  char* environment[] = {nullptr};
  pid_t pid = -1;
  const bool started = posix_spawn(&pid, binary.c_str(), &actions, &attributes, arguments, environment) == 0;
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::string output;
  if (started) {
    output = readAll(ends[0], std::chrono::steady_clock::now() + patience);
    kill(-pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
  close(ends[0]);
  return versionIn(output);
}

}  // namespace emissary::envoy
