#pragma once
// The admin HTTP server: probes, metrics and what is for people to look at. Owned by the control plane; its answers are made by the
// hooks, which are called from its own threads, several at once. A client that is slow or says nothing holds a thread of its own
// for seconds, and no probe: threads are added as needed up to kThreads, and in a crowd the slow are sent away.

#include <functional>
#include <memory>
#include <string>

#include "diagnostics/request.h"
#include "settings/settings.h"

namespace emissary::diagnostics {

struct AdminHooks {
  std::function<bool()> alive;
  std::function<bool()> ready;
  std::function<std::string()> metrics;
  /// Everything else. Unset: 404.
  std::function<Reply(const Request&)> diagnostics;
};

class AdminServer {
 public:
  static constexpr size_t kThreads = 128;

  AdminServer(settings::Address address, AdminHooks hooks);
  ~AdminServer();

  /// Bind and serve. False, with `error` saying which address and what to do, when it cannot. Port 0 takes a free one.
  bool start(std::string& error);
  uint16_t port() const;
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace emissary::diagnostics
