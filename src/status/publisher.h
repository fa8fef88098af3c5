#pragma once
// Objects' status, all of it: the election, the writer and the Events, on one loop; and what keeps them from their work, as
// findings.

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kube/client.h"
#include "kube/loop.h"
#include "model/finding.h"
#include "model/live_status.h"
#include "status/lease.h"
#include "status/writer.h"

namespace emissary::status {

/// For metrics; any thread may read.
struct Counters {
  /// By WriteResult.
  std::array<std::atomic<uint64_t>, 5> writes{};
  std::atomic<bool> leads = false;
};

struct PublisherOptions {
  /// The gateway's own namespace, where the Lease is.
  std::string ns = "default";
  std::string ambassador_id = "default";
};

class Publisher {
 public:
  /// What keeps status from being written, all of it each time; on the loop's thread.
  using Findings = std::function<void(std::vector<Finding>)>;

  Publisher(const PublisherOptions& options, kube::Loop& loop, kube::Client& client, Findings findings);
  ~Publisher();
  Publisher(const Publisher&) = delete;

  // On the loop's thread.
  void start();
  /// Gives the Lease back; then, within two seconds, `done`.
  void stop(std::function<void()> done);

  // From any thread, until stop().
  void want(std::vector<Desired> all);
  void observe(std::vector<model::Sighting> all);

  const Counters& counters() const { return counters_; }

 private:
  void tell(const std::string& topic, const std::string& text);

  kube::Loop& loop_;
  const Findings findings_;
  Counters counters_;
  std::map<std::string, std::string> problems_;
  /// False: what was posted and comes too late finds nobody.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::string identity_;
  Announcer announcer_;
  Writer writer_;
  Lease lease_;
};

}  // namespace emissary::status
