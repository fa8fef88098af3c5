#include "settings/variables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "base/lower.h"

namespace emissary::settings {
namespace {

constexpr Variable kVariables[] = {
    // ---- who we are, what is read
    {"AMBASSADOR_ID", "`default`",
     "The installation that this is: objects with another `ambassador_id` are not used. `--ambassador-id`"},
    {"AMBASSADOR_NAMESPACE", "`default`", "Our own namespace, and that of objects that name none. `--namespace`"},
    {"AMBASSADOR_SINGLE_NAMESPACE", "", "Any text: only objects of our own namespace are read. `--single-namespace`"},
    {"AMBASSADOR_CERTS_SINGLE_NAMESPACE", "", "Any text: only Secrets of our own namespace are read"},
    {"AMBASSADOR_LABEL_SELECTOR", "none", "A label selector of everything that is watched but Namespaces"},
    {"AMBASSADOR_FIELD_SELECTOR", "none", "The same by fields"},
    {"DISABLE_STRICT_LABEL_SELECTORS", "", "Yes: one equal label is enough for a selector of a Listener or Host, instead of all"},
    {"KUBECONFIG", "", "Files that name the cluster, `:` between them; unset: the one that the Pod runs in. `--kubeconfig`"},
    {"KUBERNETES_SERVICE_HOST", "", "Set by Kubernetes: where a Pod finds the API server"},
    {"KUBERNETES_SERVICE_PORT", "", "Likewise"},
    {"EMISSARY_EXPAND_VARIABLES", "all",
     "Variables, commas between them, that `${NAME}` in objects may stand for; never one whose name tells of a secret"},
    {"AMBASSADOR_CLUSTER_ID", "made of the cluster's own", "The id of the cluster in diagnostics and metrics"},
    {"AMBASSADOR_DIAGD_BANNER_ENDPOINT", "none", "A URL whose answer stands above the diagnostics page"},
    // ---- addresses
    {"AMBASSADOR_HEALTHCHECK_BIND_ADDRESS", "`127.0.0.1`", "The address of probes, metrics and diagnostics. `--admin-address`"},
    {"AMBASSADOR_HEALTHCHECK_BIND_PORT", "`8877`", "Its port. `--admin-address`"},
    {"AMBASSADOR_HEALTHCHECK_IP_FAMILY", "`ANY`", "`IPV6_ONLY`: these two are on `::1`, or `::` for `0.0.0.0`"},
    {"AMBASSADOR_READY_PORT", "`8006`", "The port of Envoy's own `/ready`, on the loopback address"},
    {"AMBASSADOR_READY_LOG", "", "Yes: its requests are logged"},
    {"AMBASSADOR_ENVOY_BIND_ADDRESS", "`0.0.0.0`", "The address of Listeners"},
    // ---- Envoy
    {"EMISSARY_ENVOY", "the one on PATH, else beside the program", "The Envoy to start. `--envoy`"},
    {"ENVOY_CONCURRENCY", "one a processor", "Envoy's worker threads. `--envoy-concurrency`"},
    {"AMBASSADOR_ENVOY_BASE_ID", "none", "The id of Envoy's shared memory for hot restart; without it there is none"},
    {"AMBASSADOR_DRAIN_TIME", "`600`", "Seconds that connections of a replaced Listener or filter chain may go on"},
    {"DIAGD_ONLY", "", "Any text: xDS is served and no Envoy started. `--no-envoy`"},
    {"AMBASSADOR_DISABLE_ENDPOINTS", "", "Any text: no `load_balancer` counts; all is round robin"},
    {"EMISSARY_ROUTE_LIST_LIMIT", "`64`", "A virtual host with more routes is looked up in a match tree"},
    {"AMBASSADOR_RECONFIG_MAX_DELAY", "changes go at once", "Seconds within which there is one new configuration at most"},
    {"TMPDIR", "`/tmp`", "Where the private folder is made: sockets, Envoy's bootstrap"},
    // ---- stopping
    {"EMISSARY_DRAIN_DELAY_SECONDS", "`5` as process 1, else `0`",
     "Seconds to go on accepting after a stop was asked for. `--drain-delay`"},
    {"EMISSARY_GRACE_SECONDS", "`30`", "Seconds from the request to stop to the end. `--grace`"},
    // ---- logs and figures
    {"AES_LOG_LEVEL", "`info`", "`debug`, `info`, `warn` or `error`"},
    {"AMBASSADOR_JSON_LOGGING", "", "Yes: JSON lines also on a terminal"},
    {"AMBASSADOR_DEBUG", "", "Holds `envoy`: Envoy logs everything it does"},
    {"AMBASSADOR_METRICS", "", "`all`: `/metrics` brings all of Envoy's series, those of each cluster too"},
    {"STATSD_ENABLED", "", "`true`: Envoy sends its figures by statsd"},
    {"STATSD_HOST", "`statsd-sink`", "Where to, port 8125"},
    {"STATSD_FLUSH_INTERVAL", "`1`", "How often, in seconds, up to 300"},
    {"DOGSTATSD", "", "`true`: with tags, as Datadog's agent reads them"},
    {"DD_ENTITY_ID", "", "A tag of all of them"},
    // ---- the conversion webhook
    {"POD_NAMESPACE", "that of the ServiceAccount, else `emissary-system`", "`webhook`: where its Service and its authority are"},
    {"DISABLE_CA_MANAGEMENT", "", "`webhook`, any text: its authority's Secret is another's to make and renew"},
    {"DISABLE_CRD_MANAGEMENT", "", "`webhook`, any text: the CRDs' conversion is another's to fill in"},
};

constexpr Variable kIdle[] = {
    {"AMBASSADOR_FAST_RECONFIGURE", "", "every change costs what it touches"},
    {"AMBASSADOR_AMBEX_NO_RATELIMIT", "", "nothing is held back for want of memory"},
    {"AMBASSADOR_AMBEX_SNAPSHOT_COUNT", "", "no configuration is kept on disk"},
    {"AMBASSADOR_SNAPSHOT_COUNT", "", "no configuration is kept on disk"},
    {"AMBASSADOR_CONFIG_BASE_DIR", "", "no file is generated but in a private folder below `TMPDIR`"},
    {"AMBASSADOR_CONFIG_DIR", "", "a cluster's objects are all that counts; `--config-dir` follows a folder in their place"},
    {"AMBASSADOR_DISABLE_SNAPSHOT_SERVER", "", "there is no server of snapshots"},
    {"AMBASSADOR_FORCE_ENDPOINTS", "", "resolvers decide"},
    {"AMBASSADOR_EDS_BYPASS", "", "endpoints go by EDS"},
    {"AMBASSADOR_FORCE_SECRET_VALIDATION", "", "a Secret that cannot be used is never used, and is told"},
    {"AMBASSADOR_UPDATE_MAPPING_STATUS", "", "the status of every kind is written"},
    {"AMBASSADOR_DIAGD_BIND_PORT", "", "diagnostics are on the port of the probes"},
    {"AMBASSADOR_DIAGD_BIND_ADDREASS", "", "diagnostics are on the port of the probes"},
    {"AMBASSADOR_LOG_RESOURCES", "", "diagnostics show every object"},
    {"AMBASSADOR_APIEXT_WAIT", "", "a kind that is not served yet is waited for, by itself"},
};

}  // namespace

std::span<const Variable> variables() { return kVariables; }
std::span<const Variable> idleVariables() { return kIdle; }

const std::string* read(const Environment& environment, std::string_view name) {
  assert(std::any_of(std::begin(kVariables), std::end(kVariables), [&](const Variable& one) { return one.name == name; }));
  const auto it = environment.find(std::string(name));
  return it == environment.end() || it->second.empty() ? nullptr : &it->second;
}

bool isTrue(const std::string* text) {
  if (!text) return false;
  const std::string word = lower(*text);
  return word == "y" || word == "yes" || word == "on" || word == "1" || word == "true" || word == "t";
}

std::string variablesPage() {
  std::string out = "| variable | unset | means |\n| --- | --- | --- |\n";
  for (const Variable& one : kVariables) out += fmt::format("| `{}` | {} | {} |\n", one.name, one.unset, one.meaning);
  out +=
      "\nOnes that Emissary-ingress had, and that need no value any more; they are accepted:\n\n| variable | because |\n| --- | "
      "--- |\n";
  for (const Variable& one : kIdle) out += fmt::format("| `{}` | {} |\n", one.name, one.meaning);
  return out;
}

}  // namespace emissary::settings
