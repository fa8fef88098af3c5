#include "settings/environment.h"

#include <fmt/format.h>

#include <set>
#include <string_view>

#include "model/expand.h"
#include "model/text.h"
#include "settings/texts.h"
#include "settings/variables.h"

namespace emissary::settings {
namespace {

[[noreturn]] void bad(std::string_view source, std::string_view value, std::string_view cure) {
  throw BadValue{fmt::format("{}: \"{}\" cannot be used: {}", source, value, cure)};
}

uint32_t numberIn(std::string_view source, const std::string& text, uint64_t low, uint64_t high) {
  const auto value = number(text);
  if (!value || *value < low || *value > high) bad(source, text, fmt::format("write a whole number from {} to {}", low, high));
  return static_cast<uint32_t>(*value);
}

/// A flag or its variable, and which of them it was (for messages).
struct Choice {
  std::string source;
  std::string value;
};

std::optional<Choice> choose(const char* flag, const std::optional<std::string>& value, const Environment& env,
                             const char* variable) {
  if (value) return Choice{flag, *value};
  if (const std::string* text = variable ? read(env, variable) : nullptr) return Choice{variable, *text};
  return std::nullopt;
}

void takeIdentity(const Flags& flags, const Environment& env, Settings& s) {
  if (auto c = choose("--namespace", flags.ns, env, "AMBASSADOR_NAMESPACE")) s.ns = c->value;
  if (auto c = choose("--ambassador-id", flags.id, env, "AMBASSADOR_ID")) s.ambassador_id = c->value;
  s.single_namespace = flags.single_namespace_given ? flags.single_namespace : read(env, "AMBASSADOR_SINGLE_NAMESPACE") != nullptr;
  s.secrets_single_namespace = read(env, "AMBASSADOR_CERTS_SINGLE_NAMESPACE") != nullptr;
  s.strict_labels = !isTrue(read(env, "DISABLE_STRICT_LABEL_SELECTORS"));
  if (const std::string* cluster = read(env, "AMBASSADOR_CLUSTER_ID")) s.cluster_id = *cluster;
  if (const std::string* banner = read(env, "AMBASSADOR_DIAGD_BANNER_ENDPOINT")) s.banner_endpoint = *banner;
  if (s.ns.empty()) bad("--namespace", s.ns, "name a namespace");
}

/// What objects may name.
void takeVariables(const Environment& env, Settings& s) {
  const std::string* list = read(env, "EMISSARY_EXPAND_VARIABLES");
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
  const std::string* family = read(env, "AMBASSADOR_HEALTHCHECK_IP_FAMILY");
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
  if (const std::string* host = read(env, "AMBASSADOR_HEALTHCHECK_BIND_ADDRESS")) {
    if (!isIp(*host)) bad("AMBASSADOR_HEALTHCHECK_BIND_ADDRESS", *host, "write an IP address, for example 0.0.0.0");
    s.admin.host = v6 && *host == "0.0.0.0" ? "::" : *host;
  }
  if (const std::string* port = read(env, "AMBASSADOR_HEALTHCHECK_BIND_PORT")) {
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
  if (const std::string* port = read(env, "AMBASSADOR_READY_PORT")) {
    const auto value = number(*port);
    if (!value) bad("AMBASSADOR_READY_PORT", *port, "write a port, for example 8006");
    if (*value >= 1 && *value <= 65535) s.ready.port = static_cast<uint16_t>(*value);
    else s.notes.push_back(fmt::format("AMBASSADOR_READY_PORT: {} is no port from 1 to 65535: {} is used", *value, s.ready.port));
  }
  s.ready_log = isTrue(read(env, "AMBASSADOR_READY_LOG"));
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
  if (const std::string* level = read(env, "AES_LOG_LEVEL"); level && !log::parseLevel(*level, s.log_level)) {
    bad("AES_LOG_LEVEL", *level, "write debug, info, warn or error");
  }
  s.json_logging = isTrue(read(env, "AMBASSADOR_JSON_LOGGING"));
  if (const std::string* parts = read(env, "AMBASSADOR_DEBUG")) s.envoy_debug = parts->find("envoy") != std::string::npos;
}

/// As upstream these two take one word only.
bool isTrueWord(const std::string* text) { return text != nullptr && text->size() == 4 && isTrue(text); }

void takeStatsd(const Environment& env, Settings& s) {
  if (!isTrueWord(read(env, "STATSD_ENABLED"))) return;
  Statsd& statsd = s.statsd.emplace();
  statsd.with_tags = isTrueWord(read(env, "DOGSTATSD"));
  if (const std::string* host = read(env, "STATSD_HOST")) statsd.host = *host;
  if (const std::string* interval = read(env, "STATSD_FLUSH_INTERVAL")) {
    statsd.interval_s = numberIn("STATSD_FLUSH_INTERVAL", *interval, 1, 300);
  }
  if (const std::string* entity = read(env, "DD_ENTITY_ID")) statsd.entity = *entity;
}

void takeRoutes(const Environment& env, Settings& s) {
  s.load_balancers = read(env, "AMBASSADOR_DISABLE_ENDPOINTS") == nullptr;
  if (const std::string* limit = read(env, "EMISSARY_ROUTE_LIST_LIMIT")) {
    s.route_list_limit = numberIn("EMISSARY_ROUTE_LIST_LIMIT", *limit, 1, UINT32_MAX);
  }
}

void takeSource(const Flags& flags, const Environment& env, Settings& s) {
  const auto text = [&](const char* name) {
    const std::string* found = read(env, name);
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
  s.no_envoy = flags.no_envoy || read(env, "DIAGD_ONLY") != nullptr;
  if (flags.envoy_admin_port) {
    s.envoy_admin_port = static_cast<uint16_t>(numberIn("--envoy-admin-port", *flags.envoy_admin_port, 1, 65535));
  }
  if (auto c = choose("--envoy-concurrency", flags.concurrency, env, "ENVOY_CONCURRENCY")) {
    s.envoy_concurrency = numberIn(c->source, c->value, 1, 4096);
  }
  if (const std::string* id = read(env, "AMBASSADOR_ENVOY_BASE_ID")) {
    s.envoy_base_id = numberIn("AMBASSADOR_ENVOY_BASE_ID", *id, 0, UINT32_MAX);
  }
  if (const std::string* address = read(env, "AMBASSADOR_ENVOY_BIND_ADDRESS")) {
    if (!isIp(*address)) bad("AMBASSADOR_ENVOY_BIND_ADDRESS", *address, "write an IP address, for example 0.0.0.0");
    s.bind_address = *address;
  }
  if (const std::string* time = read(env, "AMBASSADOR_DRAIN_TIME")) {
    s.drain_time_s = numberIn("AMBASSADOR_DRAIN_TIME", *time, 1, 7 * 86400);
  }
  if (auto c = choose("--drain-delay", flags.drain_delay, env, "EMISSARY_DRAIN_DELAY_SECONDS")) {
    s.drain_delay_s = numberIn(c->source, c->value, 0, 86400);
  }
  if (auto c = choose("--grace", flags.grace, env, "EMISSARY_GRACE_SECONDS"))
    s.grace_s = numberIn(c->source, c->value, 1, 7 * 86400);
  if (const std::string* delay = read(env, "AMBASSADOR_RECONFIG_MAX_DELAY")) {
    s.reconfig_max_delay_s = numberIn("AMBASSADOR_RECONFIG_MAX_DELAY", *delay, 1, 86400);
  }
  const std::string* metrics = read(env, "AMBASSADOR_METRICS");
  s.all_envoy_metrics = metrics && *metrics == "all";
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

/// check, compile: what `run` would make of it.
void takeOffline(const Flags& flags, const Environment& env, Settings& s) {
  takeIdentity(flags, env, s);
  takeRoutes(env, s);
  takeVariables(env, s);
  takeLogging(env, s);
  takeAdminQuietly(flags, env, s);
  const std::string* address = read(env, "AMBASSADOR_ENVOY_BIND_ADDRESS");
  if (address && isIp(*address)) s.bind_address = *address;
}

void needCluster(const Settings& s, const char* cure) {
  if (s.config_dir.empty() && s.kubeconfig.empty() && s.kubernetes_host.empty()) {
    throw BadValue{fmt::format("not in a cluster: {}", cure)};
  }
}

}  // namespace

void take(const Flags& flags, const Environment& env, Settings& s) {
  switch (s.command) {
    case Command::Run:
    case Command::ControlPlane:
      takeRun(flags, env, s);
      return needCluster(s, "name one with --kubeconfig FILE, or a folder of manifests with --config-dir DIR");
    case Command::Webhook:
    case Command::MigrateStorage:
      if (s.command == Command::Webhook) takeWebhook(flags, env, s);
      takeLogging(env, s);
      takeSource(flags, env, s);
      return needCluster(s, "name one with --kubeconfig FILE");
    case Command::Version:
      if (auto c = choose("--envoy", flags.envoy, env, "EMISSARY_ENVOY")) s.envoy = c->value;
      return;
    case Command::Check:
    case Command::Compile: return takeOffline(flags, env, s);
    case Command::Convert:
    case Command::Crds:
    case Command::ExecChild: return;
  }
}

}  // namespace emissary::settings
