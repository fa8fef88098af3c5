#include "cli/commands.h"

#include <fmt/format.h>
#include <limits.h>
#include <unistd.h>

#include <cstdio>

#include "base/version.h"
#include "envoy/bootstrap.h"

namespace emissary::cli {

int version(const settings::Settings& settings, const settings::Environment& env) {
  char program[PATH_MAX];
  const ssize_t size = readlink("/proc/self/exe", program, sizeof program);
  std::string error;
  const std::string envoy = envoy::find(settings.envoy, env, std::string(program, size > 0 ? static_cast<size_t>(size) : 0), error);
  fmt::print("emissary {}\nEnvoy API {}\nEnvoy {}\n", kVersion, EMISSARY_ENVOY_VERSION, envoy.empty() ? "none: " + error : envoy);
  return 0;
}

}  // namespace emissary::cli
