#pragma once
// What Envoy is started with: everything but the configuration that it gets by xDS. Plain functions, called by the supervisor
// before it starts Envoy; no generated code, so that the supervisor stays small.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "settings/settings.h"

namespace emissary::envoy {

struct BootstrapOptions {
  std::string node_cluster = "default-default";
  /// "unix:/path" or "IP:PORT".
  std::string ads_address;
  uint16_t admin_port = 8001;
  settings::Address ready{"127.0.0.1", 8006};
  bool ready_log = false;
  /// The container's memory limit; unset: none, and no limit on Envoy's heap.
  std::optional<uint64_t> memory_limit;
  /// Connections from clients that Envoy takes at once.
  uint64_t max_connections = 50'000;
  /// Its host is an IP address.
  std::optional<settings::Statsd> statsd;
};

/// As JSON, which Envoy reads.
std::string bootstrap(const BootstrapOptions& options);

/// "<ambassador id>-<namespace>", as upstream names Envoy's node.
std::string nodeCluster(const settings::Settings& settings);

/// The smallest memory limit of this container's control group (version 2 or 1), in bytes; unset when there is none.
/// `root` is where the system's root is (for tests).
std::optional<uint64_t> memoryLimit(const std::string& root = "/");

/// What fits the limit of open files: a proxied connection takes two.
uint64_t maxConnections(uint64_t open_files);

/// Write as a new file that only we can read. False, with `error` set, when that fails.
bool writeFile(const std::string& path, const std::string& text, std::string& error);

/// Envoy's arguments, `binary` first.
std::vector<std::string> arguments(const settings::Settings& settings, const std::string& binary, const std::string& bootstrap_path,
                                   bool json_logs);

/// Of our environment only what Envoy needs: a Mapping's author can read the rest by %ENVIRONMENT(…)%.
std::vector<std::string> environment(const settings::Environment& ours);

/// The Envoy to start: `asked` (a path, or a name on PATH) if not empty, else "envoy" on PATH, else the one beside `program`.
/// Empty, with `error` set, when there is none.
std::string find(const std::string& asked, const settings::Environment& env, const std::string& program, std::string& error);

}  // namespace emissary::envoy
