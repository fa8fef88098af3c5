// A Module's defaults for Mappings, and its built-in Mappings.

#include <fmt/format.h>

#include "model/module_reader.h"
#include "model/readers.h"
#include "model/regex.h"
#include "model/text.h"

namespace emissary::model {
namespace {

using manifest::Value;

void readBuiltIn(Fields& config, std::string_view name, BuiltInMapping& out, bool* allow_non_local) {
  const Value* value = config.take(name);
  if (value == nullptr) return;
  Fields fields(config.report(), value, config.path(name));
  if (!value->isMap()) return;
  out.enabled = false;  // what is written replaces all of the default
  fields.read("enabled", out.enabled);
  std::string text;
  if (fields.read("prefix", text)) {
    if (text.starts_with('/')) {
      out.prefix = text;
    } else {
      fields.refuse("prefix", fmt::format("{} can match no path, for paths begin with '/'", quoted(text)));
    }
  }
  fields.read("rewrite", out.rewrite);
  fields.read("service", out.service);
  if (allow_non_local != nullptr) fields.read("allow_non_local", *allow_non_local);
  fields.finish();
}

/// What a reader of Mappings makes of the key, unless something is wrong with it.
template <typename T>
void readPart(Fields& fields, std::string_view name, void (*read)(Fields&, std::string_view, std::optional<T>&),
              std::optional<T>& out) {
  const Part part(fields.report());
  std::optional<T> value;
  read(fields, name, value);
  if (part.good() && value) out = std::move(value);
}

/// `defaults`: values for Mappings below `httpmapping`, or beside it.
void readDefaults(Fields& config, Module& out) {
  const Value* value = config.take("defaults");
  if (value == nullptr) return;
  Fields direct(config.report(), value, config.path("defaults"));
  Fields mapping(config.report(), direct.take("httpmapping"), direct.path("httpmapping"));
  direct.read("tls_secret_namespacing", out.tls_secret_namespacing);
  direct.read("stats_name", out.stats_name);
  mapping.read("stats_name", out.stats_name);
  for (Fields* fields : {&direct, &mapping}) {
    readPart(*fields, "add_request_headers", readAddedHeaders, out.add_request_headers);
    readPart(*fields, "add_response_headers", readAddedHeaders, out.add_response_headers);
    readPart(*fields, "remove_request_headers", readRemovedHeaders, out.remove_request_headers);
    readPart(*fields, "remove_response_headers", readRemovedHeaders, out.remove_response_headers);
  }
  mapping.finish();
  direct.finish();
}

}  // namespace

void readMappingDefaults(Fields& config, Module& out) {
  config.readMs("cluster_request_timeout_ms", out.cluster_request_timeout_ms);
  config.readMs("cluster_idle_timeout_ms", out.cluster_idle_timeout_ms);
  config.readMs("cluster_max_connection_lifetime_ms", out.cluster_max_connection_lifetime_ms);
  config.read("resolver", out.resolver);
  config.read("add_linkerd_headers", out.add_linkerd_headers);
  config.read("enable_ipv4", out.enable_ipv4);
  config.read("enable_ipv6", out.enable_ipv6);
  config.read("use_ambassador_namespace_for_service_resolution", out.use_ambassador_namespace_for_service_resolution);
  std::optional<uint32_t> size;
  readNumber(config, "regex_max_size", size, 1, kMostRegexSteps);
  if (size) out.regex_max_size = *size;
  std::optional<std::vector<CircuitBreaker>> breakers;
  readPart(config, "circuit_breakers", readCircuitBreakers, breakers);
  if (breakers) out.circuit_breakers = std::move(*breakers);
  readPart(config, "load_balancer", readLoadBalancer, out.load_balancer);
  readPart(config, "keepalive", readKeepalive, out.keepalive);
  readPart(config, "cors", readCors, out.cors);
  readPart(config, "retry_policy", readRetryPolicy, out.retry_policy);
  readDefaults(config, out);
}

void readBuiltInMappings(Fields& config, Module& out) {
  readBuiltIn(config, "liveness_probe", out.liveness_probe, nullptr);
  readBuiltIn(config, "readiness_probe", out.readiness_probe, nullptr);
  readBuiltIn(config, "diagnostics", out.diagnostics, &out.diagnostics_allow_non_local);
}

}  // namespace emissary::model
