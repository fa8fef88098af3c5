#include "settings/settings.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <set>
#include <string_view>

#include "base/lower.h"
#include "model/expand.h"
#include "model/text.h"

#include "base/uuid.h"
#include "settings/variables.h"

namespace emissary::settings {
namespace {

/// A value that cannot be used. Thrown and caught inside parse().
struct BadValue {
  std::string message;
};

[[noreturn]] void bad(std::string_view source, std::string_view value, std::string_view cure) {
  throw BadValue{fmt::format("{}: \"{}\" cannot be used: {}", source, value, cure)};
}

const std::string* find(const Environment& env, const char* name) { return read(env, name); }

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

uint32_t numberIn(std::string_view source, const std::string& text, uint64_t low, uint64_t high) {
  const auto value = number(text);
  if (!value || *value < low || *value > high) bad(source, text, fmt::format("write a whole number from {} to {}", low, high));
  return static_cast<uint32_t>(*value);
}

bool isIp(const std::string& text) {
  unsigned char buffer[sizeof(in6_addr)];
  return inet_pton(AF_INET, text.c_str(), buffer) == 1 || inet_pton(AF_INET6, text.c_str(), buffer) == 1;
}

/// The flags as written; absent means absent.
struct Flags {
  std::optional<std::string> config_dir, kubeconfig, envoy, admin, envoy_admin_port, ads, concurrency, ns, id, drain_delay, grace,
      run_dir, parent, service, crd_selector, https, probes;
  bool no_envoy = false;
  bool single_namespace = false;
  CLI::Option* single_namespace_option = nullptr;
};

/// A flag or its variable, and which of them it was (for messages).
struct Choice {
  std::string source;
  std::string value;
};

std::optional<Choice> choose(const char* flag, const std::optional<std::string>& value, const Environment& env,
                             const char* variable) {
  if (value) return Choice{flag, *value};
  if (const std::string* text = variable ? find(env, variable) : nullptr) return Choice{variable, *text};
  return std::nullopt;
}

void addIdentity(CLI::App& app, Flags& flags) {
  app.add_option("--namespace", flags.ns, "our own namespace, and that of objects that name none (AMBASSADOR_NAMESPACE)");
  flags.single_namespace_option = app.add_flag("--single-namespace", flags.single_namespace,
                                               "ignore objects of other namespaces (AMBASSADOR_SINGLE_NAMESPACE)");
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

CLI::App* addWebhook(CLI::App& app, Flags& flags) {
  CLI::App* webhook = app.add_subcommand("webhook", "convert objects between API versions, for the API server that asks");
  webhook->add_option("SERVICE", flags.service, "the Service that leads here [emissary-apiext]");
  webhook->add_option("--crd-label-selector", flags.crd_selector, "KEY=VALUE,…: of the CRDs to look after [all of the group]");
  webhook->add_option("--https-address", flags.https, "IP:PORT of the webhook [0.0.0.0:8443]");
  webhook->add_option("--probe-address", flags.probes, "IP:PORT of /probes/live and /probes/ready [0.0.0.0:8080]");
  addCluster(*webhook, flags);
  return webhook;
}

void takeIdentity(const Flags& flags, const Environment& env, Settings& s) {
  if (auto c = choose("--namespace", flags.ns, env, "AMBASSADOR_NAMESPACE")) s.ns = c->value;
  if (auto c = choose("--ambassador-id", flags.id, env, "AMBASSADOR_ID")) s.ambassador_id = c->value;
  const bool given = flags.single_namespace_option && flags.single_namespace_option->count() > 0;
  s.single_namespace = given ? flags.single_namespace : find(env, "AMBASSADOR_SINGLE_NAMESPACE") != nullptr;
  s.secrets_single_namespace = find(env, "AMBASSADOR_CERTS_SINGLE_NAMESPACE") != nullptr;
  s.strict_labels = !isTrue(find(env, "DISABLE_STRICT_LABEL_SELECTORS"));
  if (const std::string* cluster = find(env, "AMBASSADOR_CLUSTER_ID")) s.cluster_id = *cluster;
  if (const std::string* banner = find(env, "AMBASSADOR_DIAGD_BANNER_ENDPOINT")) s.banner_endpoint = *banner;
  if (s.ns.empty()) bad("--namespace", s.ns, "name a namespace");
}

/// The environment is read here and nowhere later: what objects compile to depends on nothing else.
void takeVariables(const Environment& env, Settings& s) {
  const std::string* list = find(env, "EMISSARY_EXPAND_VARIABLES");
  std::set<std::string, std::less<>> named;
  for (std::string_view rest = list ? std::string_view(*list) : std::string_view(); !rest.empty();) {
    const size_t comma = rest.find(',');
    std::string_view name = rest.substr(0, comma);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (!name.empty() && !model::mayExpand(name)) {
      s.notes.push_back(fmt::format("EMISSARY_EXPAND_VARIABLES: {} is not used in objects, for its name tells of a secret",
                                    model::printable(name)));
    }
    named.emplace(name);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  }
  model::Variables variables;
  for (const auto& [name, value] : env) {
    if (model::mayExpand(name) && (list == nullptr || named.contains(name))) variables.emplace(name, value);
  }
  s.variables = std::make_shared<const model::Variables>(std::move(variables));
}

void takeAdmin(const Flags& flags, const Environment& env, Settings& s) {
  const std::string* family = find(env, "AMBASSADOR_HEALTHCHECK_IP_FAMILY");
  if (family && *family != "ANY" && *family != "IPV4_ONLY" && *family != "IPV6_ONLY") {
    s.notes.push_back(
        fmt::format("AMBASSADOR_HEALTHCHECK_IP_FAMILY: \"{}\" is none of ANY, IPV4_ONLY, IPV6_ONLY: taken as ANY", *family));
  }
  const bool v6 = family && *family == "IPV6_ONLY";
  if (v6) s.ready.host = "::1";
  if (flags.admin) {
    const auto address = parseAddress(*flags.admin);
    if (!address) bad("--admin-address", *flags.admin, "write IP:PORT, for example 127.0.0.1:8877 or [::1]:8877");
    s.admin = *address;
    return;
  }
  if (v6) s.admin.host = "::1";
  if (const std::string* host = find(env, "AMBASSADOR_HEALTHCHECK_BIND_ADDRESS")) {
    if (!isIp(*host)) bad("AMBASSADOR_HEALTHCHECK_BIND_ADDRESS", *host, "write an IP address, for example 0.0.0.0");
    s.admin.host = v6 && *host == "0.0.0.0" ? "::" : *host;
  }
  if (const std::string* port = find(env, "AMBASSADOR_HEALTHCHECK_BIND_PORT")) {
    s.admin.port = static_cast<uint16_t>(numberIn("AMBASSADOR_HEALTHCHECK_BIND_PORT", *port, 1, 65535));
  }
}

/// Where `run` would listen, as far as the environment says; what is wrong there is `run`'s to tell.
void takeAdminQuietly(const Flags& flags, const Environment& env, Settings& s) {
  Settings aside;
  try {
    takeAdmin(flags, env, aside);
    s.admin = aside.admin;
  } catch (const BadValue&) {
    s.admin = Settings().admin;
  }
}

void takeReady(const Environment& env, Settings& s) {
  if (const std::string* port = find(env, "AMBASSADOR_READY_PORT")) {
    const auto value = number(*port);
    if (!value) bad("AMBASSADOR_READY_PORT", *port, "write a port, for example 8006");
    if (*value >= 1 && *value <= 65535) s.ready.port = static_cast<uint16_t>(*value);
    else s.notes.push_back(fmt::format("AMBASSADOR_READY_PORT: {} is no port from 1 to 65535: {} is used", *value, s.ready.port));
  }
  s.ready_log = isTrue(find(env, "AMBASSADOR_READY_LOG"));
}

void takeAds(const Flags& flags, Settings& s) {
  if (!flags.ads) return;
  const std::string& text = *flags.ads;
  const bool is_unix = text.rfind("unix:/", 0) == 0;
  if (is_unix && text.size() - 5 > 107)
    bad("--ads-address", text, "a Unix socket's path has at most 107 bytes: choose a shorter one");
  if (!is_unix && !parseAddress(text)) bad("--ads-address", text, "write unix:/PATH or IP:PORT, for example 127.0.0.1:8003");
  s.ads_address = text;
}

void takeLogging(const Environment& env, Settings& s) {
  if (const std::string* level = find(env, "AES_LOG_LEVEL"); level && !log::parseLevel(*level, s.log_level)) {
    bad("AES_LOG_LEVEL", *level, "write debug, info, warn or error");
  }
  s.json_logging = isTrue(find(env, "AMBASSADOR_JSON_LOGGING"));
  if (const std::string* parts = find(env, "AMBASSADOR_DEBUG")) s.envoy_debug = parts->find("envoy") != std::string::npos;
}

/// As upstream these two take one word only.
bool isTrueWord(const std::string* text) { return text != nullptr && text->size() == 4 && isTrue(text); }

void takeStatsd(const Environment& env, Settings& s) {
  if (!isTrueWord(find(env, "STATSD_ENABLED"))) return;
  Statsd& statsd = s.statsd.emplace();
  statsd.with_tags = isTrueWord(find(env, "DOGSTATSD"));
  if (const std::string* host = find(env, "STATSD_HOST")) statsd.host = *host;
  if (const std::string* interval = find(env, "STATSD_FLUSH_INTERVAL")) {
    statsd.interval_s = numberIn("STATSD_FLUSH_INTERVAL", *interval, 1, 300);
  }
  if (const std::string* entity = find(env, "DD_ENTITY_ID")) statsd.entity = *entity;
}

void takeRoutes(const Environment& env, Settings& s) {
  s.load_balancers = find(env, "AMBASSADOR_DISABLE_ENDPOINTS") == nullptr;
  if (const std::string* limit = find(env, "EMISSARY_ROUTE_LIST_LIMIT")) {
    s.route_list_limit = numberIn("EMISSARY_ROUTE_LIST_LIMIT", *limit, 1, UINT32_MAX);
  }
}

void takeSource(const Flags& flags, const Environment& env, Settings& s) {
  const auto text = [&](const char* name) {
    const std::string* found = find(env, name);
    return found ? *found : std::string();
  };
  if (flags.config_dir) {
    s.config_dir = *flags.config_dir;
    if (s.config_dir.empty()) bad("--config-dir", "", "name a folder");
    return;
  }
  s.kubeconfig = flags.kubeconfig ? *flags.kubeconfig : text("KUBECONFIG");
  s.kubernetes_host = text("KUBERNETES_SERVICE_HOST");
  s.kubernetes_port = text("KUBERNETES_SERVICE_PORT");
  s.label_selector = text("AMBASSADOR_LABEL_SELECTOR");
  s.field_selector = text("AMBASSADOR_FIELD_SELECTOR");
}

void takeRun(const Flags& flags, const Environment& env, Settings& s) {
  takeIdentity(flags, env, s);
  takeRoutes(env, s);
  takeVariables(env, s);
  takeAdmin(flags, env, s);
  takeReady(env, s);
  takeAds(flags, s);
  takeLogging(env, s);
  takeStatsd(env, s);
  takeSource(flags, env, s);
  if (flags.run_dir) s.run_dir = *flags.run_dir;
  if (flags.parent) s.parent = static_cast<int>(numberIn("--parent", *flags.parent, 1, INT32_MAX));
  if (auto c = choose("--envoy", flags.envoy, env, "EMISSARY_ENVOY")) s.envoy = c->value;
  s.no_envoy = flags.no_envoy || find(env, "DIAGD_ONLY") != nullptr;
  if (flags.envoy_admin_port) {
    s.envoy_admin_port = static_cast<uint16_t>(numberIn("--envoy-admin-port", *flags.envoy_admin_port, 1, 65535));
  }
  if (auto c = choose("--envoy-concurrency", flags.concurrency, env, "ENVOY_CONCURRENCY")) {
    s.envoy_concurrency = numberIn(c->source, c->value, 1, 4096);
  }
  if (const std::string* id = find(env, "AMBASSADOR_ENVOY_BASE_ID")) {
    s.envoy_base_id = numberIn("AMBASSADOR_ENVOY_BASE_ID", *id, 0, UINT32_MAX);
  }
  if (const std::string* address = find(env, "AMBASSADOR_ENVOY_BIND_ADDRESS")) {
    if (!isIp(*address)) bad("AMBASSADOR_ENVOY_BIND_ADDRESS", *address, "write an IP address, for example 0.0.0.0");
    s.bind_address = *address;
  }
  if (const std::string* time = find(env, "AMBASSADOR_DRAIN_TIME")) {
    s.drain_time_s = numberIn("AMBASSADOR_DRAIN_TIME", *time, 1, 7 * 86400);
  }
  if (auto c = choose("--drain-delay", flags.drain_delay, env, "EMISSARY_DRAIN_DELAY_SECONDS")) {
    s.drain_delay_s = numberIn(c->source, c->value, 0, 86400);
  }
  if (auto c = choose("--grace", flags.grace, env, "EMISSARY_GRACE_SECONDS"))
    s.grace_s = numberIn(c->source, c->value, 1, 7 * 86400);
  if (const std::string* delay = find(env, "AMBASSADOR_RECONFIG_MAX_DELAY")) {
    s.reconfig_max_delay_s = numberIn("AMBASSADOR_RECONFIG_MAX_DELAY", *delay, 1, 86400);
  }
  const std::string* metrics = find(env, "AMBASSADOR_METRICS");
  s.all_envoy_metrics = metrics && *metrics == "all";
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

void takeWebhook(const Flags& flags, const Environment& env, Settings& s) {
  WebhookSettings& w = s.webhook;
  if (flags.service) w.service = *flags.service;
  const bool named = !w.service.empty() && w.service.size() <= 63 &&
                     w.service.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
  if (!named) bad("SERVICE", w.service, "write the name of a Service");
  if (flags.crd_selector) w.crd_selector = *flags.crd_selector;
  if (const std::string* ns = read(env, "POD_NAMESPACE")) w.ns = *ns;
  const auto address = [](const char* flag, const std::optional<std::string>& text, Address& out) {
    if (!text) return;
    const auto parsed = parseAddress(*text);
    if (!parsed) bad(flag, *text, "write IP:PORT, for example 0.0.0.0:8443 or [::]:8443");
    out = *parsed;
  };
  address("--https-address", flags.https, w.https);
  address("--probe-address", flags.probes, w.probes);
  w.manage_ca = read(env, "DISABLE_CA_MANAGEMENT") == nullptr;
  w.manage_crds = read(env, "DISABLE_CRD_MANAGEMENT") == nullptr;
}

Exit usage(std::string_view command, std::string_view message) {
  return {2, "", fmt::format("emissary{}{}: {}\n", command.empty() ? "" : " ", command, message)};
}

/// CLI11 takes arguments from the back of the vector.
void parseInto(CLI::App& app, std::vector<std::string> arguments) {
  std::reverse(arguments.begin(), arguments.end());
  app.parse(arguments);
}

Parsed parseChild(const std::vector<std::string>& arguments) {
  Settings s;
  s.command = Command::ExecChild;
  const auto parent = arguments.size() >= 4 && arguments[2] == "--" ? number(arguments[1]) : std::nullopt;
  if (!parent || *parent == 0 || *parent > INT32_MAX) return usage("exec-child", "PARENT -- PROGRAM ARGUMENT…");
  s.parent = static_cast<int>(*parent);
  s.child.assign(arguments.begin() + 3, arguments.end());
  return s;
}

}  // namespace

std::string Address::text() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

std::string clusterId(const Settings& settings, const std::string& namespace_uid) {
  if (!settings.cluster_id.empty()) return settings.cluster_id;
  const std::string uid = namespace_uid.empty() ? "00000000-0000-0000-0000-000000000000" : namespace_uid;
  return uuidOfUrl(fmt::format("d6e_id://{}/{}", uid, settings.ambassador_id));
}

std::vector<std::string> ownAddresses(const Settings& settings) {
  std::vector<std::string> out;
  const auto add = [&](const Address& address) {
    out.push_back(address.text());
    for (const char* host : {"127.0.0.1", "::1"}) out.push_back(Address{host, address.port}.text());
  };
  add(settings.admin);
  add({"127.0.0.1", settings.envoy_admin_port});
  add(settings.ready);
  if (const auto ads = parseAddress(settings.ads_address)) add(*ads);
  return out;
}

std::optional<Address> parseAddress(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  std::string host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!isIp(host) || bracketed != (host.find(':') != std::string::npos)) return std::nullopt;
  const auto port = number(std::string_view(text).substr(colon + 1));
  if (!port || *port < 1 || *port > 65535) return std::nullopt;
  return Address{host, static_cast<uint16_t>(*port)};
}

Environment environmentOf(char** environ) {
  Environment result;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text(*entry);
    const size_t equals = text.find('=');
    if (equals != std::string_view::npos) result.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return result;
}

Parsed parse(const std::vector<std::string>& arguments, const Environment& env) {
  if (!arguments.empty() && arguments[0] == "exec-child") return parseChild(arguments);
  if (!arguments.empty() && std::find(std::begin(kLater), std::end(kLater), arguments[0]) != std::end(kLater)) {
    return usage(arguments[0], "not in this version");
  }

  Settings s;
  Flags flags, offline;
  CLI::App app{"An API gateway for Kubernetes: control plane and supervisor of Envoy", "emissary"};
  app.require_subcommand(1);

  CLI::App* run = app.add_subcommand("run", "start the gateway: the control plane and Envoy");
  addRun(*run, flags);
  CLI::App* control_plane = app.add_subcommand("control-plane", "started by run")->group("");
  Flags internal;
  addRun(*control_plane, internal);
  control_plane->add_option("--run-dir", internal.run_dir);
  control_plane->add_option("--parent", internal.parent);

  CLI::App* check = app.add_subcommand("check", "read manifests and print every finding; exit 0 no error, 1 errors, 2 usage");
  check->add_option("PATH", s.paths, "files and folders of manifests")->required();
  std::string check_output = "text", compile_output = "envoy";
  check->add_option("--output", check_output, "text or json")->check(CLI::IsMember({"text", "json"}));
  addIdentity(*check, offline);
  CLI::App* compile = app.add_subcommand("compile", "read manifests and print what Envoy would get");
  compile->add_option("PATH", s.paths, "files and folders of manifests")->required();
  compile->add_option("--output", compile_output, "envoy: Envoy's resources; ir: our own model")
      ->check(CLI::IsMember({"envoy", "ir"}));
  Flags compile_flags;
  addIdentity(*compile, compile_flags);
  CLI::App* crds = app.add_subcommand("crds", "print the CustomResourceDefinitions, for kubectl apply --server-side -f -");
  crds->add_flag("--legacy", s.legacy_crds, "with v1 and v2, for clusters that hold such objects; needs the conversion webhook");
  CLI::App* version = app.add_subcommand("version", "print our version, Envoy's API's, and the Envoy that would start");
  Flags version_flags;
  version->add_option("--envoy", version_flags.envoy, "the Envoy that run would be given");
  std::string convert_to = "v3alpha1", convert_from = "getambassador.io";
  CLI::App* convert = app.add_subcommand(
      "convert", "print manifests with objects of v1 and v2 as v3alpha1; exit 0 all converted, 1 errors, 2 usage");
  convert->add_option("PATH", s.paths, "files and folders of manifests; -: standard input")->required();
  convert->add_option("--to", convert_to, "v3alpha1, v2 or v1")->check(CLI::IsMember({"v3alpha1", "v2", "v1"}));
  convert->add_option("--from", convert_from, "getambassador.io; ingress-nginx: not in this version")
      ->check(CLI::IsMember({"getambassador.io", "ingress-nginx"}));
  Flags cluster_flags;
  CLI::App* webhook = addWebhook(app, cluster_flags);
  CLI::App* migrate =
      app.add_subcommand("migrate-storage", "have an API server store all objects as v3alpha1; exit 0 done, 1 not all, 2 usage");
  migrate->add_flag("--apply", s.apply, "do it; without it, print what would be done");
  migrate->add_flag("--drop-older", s.drop_older, "then take v1 and v2, and the conversion, from the CRDs");
  addCluster(*migrate, cluster_flags);
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
  const std::string name = app.get_subcommands().at(0)->get_name();
  try {
    if (*run || *control_plane) {
      const Flags& given = *run ? flags : internal;
      s.command = *run ? Command::Run : Command::ControlPlane;
      if (given.kubeconfig && given.config_dir) return usage(name, "--kubeconfig and --config-dir: choose one of them");
      takeRun(given, env, s);
      if (s.config_dir.empty() && s.kubeconfig.empty() && s.kubernetes_host.empty()) {
        return usage(name, "not in a cluster: name one with --kubeconfig FILE, or a folder of manifests with --config-dir DIR");
      }
      s.run_arguments.assign(arguments.begin() + 1, arguments.end());
    } else if (*crds) {
      s.command = Command::Crds;
    } else if (*convert) {
      if (convert_from == "ingress-nginx") return usage(name, "--from ingress-nginx: not in this version");
      s.command = Command::Convert;
      s.convert_to = convert::versionNamed(convert_to).value();
    } else if (*webhook || *migrate) {
      s.command = *webhook ? Command::Webhook : Command::MigrateStorage;
      if (*webhook) takeWebhook(cluster_flags, env, s);
      takeLogging(env, s);
      takeSource(cluster_flags, env, s);
      if (s.kubeconfig.empty() && s.kubernetes_host.empty())
        return usage(name, "not in a cluster: name one with --kubeconfig FILE");
    } else if (*version) {
      s.command = Command::Version;
      if (auto c = choose("--envoy", version_flags.envoy, env, "EMISSARY_ENVOY")) s.envoy = c->value;
    } else {
      s.command = *check ? Command::Check : Command::Compile;
      s.output = *check ? check_output : compile_output;
      takeIdentity(*check ? offline : compile_flags, env, s);
      takeRoutes(env, s);
      takeVariables(env, s);
      takeLogging(env, s);
      takeAdminQuietly(*check ? offline : compile_flags, env, s);
      if (const std::string* address = find(env, "AMBASSADOR_ENVOY_BIND_ADDRESS"); address && isIp(*address))
        s.bind_address = *address;
    }
  } catch (const BadValue& error) {
    return usage(name, error.message);
  }
  return s;
}

}  // namespace emissary::settings
