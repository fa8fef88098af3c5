// Fields of a Mapping that shape its route and that few have.

#include <fmt/format.h>

#include "base/lower.h"
#include "model/readers.h"
#include "model/text.h"

namespace emissary::model {
namespace {

using manifest::Value;

void readPriority(Fields& spec, MappingPolicy& policy) {
  const Value* value = spec.take("priority");
  if (value == nullptr) return;
  const std::string text = value->isString() ? lower(trimmed(value->string)) : std::string{};
  if (text == "high") {
    policy.high_priority = true;
  } else if (text == "default") {
    policy.high_priority = false;
  } else {
    spec.error("priority", fmt::format("must be default or high, but is {}; it is left out", describe(*value)));
  }
}

/// These act through services that this version does not have: without one they have no effect, here as ever.
void readServiceHints(Fields& spec, MappingPolicy& policy) {
  spec.read("bypass_auth", policy.bypass_auth);
  if (const Value* value = spec.take("auth_context_extensions"); value != nullptr) {
    readTextMap(spec.report(), *value, spec.path("auth_context_extensions"), policy.auth_context_extensions);
    spec.notice("auth_context_extensions", "has no effect without an AuthService");
  }
  if (policy.bypass_auth) spec.notice("bypass_auth", "has no effect without an AuthService");
  if (const Value* value = spec.take("labels"); value != nullptr) {
    if (value->isMap()) {
      spec.notice("labels", "has no effect without a RateLimitService");
    } else {
      spec.refuse("labels", "must be a map from domains to lists, but is " + describe(*value));
    }
  }
}

/// Not there since upstream's version 4 either; the Mapping is routed all the same.
void readErrorResponses(Fields& spec, MappingPolicy& policy) {
  spec.read("bypass_error_response_overrides", policy.bypass_error_response_overrides);
  if (policy.bypass_error_response_overrides) spec.error("bypass_error_response_overrides", "is not supported and is ignored");
  if (spec.take("error_response_overrides") != nullptr) {
    spec.error("error_response_overrides", "is not supported on a Mapping and is ignored; write it in the Module");
  }
}

}  // namespace

void readRoutePolicy(Fields& spec, MappingPolicy& policy) {
  readRedirect(spec, policy);
  readCors(spec, "cors", policy.cors);
  readRetryPolicy(spec, "retry_policy", policy.retry_policy);
  readAddedHeaders(spec, "add_request_headers", policy.add_request_headers);
  readAddedHeaders(spec, "add_response_headers", policy.add_response_headers);
  readRemovedHeaders(spec, "remove_request_headers", policy.remove_request_headers);
  readRemovedHeaders(spec, "remove_response_headers", policy.remove_response_headers);
  spec.read("add_linkerd_headers", policy.add_linkerd_headers);
  readPriority(spec, policy);
  readServiceHints(spec, policy);
  readErrorResponses(spec, policy);
  if (const Value* docs = spec.take("docs"); docs != nullptr && !docs->isMap()) {
    spec.refuse("docs", "must be a map, but is " + describe(*docs));
  }
}

}  // namespace emissary::model
