#pragma once
// Counters of the webhook, for Prometheus. Any thread. No label holds what a request says: all series exist from the start.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "webhook/review.h"

namespace emissary::webhook {

class Metrics {
 public:
  /// Why a request was not read to its end.
  enum class Refusal : uint8_t { TooLarge, TooMuch, Broken };

  explicit Metrics(std::string_view version);
  ~Metrics();
  Metrics(const Metrics&) = delete;

  void answered(const Answer& answer, double seconds);
  void refused(Refusal why);
  /// A certificate that expires then is shown from now on.
  void shown(int64_t not_after);
  /// Of so many CRDs that have to be converted so many trust what is shown.
  void crds(size_t all, size_t trusting);

  /// Prometheus text.
  std::string text() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace emissary::webhook
