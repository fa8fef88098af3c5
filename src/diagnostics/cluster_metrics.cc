#include "diagnostics/cluster_metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <utility>
#include <vector>

namespace emissary::diagnostics {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;
using source::KindStats;

prometheus::ClientMetric metric(MetricType type, double value) {
  prometheus::ClientMetric out;
  if (type == MetricType::Counter) out.counter.value = value;
  else out.gauge.value = value;
  return out;
}

/// One series a resource.
template <typename Number>
MetricFamily each(const source::KubernetesStats& stats, std::string name, std::string help, MetricType type,
                  std::atomic<Number> KindStats::* member) {
  MetricFamily family{std::move(name), std::move(help), type, {}};
  for (size_t i = 0; i < stats.kinds.size(); ++i) {
    family.metric.push_back(metric(type, static_cast<double>((stats.kinds[i].*member).load(std::memory_order_relaxed))));
    family.metric.back().label = {{"resource", source::resourceName(source::resources()[i])}};
  }
  return family;
}

}  // namespace

std::string clusterMetrics(const source::KubernetesStats& stats, std::chrono::steady_clock::time_point now) {
  constexpr MetricType kCounter = MetricType::Counter, kGauge = MetricType::Gauge;
  std::vector<MetricFamily> all = {
      each(stats, "emissary_kubernetes_lists_total", "Complete lists.", kCounter, &KindStats::lists),
      each(stats, "emissary_kubernetes_watches_total", "Watches begun.", kCounter, &KindStats::watches),
      each(stats, "emissary_kubernetes_events_total", "Events of watches.", kCounter, &KindStats::events),
      each(stats, "emissary_kubernetes_expired_total", "Times that the server had forgotten the version to go on from (410).",
           kCounter, &KindStats::expired),
      each(stats, "emissary_kubernetes_failures_total", "Lists and watches that failed.", kCounter, &KindStats::failures),
      each(stats, "emissary_kubernetes_vanished_total", "Times that all objects of the kind were deleted at once.", kCounter,
           &KindStats::vanished),
      each(stats, "emissary_kubernetes_objects", "Objects known.", kGauge, &KindStats::objects),
      each(stats, "emissary_kubernetes_waiting", "1 while the resource is not listed, not served, or may not be read.", kGauge,
           &KindStats::waiting),
  };
  if (const auto last = stats.last_contact.load(); last != 0) {
    const auto ago = now.time_since_epoch() - std::chrono::steady_clock::duration(last);
    all.push_back({"emissary_kubernetes_last_contact_seconds",
                   "Since the API server was last heard of.",
                   kGauge,
                   {metric(kGauge, std::chrono::duration<double>(ago).count())}});
  }
  return prometheus::TextSerializer().Serialize(all);
}

}  // namespace emissary::diagnostics
