#include "settings/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

#include "settings/variables.h"

namespace emissary::settings {
namespace {

void addIdentity(CLI::App& app, Flags& flags) {
  app.add_option("--namespace", flags.ns, "our own namespace, and that of objects that name none (AMBASSADOR_NAMESPACE)");
  app.add_flag("--single-namespace", flags.single_namespace, "ignore objects of other namespaces (AMBASSADOR_SINGLE_NAMESPACE)");
  app.add_option("--ambassador-id", flags.id, "the installation that we are (AMBASSADOR_ID)");
}

void addRun(CLI::App& app, Flags& flags) {
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("--config-dir", flags.config_dir, "follow the manifests in this folder");
  app.add_option("--kubeconfig", flags.kubeconfig, "follow the cluster that this file names (KUBECONFIG) [the one we run in]");
  app.add_option("--envoy", flags.envoy,
                 "the Envoy to start (EMISSARY_ENVOY; else the one on PATH, else the one beside this program)");
  app.add_flag("--no-envoy", flags.no_envoy, "serve xDS only");
  app.add_option("--admin-address", flags.admin, "IP:PORT of probes and metrics [127.0.0.1:8877]");
  app.add_option("--envoy-admin-port", flags.envoy_admin_port, "port of Envoy's own admin server, on loopback [8001]");
  app.add_option("--ads-address", flags.ads, "unix:/PATH or IP:PORT of the xDS server [a Unix socket in a private folder]");
  app.add_option("--envoy-concurrency", flags.concurrency, "Envoy's worker threads (ENVOY_CONCURRENCY)");
  app.add_option("--drain-delay", flags.drain_delay,
                 "seconds to go on accepting after a stop was asked for (EMISSARY_DRAIN_DELAY_SECONDS) [5 as process 1, else 0]");
  app.add_option("--grace", flags.grace, "seconds from the request to stop to the end (EMISSARY_GRACE_SECONDS) [30]");
  addIdentity(app, flags);
}

void addCluster(CLI::App& app, Flags& flags) {
  app.add_option("--kubeconfig", flags.kubeconfig, "the cluster that this file names (KUBECONFIG) [the one we run in]");
}

void addWebhook(CLI::App& app, Flags& flags) {
  CLI::App* webhook = app.add_subcommand("webhook", "convert objects between API versions, for the API server that asks");
  webhook->add_option("SERVICE", flags.service, "the Service that leads here [emissary-apiext]");
  webhook->add_option("--crd-label-selector", flags.crd_selector, "KEY=VALUE,…: of the CRDs to look after [all of the group]");
  webhook->add_option("--https-address", flags.https, "IP:PORT of the webhook [0.0.0.0:8443]");
  webhook->add_option("--probe-address", flags.probes, "IP:PORT of /probes/live, /probes/ready and /metrics [0.0.0.0:8080]");
  addCluster(*webhook, flags);
}

void addOffline(CLI::App& app, Settings& s, Flags& flags) {
  CLI::App* check = app.add_subcommand("check", "read manifests and print every finding; exit 0 no error, 1 errors, 2 usage");
  check->add_option("PATH", s.paths, "files and folders of manifests")->required();
  check->add_option("--output", s.output, "text or json")->check(CLI::IsMember({"text", "json"}));
  addIdentity(*check, flags);
  CLI::App* compile = app.add_subcommand("compile", "read manifests and print what Envoy would get");
  compile->add_option("PATH", s.paths, "files and folders of manifests")->required();
  compile->add_option("--output", s.output, "envoy: Envoy's resources; ir: our own model")->check(CLI::IsMember({"envoy", "ir"}));
  addIdentity(*compile, flags);
  CLI::App* crds = app.add_subcommand("crds", "print the CustomResourceDefinitions, for kubectl apply --server-side -f -");
  crds->add_flag("--legacy", s.legacy_crds, "with v1 and v2, for clusters that hold such objects; needs the conversion webhook");
  CLI::App* version = app.add_subcommand("version", "print our version, Envoy's API's, and the Envoy that would start");
  version->add_option("--envoy", flags.envoy, "the Envoy that run would be given");
}

/// Of objects of other API versions.
void addVersions(CLI::App& app, Settings& s, Flags& flags) {
  CLI::App* convert = app.add_subcommand(
      "convert", "print manifests with objects of v1 and v2 as v3alpha1; exit 0 all converted, 1 errors, 2 usage");
  convert->add_option("PATH", s.paths, "files and folders of manifests; -: standard input")->required();
  convert->add_option("--to", flags.convert_to, "v3alpha1, v2 or v1")->check(CLI::IsMember({"v3alpha1", "v2", "v1"}));
  convert->add_option("--from", flags.convert_from, "getambassador.io; ingress-nginx: not in this version")
      ->check(CLI::IsMember({"getambassador.io", "ingress-nginx"}));
  addWebhook(app, flags);
  CLI::App* migrate =
      app.add_subcommand("migrate-storage", "have an API server store all objects as v3alpha1; exit 0 done, 1 not all, 2 usage");
  migrate->add_flag("--apply", s.apply, "do it; without it, print what would be done");
  migrate->add_flag("--drop-older", s.drop_older, "then take v1 and v2, and the conversion, from the CRDs");
  addCluster(*migrate, flags);
}

constexpr const char* kLater[] = {"explain", "diff"};

/// docs/program.md.
Exit reference(const CLI::App& app) {
  std::string out =
      "# The program\n\nMade by `make reference` out of the program itself. A flag wins over its variable.\n\n## Commands\n";
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    const bool later = std::find(std::begin(kLater), std::end(kLater), command->get_name()) != std::end(kLater);
    if (later || command->get_group().empty()) continue;
    std::string help = command->help("emissary");
    help.erase(help.find_last_not_of('\n') + 1);
    out += fmt::format("\n### emissary {}\n\n```text\n{}\n```\n", command->get_name(), help);
  }
  return {0, out + "\n## Environment\n\n" + variablesPage(), ""};
}

/// CLI11 takes arguments from the back of the vector.
void parseInto(CLI::App& app, std::vector<std::string> arguments) {
  std::reverse(arguments.begin(), arguments.end());
  app.parse(arguments);
}

const std::map<std::string, Command, std::less<>> kCommands = {
    {"run", Command::Run},         {"control-plane", Command::ControlPlane},
    {"check", Command::Check},     {"compile", Command::Compile},
    {"convert", Command::Convert}, {"crds", Command::Crds},
    {"version", Command::Version}, {"migrate-storage", Command::MigrateStorage},
    {"webhook", Command::Webhook},
};

/// What the flags say together.
std::optional<Exit> take(const std::string& name, Settings& s, const Flags& flags) {
  s.command = kCommands.at(name);
  if (s.command == Command::Check && s.output.empty()) s.output = "text";
  if (s.command == Command::Compile && s.output.empty()) s.output = "envoy";
  if (flags.convert_to) s.convert_to = convert::versionNamed(*flags.convert_to).value();
  if (flags.convert_from == "ingress-nginx") return usage(name, "--from ingress-nginx: not in this version");
  if (flags.kubeconfig && flags.config_dir) return usage(name, "--kubeconfig and --config-dir: choose one of them");
  return std::nullopt;
}

}  // namespace

