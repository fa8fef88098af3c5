#include <unistd.h>

#include <cstdio>

#include "cli/commands.h"
#include "control_plane/control_plane.h"
#include "settings/settings.h"
#include "supervisor/process.h"
#include "supervisor/run.h"
#include "webhook/webhook.h"

int main(int count, char** arguments) {
  using namespace emissary;
  const settings::Environment env = settings::environmentOf(environ);
  const settings::Parsed parsed = settings::parse({arguments + 1, arguments + count}, env);
  if (const auto* exit = std::get_if<settings::Exit>(&parsed)) {
    std::fputs(exit->out.c_str(), stdout);
    std::fputs(exit->err.c_str(), stderr);
    return exit->code;
  }
  const auto& settings = std::get<settings::Settings>(parsed);
  switch (settings.command) {
    case settings::Command::Run: return supervisor::run(settings, env);  // starts the next two
    case settings::Command::ControlPlane: return control_plane::run(settings);
    case settings::Command::ExecChild: return supervisor::execChild(settings.parent, settings.child);  // Envoy
    case settings::Command::Check: return cli::check(settings);
    case settings::Command::Compile: return cli::compile(settings);
    case settings::Command::Convert: return cli::convert(settings);
    case settings::Command::Crds: return cli::crds(settings);
    case settings::Command::Version: return cli::version(settings, env);
    case settings::Command::MigrateStorage: return cli::migrateStorage(settings);
    case settings::Command::Webhook: return webhook::run(settings);
  }
  return 2;
}
