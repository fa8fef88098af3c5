#include "diagnostics/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace emissary::diagnostics {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

const Metrics::Time kStart{1000h};

class MetricsTest : public ::testing::Test {
 protected:
  Metrics metrics_{Identity{"1.2.3", "blue", "cluster-7", true, false}};
};

TEST_F(MetricsTest, EverySeriesExistsFromTheStart) {
  const std::string text = metrics_.text();
  for (const char* line :
       {"emissary_config_generation 0\n", "emissary_config_acked_generation 0\n", "emissary_xds_refused_resources 0\n",
        "emissary_xds_resources_sent_total{type=\"routes\"} 0\n", "emissary_xds_bytes_sent_total{type=\"cluster\"} 0\n",
        "emissary_xds_nacks_total{type=\"listener\"} 0\n", "emissary_change_seconds_count{stage=\"compile\"} 0\n",
        "emissary_change_seconds_count{stage=\"generate\"} 0\n", "emissary_change_seconds_count{stage=\"sent\"} 0\n",
        "emissary_change_seconds_count{stage=\"acked\"} 0\n", "ambassador_process_open_fds ",
        "ambassador_process_resident_memory_bytes ", "ambassador_log_level{level=\"debug\"} 0\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, HasSubstr("version=\"1.2.3\""));
  EXPECT_THAT(text, HasSubstr("cluster_id=\"cluster-7\""));
  metrics_.debug(true);
  EXPECT_THAT(metrics_.text(), HasSubstr("ambassador_log_level{level=\"debug\"} 1\n"));
}

TEST_F(MetricsTest, EachGenerationIsObservedOncePerStage) {
  metrics_.published(1, kStart, kStart + 1ms);
  metrics_.published(2, kStart + 1s, kStart + 1s + 1ms);
  metrics_.sent(2, kStart + 2s);
  metrics_.sent(2, kStart + 3s);
  metrics_.answered(1, kStart + 2s);
  std::string text = metrics_.text();
  EXPECT_THAT(text, HasSubstr("emissary_config_generation 2\n"));
  EXPECT_THAT(text, HasSubstr("emissary_config_acked_generation 1\n"));
  EXPECT_THAT(text, HasSubstr("emissary_change_seconds_count{stage=\"generate\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("emissary_change_seconds_count{stage=\"sent\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("emissary_change_seconds_sum{stage=\"sent\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("emissary_change_seconds_count{stage=\"acked\"} 1\n"));
  metrics_.answered(2, kStart + 4s);
  metrics_.answered(1, kStart + 5s);
  text = metrics_.text();
  EXPECT_THAT(text, HasSubstr("emissary_config_acked_generation 2\n"));
  EXPECT_THAT(text, HasSubstr("emissary_change_seconds_count{stage=\"acked\"} 2\n"));
}

TEST_F(MetricsTest, CertificatesThatAreShown) {
  const std::string a = "emissary_certificate_expiration_timestamp_seconds{namespace=\"edge\",secret=\"a\"} ";
  metrics_.certificates({{{Kind::Secret, "edge", "a"}, {}, 0, 1234}, {{Kind::Secret, "edge", "b"}, {}, 0, 99}});
  EXPECT_THAT(metrics_.text(), HasSubstr(a + "1234\n"));
  metrics_.certificates({{{Kind::Secret, "edge", "a"}, {}, 0, 2345}});
  EXPECT_THAT(metrics_.text(), HasSubstr(a + "2345\n"));
  EXPECT_THAT(metrics_.text(), ::testing::Not(HasSubstr("secret=\"b\"")));
}

TEST_F(MetricsTest, ObjectsThatAreGoneCountZero) {
  metrics_.compiled(kStart, kStart + 1ms, {{Kind::Mapping, {3, 1}}}, {});
  EXPECT_THAT(metrics_.text(), HasSubstr("emissary_objects{kind=\"Mapping\",state=\"seen\"} 4\n"));
  EXPECT_THAT(metrics_.text(), HasSubstr("emissary_objects{kind=\"Mapping\",state=\"rejected\"} 1\n"));
  metrics_.compiled(kStart, kStart + 1ms, {}, {});
  EXPECT_THAT(metrics_.text(), HasSubstr("emissary_objects{kind=\"Mapping\",state=\"accepted\"} 0\n"));
}

TEST_F(MetricsTest, EvaluationsAreCountedOnce) {
  std::array<uint64_t, engine::kTables> evaluations{};
  evaluations[static_cast<size_t>(engine::Table::Mapping)] = 5;
  metrics_.compiled(kStart, kStart, {}, evaluations);
  evaluations[static_cast<size_t>(engine::Table::Mapping)] = 7;
  metrics_.compiled(kStart, kStart, {}, evaluations);
  EXPECT_THAT(metrics_.text(), HasSubstr("emissary_compile_evaluations_total{table=\"" +
                                         std::string(engine::tableName(engine::Table::Mapping)) + "\"} 7\n"));
}

TEST_F(MetricsTest, FindingsBySeverity) {
  std::vector<Finding> findings(3);
  findings[1].severity = Severity::Warning;
  metrics_.findings(findings);
  EXPECT_THAT(metrics_.text(), HasSubstr("ambassador_diagnostics_errors 2\n"));
  EXPECT_THAT(metrics_.text(), HasSubstr("ambassador_diagnostics_notices 1\n"));
}

TEST_F(MetricsTest, ServeReports) {
  metrics_.response(serve::Type::Routes, 3, 500);
  metrics_.nack(serve::Type::Listener);
  metrics_.refused(2);
  metrics_.streams(1);
  metrics_.held(4);
  const std::string text = metrics_.text();
  EXPECT_THAT(text, HasSubstr("emissary_xds_resources_sent_total{type=\"routes\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("emissary_xds_bytes_sent_total{type=\"routes\"} 500\n"));
  EXPECT_THAT(text, HasSubstr("emissary_xds_nacks_total{type=\"listener\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("emissary_xds_refused_resources 2\n"));
  EXPECT_THAT(text, HasSubstr("emissary_xds_streams 1\n"));
  EXPECT_THAT(text, HasSubstr("emissary_xds_held_route_configurations 4\n"));
}

}  // namespace
}  // namespace emissary::diagnostics
