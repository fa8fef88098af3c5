// circuit_breakers: how much may be under way to an upstream at once.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/readers.h"

namespace emissary::model {
namespace {

using manifest::Value;

constexpr std::array<std::string_view, 2> kPriorities = {"default", "high"};

void readLimit(Fields& fields, std::string_view name, std::optional<uint32_t>& out) {
  int64_t number = 0;
  if (fields.read(name, number, 0, UINT32_MAX)) out = static_cast<uint32_t>(number);
}

bool isHigh(const CircuitBreaker& breaker) { return breaker.priority == CircuitBreaker::Priority::High; }

}  // namespace

void readCircuitBreakers(Fields& fields, std::string_view name, std::optional<std::vector<CircuitBreaker>>& out) {
  const Value* value = fields.take(name);
  if (value == nullptr) return;
  const Path list = fields.path(name);
  if (!value->isList()) {
    fields.report().refuse(list.text(), value->line, "must be a list, but is " + describe(*value));
    return;
  }
  std::vector<CircuitBreaker> breakers;
  for (size_t i = 0; i < value->list.size(); ++i) {
    Fields item(fields.report(), &value->list[i], Path(&list, i));
    CircuitBreaker breaker;
    const int priority = item.readChoice("priority", kPriorities, true);
    if (priority >= 0) breaker.priority = priority == 1 ? CircuitBreaker::Priority::High : CircuitBreaker::Priority::Default;
    readLimit(item, "max_connections", breaker.max_connections);
    readLimit(item, "max_pending_requests", breaker.max_pending_requests);
    readLimit(item, "max_requests", breaker.max_requests);
    readLimit(item, "max_retries", breaker.max_retries);
    item.finish();
    // Envoy goes by the first of a priority.
    const bool again = std::any_of(breakers.begin(), breakers.end(),
                                   [&](const CircuitBreaker& other) { return isHigh(other) == isHigh(breaker); });
    if (again) {
      item.warning("priority", fmt::format("an earlier entry is for the priority {} too and counts; this one is left out",
                                           isHigh(breaker) ? "high" : "default"));
    } else {
      breakers.push_back(breaker);
    }
  }
  out = std::move(breakers);
}

}  // namespace emissary::model
