#include "envoy/bootstrap.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace emissary::envoy {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kAdsCluster = "xds_cluster";
// Regular expressions are measured before they are sent, by what the Module allows; this is more than that can be.
constexpr int kRegexSteps = 20'000;
constexpr const char* kReadyPath = "/ready";

std::string typeUrl(const char* message) { return std::string("type.googleapis.com/") + message; }

Json socketAddress(const std::string& host, uint16_t port) {
  return {{"socket_address", {{"address", host}, {"port_value", port}}}};
}

Json adsEndpoint(const std::string& address) {
  if (address.rfind("unix:", 0) == 0) return {{"pipe", {{"path", address.substr(5)}}}};
  const settings::Address parsed = settings::parseAddress(address).value_or(settings::Address{"127.0.0.1", 8003});
  return socketAddress(parsed.host, parsed.port);
}

Json adsCluster(const std::string& address) {
  // A control plane that hangs with its socket open is noticed by the pings; one that died, by the socket.
  const Json protocol = {{"@type", typeUrl("envoy.extensions.upstreams.http.v3.HttpProtocolOptions")},
                         {"explicit_http_config",
                          {{"http2_protocol_options", {{"connection_keepalive", {{"interval", "30s"}, {"timeout", "20s"}}}}}}}};
  const Json endpoint = {{"endpoint", {{"address", adsEndpoint(address)}}}};
  return {{"name", kAdsCluster},
          {"type", "STATIC"},
          {"connect_timeout", "1s"},
          {"typed_extension_protocol_options", {{"envoy.extensions.upstreams.http.v3.HttpProtocolOptions", protocol}}},
          {"load_assignment",
           {{"cluster_name", kAdsCluster}, {"endpoints", Json::array({{{"lb_endpoints", Json::array({endpoint})}}})}}}};
}

Json dynamicResources() {
  // No time-out of the first fetch: an Envoy that serves before it knows its configuration answers with errors.
  const Json from_ads = {{"ads", Json::object()}, {"resource_api_version", "V3"}, {"initial_fetch_timeout", "0s"}};
  // Envoy's own back-off reaches 30 s, in which a restarted control plane would not be heard.
  const Json retry = {{"retry_back_off", {{"base_interval", "0.05s"}, {"max_interval", "1s"}}}};
  return {{"ads_config",
           {{"api_type", "DELTA_GRPC"},
            {"transport_api_version", "V3"},
            {"set_node_on_first_message_only", true},
            {"grpc_services", Json::array({{{"envoy_grpc", {{"cluster_name", kAdsCluster}, {"retry_policy", retry}}}}})}}},
          {"cds_config", from_ads},
          {"lds_config", from_ads}};
}

Json readyListener(const settings::Address& address, bool log) {
  const Json health = {{"@type", typeUrl("envoy.extensions.filters.http.health_check.v3.HealthCheck")},
                       {"pass_through_mode", false},
                       {"headers", Json::array({{{"name", ":path"}, {"string_match", {{"exact", kReadyPath}}}}})}};
  const Json router = {{"@type", typeUrl("envoy.extensions.filters.http.router.v3.Router")}};
  Json manager = {{"@type", typeUrl("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager")},
                  {"stat_prefix", "ready_http"},
                  {"request_headers_timeout", "5s"},
                  {"stream_idle_timeout", "10s"},
                  {"route_config", {{"name", "ready"}}},
                  {"http_filters", Json::array({{{"name", "envoy.filters.http.health_check"}, {"typed_config", health}},
                                                {{"name", "envoy.filters.http.router"}, {"typed_config", router}}})}};
  if (log) {
    manager["access_log"] =
        Json::array({{{"name", "envoy.access_loggers.stderr"},
                      {"typed_config", {{"@type", typeUrl("envoy.extensions.access_loggers.stream.v3.StderrAccessLog")}}}}});
  }
  const Json filter = {{"name", "envoy.filters.network.http_connection_manager"}, {"typed_config", manager}};
  return {{"name", fmt::format("ambassador-listener-ready-{}-{}", address.host, address.port)},
          {"address", socketAddress(address.host, address.port)},
          // Keeps probes out of what a drain waits for.
          {"stat_prefix", "ambassador-ready"},
          // Without it two instances with one port would share the probes silently.
          {"enable_reuse_port", false},
          {"ignore_global_conn_limit", true},
          {"filter_chains", Json::array({{{"filters", Json::array({filter})}}})}};
}