Exit usage(std::string_view command, std::string_view message) {
  return {2, "", fmt::format("emissary{}{}: {}\n", command.empty() ? "" : " ", command, message)};
}

std::optional<Exit> readCommandLine(const std::vector<std::string>& arguments, Settings& s, Flags& flags) {
  if (!arguments.empty() && std::find(std::begin(kLater), std::end(kLater), arguments[0]) != std::end(kLater)) {
    return usage(arguments[0], "not in this version");
  }
  CLI::App app{"An API gateway for Kubernetes: control plane and supervisor of Envoy", "emissary"};
  app.require_subcommand(1);
  addRun(*app.add_subcommand("run", "start the gateway: the control plane and Envoy"), flags);
  CLI::App* control_plane = app.add_subcommand("control-plane", "started by run")->group("");
  addRun(*control_plane, flags);
  control_plane->add_option("--run-dir", flags.run_dir);
  control_plane->add_option("--parent", flags.parent);
  addOffline(app, s, flags);
  addVersions(app, s, flags);
  for (const char* name : kLater) app.add_subcommand(name, "not in this version");
  const CLI::App* page = app.add_subcommand("reference", "print the reference of commands and environment, as Markdown")->group("");
  try {
    parseInto(app, arguments);
  } catch (const CLI::CallForHelp& help) {
    for (const CLI::App* sub : app.get_subcommands()) return Exit{0, sub->help(), ""};
    return Exit{0, app.help(), ""};
  } catch (const CLI::ParseError& error) {
    const auto subs = app.get_subcommands();
    return usage(subs.empty() ? "" : subs[0]->get_name(), fmt::format("{} (--help says more)", error.what()));
  }
  if (*page) return reference(app);
  const CLI::App& given = *app.get_subcommands().at(0);
  flags.command = given.get_name();
  const CLI::Option* single = given.get_option_no_throw("--single-namespace");
  flags.single_namespace_given = single != nullptr && single->count() > 0;
  return take(flags.command, s, flags);
}

}  // namespace emissary::settings
