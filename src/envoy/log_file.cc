#include "envoy/log_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace emissary::envoy {

std::string logProblem(const std::string& path) {
  // Its own streams, which it does not open.
  for (const char* stream : {"/dev/stdout", "/dev/stderr", "/dev/fd/1", "/dev/fd/2"}) {
    if (path == stream) return {};
  }
  // A pipe that nobody reads would hold Envoy up; opened so, it is an error.
  const int file = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0644);
  if (file < 0) return std::strerror(errno);
  close(file);
  return {};
}

}  // namespace emissary::envoy
