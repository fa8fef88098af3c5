// retry_policy: when Envoy asks an upstream again.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/readers.h"
#include "model/text.h"

namespace emissary::model {
namespace {

using manifest::Value;

constexpr std::array<std::string_view, 16> kConditions = {"5xx",
                                                          "gateway-error",
                                                          "reset",
                                                          "connect-failure",
                                                          "retriable-4xx",
                                                          "refused-stream",
                                                          "retriable-status-codes",
                                                          "retriable-headers",
                                                          "reset-before-request",
                                                          "envoy-ratelimited",
                                                          "http3-post-connect-failure",
                                                          "cancelled",
                                                          "deadline-exceeded",
                                                          "internal",
                                                          "resource-exhausted",
                                                          "unavailable"};

/// "5xx, reset" → "5xx,reset"; refuses what Envoy would silently not act on.
void readConditions(Fields& fields, std::string& out) {
  std::string text;
  if (!fields.require("retry_on", "write when to try again, such as 5xx or connect-failure") || !fields.read("retry_on", text))
    return;
  std::vector<std::string_view> found;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    const std::string_view word = trimmed(std::string_view(text).substr(at, end - at));
    at = end + 1;
    if (word.empty() || std::find(found.begin(), found.end(), word) != found.end()) continue;
    if (std::find(kConditions.begin(), kConditions.end(), word) == kConditions.end()) {
      fields.refuse("retry_on",
                    fmt::format("{} is no condition; write one or more of {}", quoted(word), fmt::join(kConditions, ", ")));
      return;
    }
    found.push_back(word);
  }
  if (found.empty()) {
    fields.refuse("retry_on", fmt::format("must not be empty; write one or more of {}", fmt::join(kConditions, ", ")));
  }
  out = fmt::format("{}", fmt::join(found, ","));
}

void readStatusCodes(Fields& fields, RetryPolicy& out) {
  const Value* value = fields.take("retriable_status_codes");
  if (value == nullptr) return;
  const bool list = value->isList() && value->list.size() <= 500;
  const auto code = [](const Value& item) {
    const auto number = wholeNumber(item);
    return number && *number >= 100 && *number <= 599;
  };
  if (!list || !std::all_of(value->list.begin(), value->list.end(), code)) {
    fields.refuse("retriable_status_codes", "must be a list of numbers from 100 to 599, such as [503]");
    return;
  }
  for (const Value& item : value->list) out.retriable_status_codes.push_back(static_cast<uint32_t>(*wholeNumber(item)));
  std::sort(out.retriable_status_codes.begin(), out.retriable_status_codes.end());
  auto& codes = out.retriable_status_codes;
  codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
}

void readBackOff(Fields& fields, RetryPolicy& out) {
  const Value* value = fields.take("retry_back_off");
  if (value == nullptr) return;
  Fields inner(fields.report(), value, fields.path("retry_back_off"));
  if (!value->isMap()) return;
  inner.require("base_interval", "write the first pause, such as 25ms");
  inner.readDuration("base_interval", out.base_interval_ms, 1);
  inner.readDuration("max_interval", out.max_interval_ms, 1);
  if (out.base_interval_ms && out.max_interval_ms && *out.max_interval_ms < *out.base_interval_ms) {
    inner.refuse("max_interval", "must not be shorter than base_interval");
  }
  inner.finish();
}

}  // namespace

void readRetryPolicy(Fields& fields, std::string_view name, std::optional<RetryPolicy>& out) {
  const Value* value = fields.take(name);
  if (value == nullptr) return;
  Fields inner(fields.report(), value, fields.path(name));
  if (!value->isMap()) return;
  RetryPolicy policy;
  readConditions(inner, policy.retry_on);
  int64_t tries = 0;
  if (inner.read("num_retries", tries, 0, UINT32_MAX)) policy.num_retries = static_cast<uint32_t>(tries);
  inner.readDuration("per_try_timeout", policy.per_try_timeout_ms);
  readStatusCodes(inner, policy);
  readBackOff(inner, policy);
  inner.finish();
  out = std::move(policy);
}

}  // namespace emissary::model
