#include "supervisor/process.h"

#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace emissary::supervisor {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

}  // namespace

pid_t spawn(const Program& program, std::string& error) {
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  pid_t pid = 0;
  const int failed = posix_spawn(&pid, program.path.c_str(), nullptr, &attributes, pointers(program.arguments).data(),
                                 pointers(program.environment).data());
  posix_spawnattr_destroy(&attributes);
  if (failed == 0) return pid;
  error = fmt::format("{} cannot be started ({}): {}", program.name, program.path, std::strerror(failed));
  return 0;
}

std::string describe(int wait_status) {
  if (WIFSIGNALED(wait_status))
    return fmt::format("was killed by signal {} ({})", WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
  return fmt::format("ended with status {}", WEXITSTATUS(wait_status));
}

bool followParent(pid_t parent, int signal) {
  prctl(PR_SET_PDEATHSIG, signal);
  return getppid() == parent;  // it may have died before the call
}

int execChild(pid_t parent, const std::vector<std::string>& arguments) {
  if (!followParent(parent, SIGKILL)) return 1;
  execv(arguments[0].c_str(), pointers(arguments).data());
  std::fprintf(stderr, "emissary: %s cannot be started: %s\n", arguments[0].c_str(), std::strerror(errno));
  return 127;
}

}  // namespace emissary::supervisor
