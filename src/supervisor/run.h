#pragma once
// `emissary run`: what the supervisor needs around it: the private folder, Envoy's bootstrap, the limits, the two programs. One
// thread.

#include <string>

#include "settings/settings.h"
#include "supervisor/supervisor.h"

namespace emissary::supervisor {

/// A folder that only we can enter, with a name short enough for a Unix socket in it; removed, with what is in it, at the end.
class PrivateFolder {
 public:
  /// Below $TMPDIR, or below /tmp where that is unset or too long.
  explicit PrivateFolder(const settings::Environment& env);
  ~PrivateFolder();
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;

  /// Empty, with error() set, when it cannot be made.
  const std::string& path() const { return path_; }
  const std::string& error() const { return error_; }

 private:
  std::string path_;
  std::string error_;
};

/// The xDS server's address: as set, else the socket in `folder`.
std::string adsAddress(const settings::Settings& settings, const std::string& folder);

/// Raise the limit of open files as far as we may; the limit then.
uint64_t raiseOpenFiles();

/// Exit statuses: see supervisor.h.
int run(const settings::Settings& settings, const settings::Environment& env);

}  // namespace emissary::supervisor
