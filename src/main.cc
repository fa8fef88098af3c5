#include <unistd.h>

#include <cstdio>

#include "cli/commands.h"
#include "cli/settings.h"
#include "control_plane/control_plane.h"
#include "supervisor/process.h"
#include "supervisor/run.h"

int main(int count, char** arguments) {
  using namespace emissary;
  const cli::Environment env = cli::environmentOf(environ);
  const cli::Parsed parsed = cli::parse({arguments + 1, arguments + count}, env);
  if (const auto* exit = std::get_if<cli::Exit>(&parsed)) {
    std::fputs(exit->out.c_str(), stdout);
    std::fputs(exit->err.c_str(), stderr);
    return exit->code;
  }
  const auto& settings = std::get<cli::Settings>(parsed);
  switch (settings.command) {
    case cli::Command::Run: return supervisor::run(settings, env);  // starts the next two
    case cli::Command::ControlPlane: return control_plane::run(settings);
    case cli::Command::ExecChild: return supervisor::execChild(settings.parent, settings.child);  // Envoy
    case cli::Command::Check: return cli::check(settings);
    case cli::Command::Compile: return cli::compile(settings);
    case cli::Command::Version: return cli::version(settings, env);
  }
  return 2;
}
