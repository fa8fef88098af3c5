#pragma once
// The commands and their flags. Internal to this folder.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "settings/settings.h"

namespace emissary::settings {

/// The flags that a variable stands for too, or that are looked at closer, as written; absent means absent.
struct Flags {
  /// Its name.
  std::string command;
  std::optional<std::string> config_dir, kubeconfig, envoy, admin, envoy_admin_port, ads, concurrency, ns, id, drain_delay, grace,
      run_dir, parent, service, crd_selector, https, probes, convert_to, convert_from;
  bool single_namespace = false;
  bool single_namespace_given = false;
  bool no_envoy = false;
};

/// The command, what it alone has into `s`, and the rest into `flags`; or what there is to print instead.
std::optional<Exit> readCommandLine(const std::vector<std::string>& arguments, Settings& s, Flags& flags);

Exit usage(std::string_view command, std::string_view message);

}  // namespace emissary::settings
