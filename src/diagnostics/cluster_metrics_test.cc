#include "diagnostics/cluster_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace emissary::diagnostics {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ClusterMetrics, OneSeriesAResource) {
  source::KubernetesStats stats;
  const auto now = std::chrono::steady_clock::now();
  EXPECT_THAT(clusterMetrics(stats, now), Not(HasSubstr("last_contact")));
  source::KindStats& mappings = stats.kinds[source::resourceIndex(Kind::Mapping)];
  mappings.events = 7;
  stats.kinds[source::resourceIndex(Kind::Service)].waiting = true;
  stats.last_contact = (now - std::chrono::milliseconds(1500)).time_since_epoch().count();
  const std::string text = clusterMetrics(stats, now);
  EXPECT_THAT(text, HasSubstr("emissary_kubernetes_events_total{resource=\"mappings.getambassador.io\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("emissary_kubernetes_waiting{resource=\"mappings.getambassador.io\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("emissary_kubernetes_waiting{resource=\"services\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("emissary_kubernetes_last_contact_seconds 1.5\n"));
}

}  // namespace
}  // namespace emissary::diagnostics
