#include "diagnostics/envoy_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <re2/re2.h>

#include <map>

namespace emissary::diagnostics {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

/// The filter of a path, as Envoy sees it.
std::string filterOf(const std::string& path) {
  const size_t at = path.find("filter=");
  std::string result;
  for (size_t i = at + 7; at != std::string::npos && i < path.size(); ++i) {
    if (path[i] == '%') {
      result += static_cast<char>(std::stoi(path.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      result += path[i];
    }
  }
  return result;
}

TEST(EnvoyMetrics, DefaultLeavesClustersOut) {
  const auto paths = envoyMetricsPaths({}, false);
  ASSERT_THAT(paths, SizeIs(1));
  const RE2 filter(filterOf(paths[0]));
  ASSERT_TRUE(filter.ok()) << filter.error();
  for (const char* name :
       {"http.ingress.downstream_rq_total", "cluster_manager.active_clusters", "server.live", "clusters", "c", "listener.x"}) {
    EXPECT_EQ(RE2::PartialMatch(name, filter), std::string(name) != "c") << name;
  }
  EXPECT_FALSE(RE2::PartialMatch("cluster.pay_edge_80.upstream_rq_total", filter));
}

TEST(EnvoyMetrics, StatsNamesBringTheirClusters) {
  const auto paths = envoyMetricsPaths({"pay-v2", "cart"}, false);
  ASSERT_THAT(paths, SizeIs(2));
  const RE2 filter(filterOf(paths[1]));
  ASSERT_TRUE(filter.ok()) << filter.error();
  EXPECT_TRUE(RE2::PartialMatch("cluster.pay_v2.upstream_rq_total", filter));
  EXPECT_TRUE(RE2::PartialMatch("cluster.cart.upstream_rq_total", filter));
  EXPECT_FALSE(RE2::PartialMatch("cluster.cart2.upstream_rq_total", filter));
}

TEST(EnvoyMetrics, ManyNamesAreSplit) {
  std::set<std::string> names;
  for (int i = 0; i < 2000; ++i) names.insert("name_" + std::to_string(i));
  size_t found = 0;
  for (const std::string& path : envoyMetricsPaths(names, false)) {
    EXPECT_LT(path.size(), 8200u);
    const std::string filter = filterOf(path);
    for (const std::string& name : names)
      found += filter.find("(" + name + "|") != std::string::npos || filter.find("|" + name + "|") != std::string::npos ||
               filter.find("|" + name + ")") != std::string::npos;
  }
  EXPECT_EQ(found, names.size());
}

TEST(EnvoyMetrics, AllIsUnfiltered) { EXPECT_THAT(envoyMetricsPaths({"a"}, true), ElementsAre("/stats/prometheus?usedonly")); }

TEST(EnvoyMetrics, FamiliesOfSeveralAnswersAreJoined) {
  int calls = 0;
  const std::string text = envoyMetrics({"a"}, false, [&](const std::string&) -> std::optional<std::string> {
    return ++calls == 1 ? "# TYPE x counter\nx{a=\"1\"} 1\n\n# TYPE y gauge\ny{} 2\n" : "# TYPE x counter\nx{a=\"2\"} 3\n";
  });
  EXPECT_EQ(text, "# TYPE x counter\nx{a=\"1\"} 1\nx{a=\"2\"} 3\n# TYPE y gauge\ny{} 2\n");
}

TEST(EnvoyMetrics, EmptyWhenEnvoyIsAway) {
  int calls = 0;
  EXPECT_EQ(envoyMetrics({"a"}, false,
                         [&](const std::string&) {
                           ++calls;
                           return std::optional<std::string>();
                         }),
            "");
  EXPECT_EQ(calls, 1) << "asked once only";
}

}  // namespace
}  // namespace emissary::diagnostics
