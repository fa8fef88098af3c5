#pragma once
// The command line and the environment, read once into one struct. A pure function: what it needs it is given, so that tests
// need no process. A flag wins over its variable, a variable over the default.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/log.h"
#include "convert/convert.h"
#include "model/parse.h"

namespace emissary::settings {

using Environment = std::map<std::string, std::string>;

enum class Command : uint8_t { Run, ControlPlane, ExecChild, Check, Compile, Convert, Crds, MigrateStorage, Version, Webhook };

struct Address {
  std::string host;
  uint16_t port = 0;
  auto operator<=>(const Address&) const = default;
  /// "127.0.0.1:8877", "[::1]:8877"
  std::string text() const;
};

/// Where Envoy sends its figures (UDP).
struct Statsd {
  /// STATSD_HOST.
  std::string host = "statsd-sink";
  uint16_t port = 8125;
  /// STATSD_FLUSH_INTERVAL.
  uint32_t interval_s = 1;
  /// DOGSTATSD: with tags, as Datadog's agent reads them.
  bool with_tags = false;
  /// DD_ENTITY_ID: a tag of all of them.
  std::string entity;
};

/// `emissary webhook`.
struct WebhookSettings {
  /// The argument: the Service by which the API server finds us.
  std::string service = "emissary-apiext";
  /// --crd-label-selector; empty: all CRDs of the group.
  std::string crd_selector;
  /// POD_NAMESPACE; empty: that of the ServiceAccount, else emissary-system.
  std::string ns;
  /// --https-address and --probe-address.
  Address https{"0.0.0.0", 8443};
  Address probes{"0.0.0.0", 8080};
  /// False with DISABLE_CA_MANAGEMENT (any text): the Secret is another's to fill.
  bool manage_ca = true;
  /// False with DISABLE_CRD_MANAGEMENT (any text): the CRDs name us already.
  bool manage_crds = true;
};

struct Settings {
  Command command = Command::Run;

  // ---- what is read
  /// --config-dir: the manifests' folder. Empty: an API server is followed.
  std::string config_dir;
  /// --kubeconfig, else KUBECONFIG: files with ':' between them. Empty: the files that a Pod is given.
  std::string kubeconfig;
  /// KUBERNETES_SERVICE_HOST and _PORT: where a Pod finds the API server.
  std::string kubernetes_host;
  std::string kubernetes_port;
  /// AMBASSADOR_LABEL_SELECTOR and AMBASSADOR_FIELD_SELECTOR: of all that is watched.
  std::string label_selector;
  std::string field_selector;
  /// check, compile: files and folders, in the order given.
  std::vector<std::string> paths;
  /// check: "text" or "json"; compile: "envoy" or "ir".
  std::string output;
  /// crds --legacy: with v1 and v2.
  bool legacy_crds = false;
  /// convert --to.
  convert::Version convert_to = convert::Version::V3alpha1;
  /// migrate-storage --apply: without it, it is only told what would be done.
  bool apply = false;
  /// migrate-storage --drop-older.
  bool drop_older = false;
  WebhookSettings webhook;

  // ---- who we are
  /// --ambassador-id, AMBASSADOR_ID.
  std::string ambassador_id = "default";
  /// --namespace, AMBASSADOR_NAMESPACE: our own namespace, and that of objects that name none.
  std::string ns = "default";
  /// --single-namespace, AMBASSADOR_SINGLE_NAMESPACE (any text).
  bool single_namespace = false;
  /// AMBASSADOR_CERTS_SINGLE_NAMESPACE (any text): Secrets of other namespaces are ignored.
  bool secrets_single_namespace = false;
  /// False with DISABLE_STRICT_LABEL_SELECTORS: one equal label is enough for a selector.
  bool strict_labels = true;
  /// AMBASSADOR_CLUSTER_ID; empty: derived from the installation's id and what the cluster is (uuidOfUrl).
  std::string cluster_id;
  /// AMBASSADOR_DIAGD_BANNER_ENDPOINT: where the HTML above the diagnostics page is fetched; empty: none.
  std::string banner_endpoint;

  /// What ${NAME} stands for in objects: the environment, without variables that name a secret; EMISSARY_EXPAND_VARIABLES, a
  /// list with commas, narrows it.
  std::shared_ptr<const model::Variables> variables;

