// keepalive: TCP's own probes on connections to an upstream.

#include <fmt/format.h>

#include "model/readers.h"

namespace emissary::model {
namespace {

/// What Linux takes; with anything else no connection could be opened.
void readSocketOption(Fields& fields, std::string_view name, int64_t max, std::optional<uint32_t>& out) {
  int64_t number = 0;
  if (!fields.read(name, number)) return;
  if (number >= 1 && number <= max) {
    out = static_cast<uint32_t>(number);
  } else {
    fields.error(name, fmt::format("must be from 1 to {}, but is {}; it is left out", max, number));
  }
}

}  // namespace

void readKeepalive(Fields& fields, std::string_view name, std::optional<Keepalive>& out) {
  const manifest::Value* value = fields.take(name);
  if (value == nullptr) return;
  Fields inner(fields.report(), value, fields.path(name));
  if (!value->isMap()) return;
  constexpr int64_t kMaxSeconds = 32767;
  Keepalive keepalive;
  readSocketOption(inner, inner.alias("idle_time", "time"), kMaxSeconds, keepalive.time);
  readSocketOption(inner, "interval", kMaxSeconds, keepalive.interval);
  readSocketOption(inner, "probes", 127, keepalive.probes);
  inner.finish();
  out = keepalive;
}

}  // namespace emissary::model
