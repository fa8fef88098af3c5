#include "webhook/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>

namespace emissary::webhook {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;

const Histogram::BucketBoundaries kSeconds = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30};
constexpr std::array kReasons = {"too_large", "too_much", "broken"};
/// The last one stands for none of ours.
constexpr size_t kUnknown = convert::kVersions;

std::string versionLabel(size_t version) {
  return version == kUnknown ? "unknown" : std::string(convert::versionName(static_cast<convert::Version>(version)));
}

size_t indexOf(const std::optional<convert::Version>& version) { return version ? static_cast<size_t>(*version) : kUnknown; }

}  // namespace

class Metrics::Impl {
 public:
  explicit Impl(std::string_view version) {
    BuildGauge()
        .Name("emissary_webhook_info")
        .Help("Which webhook this is.")
        .Register(registry_)
        .Add({{"version", std::string(version)}})
        .Set(1);
    for (size_t from = 0; from <= kUnknown; ++from) {
      for (size_t to = 0; to <= kUnknown; ++to) {
        const auto add = [&](const char* result) {
          return &conversions_.Add({{"from", versionLabel(from)}, {"to", versionLabel(to)}, {"result", result}});
        };
        failed_[from][to] = add("failed");
        if (from != kUnknown && to != kUnknown) converted_[from][to] = add("converted");
      }
    }
    for (size_t i = 0; i < kReasons.size(); ++i) refused_[i] = &refusals_.Add({{"reason", kReasons[i]}});
  }

  prometheus::Registry registry_;
  Family<Counter>& conversions_ = BuildCounter()
                                      .Name("emissary_webhook_conversions_total")
                                      .Help("Objects converted, and those that made a review fail.")
                                      .Register(registry_);
  Family<Counter>& refusals_ =
      BuildCounter().Name("emissary_webhook_refused_total").Help("Requests that were not read to their end.").Register(registry_);
  Family<Gauge>& expiration_ = BuildGauge()
                                   .Name("emissary_webhook_certificate_expiration_timestamp_seconds")
                                   .Help("When the certificate that is shown to API servers expires.")
                                   .Register(registry_);
  Histogram& reviews_ = BuildHistogram()
                            .Name("emissary_webhook_review_seconds")
                            .Help("From a request that is read to its answer.")
                            .Register(registry_)
                            .Add({}, kSeconds);
  Gauge& crds_ =
      BuildGauge().Name("emissary_webhook_crds").Help("CRDs of which objects have to be converted.").Register(registry_).Add({});
  Gauge& trusting_ = BuildGauge()
                         .Name("emissary_webhook_crds_trusting")
                         .Help("Those that trust the authority of the certificate that is shown.")
                         .Register(registry_)
                         .Add({});
  std::array<std::array<Counter*, kUnknown>, kUnknown> converted_{};
  std::array<std::array<Counter*, kUnknown + 1>, kUnknown + 1> failed_{};
  std::array<Counter*, kReasons.size()> refused_{};
};

Metrics::Metrics(std::string_view version) : impl_(std::make_unique<Impl>(version)) {}
Metrics::~Metrics() = default;

void Metrics::answered(const Answer& answer, double seconds) {
  impl_->reviews_.Observe(seconds);
  if (!answer.problem.empty()) return impl_->failed_[indexOf(answer.failed)][indexOf(answer.wanted)]->Increment();
  for (size_t from = 0; from < kUnknown; ++from) {
    impl_->converted_[from][indexOf(answer.wanted)]->Increment(static_cast<double>(answer.converted[from]));
  }
}

void Metrics::refused(Refusal why) { impl_->refused_[static_cast<size_t>(why)]->Increment(); }

/// Without a certificate there is no series: 0 would be a certificate that has expired.
void Metrics::shown(int64_t not_after) { impl_->expiration_.Add({}).Set(static_cast<double>(not_after)); }

void Metrics::crds(size_t all, size_t trusting) {
  impl_->crds_.Set(static_cast<double>(all));
  impl_->trusting_.Set(static_cast<double>(trusting));
}

std::string Metrics::text() const { return prometheus::TextSerializer().Serialize(impl_->registry_.Collect()); }

}  // namespace emissary::webhook
