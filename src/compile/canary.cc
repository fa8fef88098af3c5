#include "compile/canary.h"

#include <fmt/format.h>

namespace emissary::compile {

SharesResult shares(const std::vector<ir::Leg>& legs) {
  SharesResult result;
  if (legs.size() == 1) {
    result.shares.push_back({0, kAllRequests});
    return result;
  }
  std::vector<std::pair<size_t, int64_t>> weighted;  // leg, percent
  std::vector<size_t> weightless;
  int64_t sum = 0;
  for (size_t i = 0; i < legs.size(); ++i) {
    if (!legs[i].weight) {
      weightless.push_back(i);
    } else if (*legs[i].weight > 100 - sum) {
      result.problems.push_back(
          {i, true,
           fmt::format("{} lifts the sum of its group's weights above 100, of which {} were given already; it gets no requests",
                       *legs[i].weight, sum)});
    } else {
      sum += *legs[i].weight;
      weighted.emplace_back(i, *legs[i].weight);
    }
  }
  const int64_t whole = weightless.empty() ? sum : 100;  // the weights' 100 %
  if (weightless.empty() && sum > 0 && sum < 100) {
    for (const auto& [leg, percent] : weighted) {
      result.problems.push_back(
          {leg, false, fmt::format("the weights of its group sum up to {}, not 100; they are scaled up", sum)});
    }
  }
  if (whole == 0) {
    for (const auto& [leg, percent] : weighted) {
      result.problems.push_back({leg, false, "all weights of its group are 0; none of its Mappings gets requests"});
    }
    return result;
  }
  int64_t cumulative = 0;
  const auto give = [&](size_t leg, int64_t upto) {
    if (upto > cumulative) result.shares.push_back({leg, static_cast<uint32_t>(upto)});
    cumulative = upto;
  };
  int64_t percents = 0;
  for (const auto& [leg, percent] : weighted) {
    percents += percent;
    give(leg, percents * kAllRequests / whole);
  }
  const int64_t base = cumulative;
  const auto count = static_cast<int64_t>(weightless.size());
  for (int64_t i = 0; i < count; ++i) {
    give(weightless[static_cast<size_t>(i)], base + (kAllRequests - base) * (i + 1) / count);
  }
  return result;
}

}  // namespace emissary::compile