  // ---- addresses
  /// --admin-address, else AMBASSADOR_HEALTHCHECK_BIND_ADDRESS and _PORT, in the family of AMBASSADOR_HEALTHCHECK_IP_FAMILY.
  Address admin{"127.0.0.1", 8877};
  /// --envoy-admin-port: Envoy's own admin server, always on loopback.
  uint16_t envoy_admin_port = 8001;
  /// --ads-address: "unix:/path" or "IP:PORT". Empty: a Unix socket in the private folder.
  std::string ads_address;
  /// AMBASSADOR_READY_PORT, on 127.0.0.1, or on ::1 with AMBASSADOR_HEALTHCHECK_IP_FAMILY=IPV6_ONLY.
  Address ready{"127.0.0.1", 8006};
  /// AMBASSADOR_ENVOY_BIND_ADDRESS: what Listeners bind.
  std::string bind_address = "0.0.0.0";

  // ---- Envoy
  /// --envoy, EMISSARY_ENVOY; empty: look for one.
  std::string envoy;
  /// --no-envoy, DIAGD_ONLY: serve xDS only.
  bool no_envoy = false;
  /// --envoy-concurrency, ENVOY_CONCURRENCY.
  std::optional<uint32_t> envoy_concurrency;
  /// AMBASSADOR_ENVOY_BASE_ID: set, Envoy keeps its hot restart memory under this id; unset, it has none.
  std::optional<uint32_t> envoy_base_id;
  /// AMBASSADOR_READY_LOG: write an access log of the readiness listener.
  bool ready_log = false;
  /// AMBASSADOR_DEBUG holds "envoy".
  bool envoy_debug = false;
  /// AMBASSADOR_DRAIN_TIME, seconds: how long connections of a replaced listener or filter chain may go on.
  uint32_t drain_time_s = 600;

  /// STATSD_ENABLED.
  std::optional<Statsd> statsd;

  // ---- shutting down
  /// --drain-delay, EMISSARY_DRAIN_DELAY_SECONDS: how long a drain goes on accepting after it stopped being ready, so
  /// that load balancers catch up. Unset: 5 when we are process 1 (a container), else 0.
  std::optional<uint32_t> drain_delay_s;
  /// --grace, EMISSARY_GRACE_SECONDS: from the signal to the end, all included. As Kubernetes' termination grace.
  uint32_t grace_s = 30;

  // ---- behaviour
  /// AMBASSADOR_DISABLE_ENDPOINTS (any text): no load_balancer counts.
  bool load_balancers = true;
  /// AMBASSADOR_RECONFIG_MAX_DELAY, seconds: at most one configuration in this time. Unset: changes go at once.
  std::optional<uint32_t> reconfig_max_delay_s;
  /// EMISSARY_ROUTE_LIST_LIMIT: a virtual host with more routes is looked up in a match tree.
  uint32_t route_list_limit = 64;
  /// AMBASSADOR_METRICS=all: /metrics brings Envoy's per-cluster series too.
  bool all_envoy_metrics = false;
  /// AES_LOG_LEVEL.
  log::Level log_level = log::Level::Info;
  /// AMBASSADOR_JSON_LOGGING; without it the terminal decides.
  bool json_logging = false;

  // ---- between our own processes
  /// The private folder, made by the supervisor.
  std::string run_dir;
  /// `run`: its arguments, which its control plane gets too.
  std::vector<std::string> run_arguments;
  /// control-plane and exec-child: the supervisor, with which they end; 0: none.
  int parent = 0;
  /// exec-child: what to become.
  std::vector<std::string> child;

  /// Remarks on values that were not taken as written; to be logged.
  std::vector<std::string> notes;
};

/// Nothing to run: what to print, and the exit status (0 help and the like, 2 usage).
struct Exit {
  int code = 0;
  std::string out;
  std::string err;
};

using Parsed = std::variant<Settings, Exit>;

/// `arguments` without the program's name.
Parsed parse(const std::vector<std::string>& arguments, const Environment& environment);

/// The process's environment.
Environment environmentOf(char** environ);

/// The id of the cluster, from the uid of a namespace of it; "" : there is no cluster, or it does not tell.
std::string clusterId(const Settings& settings, const std::string& namespace_uid);

/// Our own servers, as "IP:PORT": where no Mapping may point.
std::vector<std::string> ownAddresses(const Settings& settings);

/// "1.2.3.4:80" or "[::1]:80"; nothing when it is neither. The host must be an IP address.
std::optional<Address> parseAddress(const std::string& text);

}  // namespace emissary::settings
