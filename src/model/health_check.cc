// health_checks: requests by which Envoy itself finds out which endpoints of an upstream answer. A wrong entry is left out, and the
// others count.

#include <fmt/format.h>

#include <algorithm>

#include "base/lower.h"
#include "model/readers.h"
#include "model/text.h"

namespace emissary::model {
namespace {

// From 1.40 on.
constexpr size_t kMostChecks = 8;

using manifest::Value;

void readThreshold(Fields& fields, std::string_view name, uint32_t& out) {
  int64_t number = 0;
  if (fields.read(name, number, 1, UINT32_MAX)) out = static_cast<uint32_t>(number);
}

void readPause(Fields& fields, std::string_view name, int64_t& out) {
  std::optional<int64_t> ms;
  fields.readDuration(name, ms, 1);
  if (ms) out = *ms;
}

/// Envoy keeps these for itself.
bool mayBeSet(std::string_view header) { return isToken(header) && lower(header) != "host"; }

/// No request is at hand whose properties could stand in a value, so '%' is just that.
std::string literal(const std::string& text) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == '%') out += c;
  }
  return out;
}

void readAdded(Fields& http, HealthCheck& check) {
  const Value* value = http.take("add_request_headers");
  if (value == nullptr) return;
  const Path map = http.path("add_request_headers");
  if (!value->isMap()) {
    http.refuse("add_request_headers", "must be a map from names to values, but is " + describe(*value));
    return;
  }
  for (const auto& [name, item] : value->map) {
    const Path at(&map, name);
    if (!mayBeSet(name)) {
      http.report().refuse(at.text(), item.line, fmt::format("{} is no name of a header that may be added", quoted(name)));
      continue;
    }
    HeaderValue header{name, "", true};
    if (item.isString()) {
      readText(http.report(), item, at, header.value);
    } else {
      Fields fields(http.report(), &item, at);
      fields.read("value", header.value);
      fields.read("append", header.append);
      fields.accept("v2Representation");
      fields.finish();
    }
    header.value = literal(header.value);
    check.add_request_headers.push_back(std::move(header));
  }
  std::sort(check.add_request_headers.begin(), check.add_request_headers.end());
}

void readRemoved(Fields& http, HealthCheck& check) {
  if (!http.read("remove_request_headers", check.remove_request_headers)) return;
  for (const std::string& name : check.remove_request_headers) {
    if (!mayBeSet(name)) {
      http.refuse("remove_request_headers", fmt::format("{} is no name of a header that may be removed", quoted(name)));
    }
  }
}

/// A wrong range is left out by itself.
void readStatuses(Fields& http, HealthCheck& check) {
  const Value* value = http.take("expected_statuses");
  if (value == nullptr) return;
  const Path list = http.path("expected_statuses");
  if (!value->isList()) {
    http.refuse("expected_statuses", "must be a list of ranges {min, max}, but is " + describe(*value));
    return;
  }
  for (size_t i = 0; i < value->list.size(); ++i) {
    const Part part(http.report());
    Fields range(http.report(), &value->list[i], Path(&list, i));
    HealthCheck::StatusRange status;
    range.require("min", "write the lowest status that is healthy");
    range.require("max", "write the highest status that is healthy");
    const bool min = range.read("min", status.min, 100, 599);
    const bool max = range.read("max", status.max, 100, 599);
    if (min && max && status.min > status.max) {
      range.refuse("min", fmt::format("{} is above max, {}; the range is left out", status.min, status.max));
    }
    range.finish();
    if (part.good()) check.expected_statuses.push_back(status);
  }
}

void readHttp(Fields& kind, HealthCheck& check) {
  Fields http(kind.report(), kind.take("http"), kind.path("http"));
  if (http.require("path", "write the path to ask for, such as /healthz") && http.read("path", check.path) &&
      !check.path.starts_with('/')) {
    http.refuse("path", fmt::format("{} is no path; it begins with '/'", quoted(check.path)));
  }
  http.read("hostname", check.hostname);
  readAdded(http, check);
  readRemoved(http, check);
  readStatuses(http, check);
  http.finish();
}

void readGrpc(Fields& kind, HealthCheck& check) {
  Fields grpc(kind.report(), kind.take("grpc"), kind.path("grpc"));
  check.grpc = true;
  grpc.read("upstream_name", check.grpc_name);
  grpc.read("authority", check.hostname);
  grpc.finish();
}

void readOne(Fields& item, HealthCheck& check) {
  readPause(item, "timeout", check.timeout_ms);
  readPause(item, "interval", check.interval_ms);
  readThreshold(item, "healthy_threshold", check.healthy_threshold);
  readThreshold(item, "unhealthy_threshold", check.unhealthy_threshold);
  if (item.require("health_check", "write {http: {path: /healthz}} or {grpc: {}}")) {
    Fields kind(item.report(), item.take("health_check"), item.path("health_check"));
    const bool http = kind.has("http"), grpc = kind.has("grpc");
    if (http == grpc) {
      item.refuse("health_check", "must have exactly one of http and grpc");
    } else if (http) {
      readHttp(kind, check);
    } else {
      readGrpc(kind, check);
    }
    kind.take("http");
    kind.take("grpc");
    kind.finish();
  }
  item.finish();
}

}  // namespace

void readHealthChecks(Fields& fields, std::string_view name, std::vector<HealthCheck>& out) {
  const Value* value = fields.take(name);
  if (value == nullptr) return;
  const Path list = fields.path(name);
  if (!value->isList()) {
    fields.error(name, fmt::format("must be a list, but is {}; it is left out", describe(*value)));
    return;
  }
  for (size_t i = 0; i < value->list.size(); ++i) {
    const Part part(fields.report());
    HealthCheck check;
    Fields item(fields.report(), &value->list[i], Path(&list, i));
    readOne(item, check);
    if (!part.good()) continue;
    if (out.size() == kMostChecks) {
      fields.error(name, fmt::format("has more than {} checks, the most that Envoy takes; the others are left out", kMostChecks));
      return;
    }
    out.push_back(std::move(check));
  }
}

}  // namespace emissary::model
