#include "control_plane/reporter.h"

#include <fmt/format.h>

#include <future>

#include "base/version.h"

namespace emissary::control_plane {
namespace {

using namespace std::chrono_literals;

/// More than the publisher takes at most.
constexpr auto kPatience = 3s;
constexpr const char* kPath = "kubernetes: status";

source::Batch batchOf(std::vector<Finding> findings) {
  return {{source::FileFindings{kPath, std::move(findings)}}, std::chrono::steady_clock::now()};
}

}  // namespace

std::string metricsText(const status::Counters& counters) {
  std::string out =
      "# HELP emissary_status_leader Whether this instance writes the objects' status.\n# TYPE emissary_status_leader gauge\n";
  out += fmt::format("emissary_status_leader {}\n", counters.leads ? 1 : 0);
  out +=
      "# HELP emissary_status_writes_total Requests that wrote a status, or were to.\n# TYPE emissary_status_writes_total "
      "counter\n";
  for (size_t i = 0; i < counters.writes.size(); ++i) {
    out += fmt::format("emissary_status_writes_total{{result=\"{}\"}} {}\n",
                       status::writeResultName(static_cast<status::WriteResult>(i)), counters.writes[i].load());
  }
  return out;
}

Reporter::Reporter(const kube::Config& config, const status::PublisherOptions& options, source::Sink sink)
    : client_(config, loop_, fmt::format("emissary/{} status", kVersion)),
      publisher_(options, loop_, client_,
                 [sink = std::move(sink)](std::vector<Finding> findings) { sink(batchOf(std::move(findings))); }) {}

Reporter::~Reporter() { stop(); }

void Reporter::start() {
  running_ = true;
  loop_.post([this] { publisher_.start(); });
  loop_.start();
}

void Reporter::stop() {
  if (!std::exchange(running_, false)) return;
  // Shared, for it may come after we have gone on.
  const auto done = std::make_shared<std::promise<void>>();
  std::future<void> over = done->get_future();
  loop_.post([this, done] { publisher_.stop([done] { done->set_value(); }); });
  over.wait_for(kPatience);
  loop_.stop();
}

}  // namespace emissary::control_plane
