#include "compile/canary.h"

#include <fmt/format.h>

namespace emissary::compile {
namespace {

constexpr std::string_view kWeight = "spec.weight";

void shadow(const std::vector<ir::Leg>& legs, size_t leg, SharesResult& result) {
  if (result.shadow) {
    result.problems.push_back({leg, Severity::Error, "spec.shadow",
                               fmt::format("{} is its group's shadow already, and there can be one; this Mapping gets no copies",
                                           legs[*result.shadow].mapping.text())});
  } else {
    result.shadow = leg;
  }
}

void distribute(const std::vector<ir::Leg>& legs, const std::vector<size_t>& routing, SharesResult& result) {
  if (routing.size() == 1) {
    result.shares.push_back({routing[0], kAllRequests});
    return;
  }
  std::vector<std::pair<size_t, int64_t>> weighted;  // leg, percent
  std::vector<size_t> weightless;
  int64_t sum = 0;
  for (const size_t i : routing) {
    if (!legs[i].weight) {
      weightless.push_back(i);
    } else if (*legs[i].weight > 100 - sum) {
      result.problems.push_back(
          {i, Severity::Error, kWeight,
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
          {leg, Severity::Notice, kWeight, fmt::format("the weights of its group sum up to {}, not 100; they are scaled up", sum)});
    }
  }
  if (whole == 0) {
    for (const auto& [leg, percent] : weighted) {
      result.problems.push_back(
          {leg, Severity::Notice, kWeight, "all weights of its group are 0; none of its Mappings gets requests"});
    }
    return;
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
}

}  // namespace

SharesResult shares(const std::vector<ir::Leg>& legs) {
  SharesResult result;
  std::vector<size_t> routing;
  std::optional<size_t> first;
  for (size_t i = 0; i < legs.size(); ++i) {
    if (legs[i].policy->shadow) {
      shadow(legs, i, result);
      continue;
    }
    if (!first) first = i;
    const bool redirects = legs[i].policy->redirect.has_value();
    if (legs[*first].policy->redirect && i != *first) {
      result.problems.push_back({i, Severity::Error, "spec.host_redirect",
                                 fmt::format("{} comes first in its group and redirects all its requests; this Mapping gets none",
                                             legs[*first].mapping.text())});
    } else if (redirects && i != *first) {
      result.problems.push_back(
          {i, Severity::Error, "spec.host_redirect",
           fmt::format("{} comes first in its group and routes its requests; none is redirected", legs[*first].mapping.text())});
    } else {
      routing.push_back(i);
    }
  }
  if (result.shadow && (!first || legs[*first].policy->redirect)) {
    result.problems.push_back({*result.shadow, Severity::Warning, "spec.shadow",
                               first
                                   ? "its group redirects its requests, so there is nothing to copy"
                                   : "no other Mapping takes these requests, so they are not routed and there is nothing to copy"});
    result.shadow.reset();
  }
  if (!routing.empty()) distribute(legs, routing, result);
  return result;
}

}  // namespace emissary::compile
