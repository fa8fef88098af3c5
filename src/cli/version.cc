#include "cli/commands.h"

#include <fmt/format.h>
#include <limits.h>
#include <unistd.h>

#include <cstdio>

#include "base/version.h"
#include "envoy/bootstrap.h"
#include "envoy/program_version.h"

namespace emissary::cli {
namespace {

constexpr std::chrono::seconds kPatience{10};

}  // namespace

int version(const settings::Settings& settings, const settings::Environment& env) {
  char program[PATH_MAX];
  const ssize_t size = readlink("/proc/self/exe", program, sizeof program);
  std::string error;
  const std::string envoy = envoy::find(settings.envoy, env, std::string(program, size > 0 ? static_cast<size_t>(size) : 0), error);
  const std::string started = envoy.empty() ? "" : envoy::programVersion(envoy, kPatience);
  fmt::print("emissary {}\nEnvoy API {}\nEnvoy {}{}\n", kVersion, EMISSARY_ENVOY_VERSION, started.empty() ? "" : started + ": ",
             envoy.empty() ? "none: " + error : envoy);
  return 0;
}

}  // namespace emissary::cli
