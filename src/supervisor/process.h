#pragma once
// Starting a child process. Plain functions, called by the supervisor's only thread.

#include <sys/types.h>

#include <string>
#include <vector>

namespace emissary::supervisor {

struct Program {
  /// "control plane", "Envoy": for logs.
  std::string name;
  /// What is executed; argv[0] may say something else.
  std::string path;
  std::vector<std::string> arguments;
  /// "NAME=value"; nothing else is handed down.
  std::vector<std::string> environment;
};

/// Start it: in a process group of its own (a terminal's Ctrl-C reaches only us), with no signal blocked or ignored. Nothing,
/// with `error` set, when it cannot be started.
pid_t spawn(const Program& program, std::string& error);

/// "ended with status 1", "was killed by signal 9 (Killed)".
std::string describe(int wait_status);

/// `exec-child`: be killed when `parent` dies, then become `arguments`. Returns only on failure: the exit status.
int execChild(pid_t parent, const std::vector<std::string>& arguments);

/// Be sent `signal` when `parent` dies. False when it is dead already.
bool followParent(pid_t parent, int signal);

}  // namespace emissary::supervisor
