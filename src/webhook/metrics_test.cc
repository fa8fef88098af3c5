#include "webhook/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace emissary::webhook {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string object(const std::string& api_version, const std::string& kind = "Mapping") {
  return R"({"apiVersion":")" + api_version + R"(","kind":")" + kind + R"(","metadata":{"name":"m"},"spec":{"prefix":"/"}})";
}

Answer asked(const std::string& desired, const std::string& objects) {
  return answer(R"({"kind":"ConversionReview","apiVersion":"apiextensions.k8s.io/v1","request":{"uid":"u","desiredAPIVersion":")" +
                desired + R"(","objects":[)" + objects + "]}}");
}

std::string series(const std::string& from, const std::string& to, const std::string& result, int value) {
  return "emissary_webhook_conversions_total{from=\"" + from + "\",result=\"" + result + "\",to=\"" + to + "\"} " +
         std::to_string(value) + "\n";
}

TEST(WebhookMetrics, ConversionsByVersionAndResult) {
  Metrics metrics("1");
  const std::string v1 = "getambassador.io/v1", v2 = "getambassador.io/v2", v3 = "getambassador.io/v3alpha1";
  metrics.answered(asked(v3, object(v2) + "," + object(v1) + "," + object(v2)), 0.001);
  metrics.answered(asked(v2, object(v3)), 0.001);
  metrics.answered(asked(v1, object(v2) + "," + object(v3, "Listener")), 0.001);  // there is none of v1: the review fails
  metrics.answered(answer("nonsense"), 3);
  const std::string text = metrics.text();
  EXPECT_THAT(text, HasSubstr(series("v2", "v3alpha1", "converted", 2)));
  EXPECT_THAT(text, HasSubstr(series("v1", "v3alpha1", "converted", 1)));
  EXPECT_THAT(text, HasSubstr(series("v3alpha1", "v2", "converted", 1)));
  EXPECT_THAT(text, HasSubstr(series("v2", "v1", "converted", 0)));
  EXPECT_THAT(text, HasSubstr(series("v3alpha1", "v1", "failed", 1)));
  EXPECT_THAT(text, HasSubstr(series("unknown", "unknown", "failed", 1)));
  EXPECT_THAT(text, HasSubstr("emissary_webhook_review_seconds_count 4\n"));
  EXPECT_THAT(text, HasSubstr("emissary_webhook_review_seconds_bucket{le=\"2\"} 3\n"));
}

TEST(WebhookMetrics, WhatIsAskedMakesNoSeries) {
  Metrics metrics("1");
  const auto lines = [&] {
    const std::string text = metrics.text();
    return std::count(text.begin(), text.end(), '\n');
  };
  const auto before = lines();
  for (int i = 0; i < 50; ++i) {
    const std::string odd = "getambassador.io/v" + std::to_string(i + 9);
    metrics.answered(asked(odd, object(odd)), 1);
    metrics.answered(asked("getambassador.io/v2", object(odd, "Odd" + std::to_string(i))), 1);
  }
  EXPECT_EQ(lines(), before);
  EXPECT_THAT(metrics.text(), HasSubstr(series("unknown", "v2", "failed", 50)));
}

TEST(WebhookMetrics, CertificateAndTrust) {
  Metrics metrics("1");
  // One that is not there must not look like one that has expired.
  EXPECT_THAT(metrics.text(), Not(HasSubstr("emissary_webhook_certificate_expiration_timestamp_seconds ")));
  metrics.shown(1'790'000'000);
  metrics.crds(13, 12);
  metrics.refused(Metrics::Refusal::Broken);
  const std::string text = metrics.text();
  EXPECT_THAT(text, HasSubstr("emissary_webhook_certificate_expiration_timestamp_seconds 1790000000\n"));
  EXPECT_THAT(text, HasSubstr("emissary_webhook_crds 13\n"));
  EXPECT_THAT(text, HasSubstr("emissary_webhook_crds_trusting 12\n"));
  EXPECT_THAT(text, HasSubstr("emissary_webhook_refused_total{reason=\"broken\"} 1\n"));
}

}  // namespace
}  // namespace emissary::webhook