Json threshold(const char* monitor, double value) { return {{"name", monitor}, {"threshold", {{"value", value}}}}; }

Json overloadManager(const BootstrapOptions& options) {
  constexpr const char* kConnections = "envoy.resource_monitors.global_downstream_max_connections";
  constexpr const char* kHeap = "envoy.resource_monitors.fixed_heap";
  const Json connections = {
      {"@type", typeUrl("envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig")},
      {"max_active_downstream_connections", options.max_connections}};
  Json manager = {{"refresh_interval", "0.25s"},
                  {"resource_monitors", Json::array({{{"name", kConnections}, {"typed_config", connections}}})}};
  if (!options.memory_limit) return manager;
  // The rest is for the control plane, the supervisor, and what Envoy maps beside its heap.
  const uint64_t heap = *options.memory_limit / 10 * 8;
  manager["resource_monitors"].push_back(
      {{"name", kHeap},
       {"typed_config",
        {{"@type", typeUrl("envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig")}, {"max_heap_size_bytes", heap}}}});
  manager["actions"] = Json::array({
      {{"name", "envoy.overload_actions.shrink_heap"}, {"triggers", Json::array({threshold(kHeap, 0.9)})}},
      {{"name", "envoy.overload_actions.stop_accepting_requests"}, {"triggers", Json::array({threshold(kHeap, 0.97)})}},
  });
  return manager;
}

void sendFigures(const settings::Statsd& statsd, Json& document) {
  Json address = socketAddress(statsd.host, statsd.port);
  address["socket_address"]["protocol"] = "UDP";
  const char* type = statsd.with_tags ? "envoy.config.metrics.v3.DogStatsdSink" : "envoy.config.metrics.v3.StatsdSink";
  document["stats_sinks"] = Json::array({{{"name", statsd.with_tags ? "envoy.stat_sinks.dog_statsd" : "envoy.stat_sinks.statsd"},
                                          {"typed_config", {{"@type", typeUrl(type)}, {"address", address}}}}});
  if (statsd.with_tags && !statsd.entity.empty()) {
    const Json tag = {{"tag_name", "dd.internal.entity_id"}, {"fixed_value", statsd.entity}};
    document["stats_config"] = {{"stats_tags", Json::array({tag})}};
  }
  document.erase("stats_flush_on_admin");
  document["stats_flush_interval"] = fmt::format("{}s", statsd.interval_s);
}

/// The number in a control group's file; unset for "max", for none, and for "no limit" written as a huge number.
std::optional<uint64_t> limitIn(const std::string& path) {
  std::ifstream file(path);
  uint64_t value = 0;
  if (!(file >> value) || value == 0 || value >= (uint64_t{1} << 60)) return std::nullopt;
  return value;
}

/// The smallest limit of `group` and the groups above it.
std::optional<uint64_t> smallestLimit(const std::string& mount, std::string group, const char* file) {
  std::optional<uint64_t> result;
  while (true) {
    if (const auto limit = limitIn(mount + group + (group.ends_with('/') ? "" : "/") + file)) {
      result = std::min(*limit, result.value_or(*limit));
    }
    if (group.empty() || group == "/") return result;
    group.erase(group.rfind('/'));
  }
}

bool executable(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && access(path.c_str(), X_OK) == 0;
}

std::string onPath(const std::string& name, const settings::Environment& env) {
  const auto path = env.find("PATH");
  std::stringstream folders(path == env.end() ? "/usr/local/bin:/usr/bin:/bin" : path->second);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string candidate = (folder.empty() ? "." : folder) + "/" + name;
    if (executable(candidate)) return candidate;
  }
  return {};
}

}  // namespace

std::string bootstrap(const BootstrapOptions& options) {
  Json document = {
      {"node", {{"id", "test-id"}, {"cluster", options.node_cluster}}},
      {"admin", {{"address", socketAddress("127.0.0.1", options.admin_port)}, {"ignore_global_conn_limit", true}}},
      {"dynamic_resources", dynamicResources()},
      {"static_resources",
       {{"listeners", Json::array({readyListener(options.ready, options.ready_log)})},
        {"clusters", Json::array({adsCluster(options.ads_address)})}}},
      {"overload_manager", overloadManager(options)},
      {"layered_runtime",
       {{"layers", Json::array({{{"name", "static"},
                                 {"static_layer",
                                  {{"re2.max_program_size.error_level", kRegexSteps},
                                   {"re2.max_program_size.warn_level", kRegexSteps}}}}})}}},
      // Thousands of clusters: half the memory and half the time to start.
      {"deferred_stat_options", {{"enable_deferred_creation_stats", true}}},
      // The periodic flush stalls configuration by tenths of a second at 10,000 clusters, and without a sink nothing reads it.
      {"stats_flush_on_admin", true},
  };
  if (options.statsd) sendFigures(*options.statsd, document);
  return document.dump(2);
}

std::string nodeCluster(const settings::Settings& settings) {
  return (settings.ambassador_id.empty() ? "ambassador" : settings.ambassador_id) + "-" + settings.ns;
}

std::optional<uint64_t> memoryLimit(const std::string& root) {
  std::ifstream groups(root + "proc/self/cgroup");
  std::optional<uint64_t> result;
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string group = line.substr(second + 1);
    std::optional<uint64_t> limit;
    // In a container the group's path may name the host's view, while its files lie at the mount's root.
    if (controllers == ",,") {
      limit = smallestLimit(root + "sys/fs/cgroup", group, "memory.max");
    } else if (controllers.find(",memory,") != std::string::npos) {
      limit = smallestLimit(root + "sys/fs/cgroup/memory", group, "memory.limit_in_bytes");
    }
    if (limit) result = std::min(*limit, result.value_or(*limit));
  }
  return result;
}

uint64_t maxConnections(uint64_t open_files) {
  const uint64_t spare = 1000;  // clusters' own connections, listeners, files
  return std::clamp<uint64_t>(open_files > spare ? (open_files - spare) / 2 : 0, 100, 1'000'000);
}

bool writeFile(const std::string& path, const std::string& text, std::string& error) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  size_t done = 0;
  bool good = file >= 0;
  while (good && done < text.size()) {
    const ssize_t n = write(file, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    good = n >= 0;
    if (good) done += static_cast<size_t>(n);
  }
  if (!good) error = fmt::format("{} cannot be written: {}", path, std::strerror(errno));
  if (file >= 0) close(file);
  return good;
}

std::vector<std::string> arguments(const settings::Settings& settings, const std::string& binary, const std::string& bootstrap_path,
                                   bool json_logs) {
  std::vector<std::string> result = {binary, "-c", bootstrap_path, "-l", settings.envoy_debug ? "trace" : "warn"};
  // %j escapes for JSON; %v would let a message break out of its line.
  result.insert(
      result.end(),
      {"--log-format", json_logs ? R"({"time":"%Y-%m-%dT%T.%e%z","level":"%l","process":"envoy","logger":"%n","message":"%j"})"
                                 : "%T.%e %l envoy %n: %_"});
  result.insert(result.end(), {"--drain-time-s", std::to_string(settings.drain_time_s)});
  // A failed health check already makes every response of a shutdown say "close" at once; so the strategy decides only how clients
  // leave a replaced listener, where spreading them over the drain time spares the backends.
  result.insert(result.end(), {"--drain-strategy", "gradual"});
  if (settings.envoy_base_id) result.insert(result.end(), {"--base-id", std::to_string(*settings.envoy_base_id)});
  else result.emplace_back("--disable-hot-restart");
  if (settings.envoy_concurrency) result.insert(result.end(), {"--concurrency", std::to_string(*settings.envoy_concurrency)});
  return result;
}

std::vector<std::string> environment(const settings::Environment& ours) {
  std::vector<std::string> result;
  for (const auto& [name, value] : ours) {
    if (name == "PATH" || name == "TZ" || name == "LANG" || name.rfind("LC_", 0) == 0) result.push_back(name + "=" + value);
  }
  return result;
}

std::string find(const std::string& asked, const settings::Environment& env, const std::string& program, std::string& error) {
  if (!asked.empty()) {
    const std::string path = asked.find('/') == std::string::npos ? onPath(asked, env) : asked;
    if (!path.empty() && executable(path)) return path;
    error = fmt::format("{} is no program that can be started; correct --envoy or EMISSARY_ENVOY", asked);
    return {};
  }
  if (std::string path = onPath("envoy", env); !path.empty()) return path;
  const size_t slash = program.rfind('/');
  if (slash != std::string::npos) {
    if (std::string beside = program.substr(0, slash + 1) + "envoy"; executable(beside)) return beside;
  }
  error = "no Envoy found: name one with --envoy or EMISSARY_ENVOY, put it on PATH or beside this program, or use --no-envoy";
  return {};
}

}  // namespace emissary::envoy
