// Module: the one called "ambassador" holds the gateway's settings. Its config is untyped for an API server, so every key is
// checked here; a wrong one is left out, and all others count.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/lower.h"
#include "model/module_reader.h"
#include "model/readers.h"
#include "model/text.h"

namespace emissary::model {
namespace {

using manifest::Value;

struct Replaced {
  std::string_view name;
  std::string_view now;
};

/// Keys that have had no effect since version 2.0, and what does now what they did.
constexpr std::array kReplaced = {
    Replaced{"admin_port", "the port of Envoy's admin server is --envoy-admin-port"},
    Replaced{"regex_type", "regular expressions are always RE2"},
    Replaced{"service_port", "write the port into a Listener"},
    Replaced{"statsd", "write STATSD_ENABLED and STATSD_HOST into the control plane's environment, or read /metrics"},
    Replaced{"use_proxy_proto", "write protocolStack: [PROXY, HTTP, TCP] (or protocol: HTTPPROXY) into the Listener"},
    Replaced{"x_forwarded_proto_redirect", "write securityModel: XFP into the Listener and l7Depth for the proxies in front of it"},
    Replaced{"xff_num_trusted_hops", "write l7Depth into the Listener"},
};

/// Without effect, here as upstream.
constexpr std::array<std::string_view, 2> kKeysWithoutEffect = {"auth_enabled", "prune_unreachable_routes"};

void readObsolete(Fields& config) {
  for (const Replaced& key : kReplaced) {
    if (config.take(key.name) != nullptr) config.notice(key.name, fmt::format("has no effect; {}", key.now));
  }
  for (const std::string_view name : kKeysWithoutEffect) config.accept(name);
  if (config.take("tls") != nullptr) config.error("tls", "is not used; write a TLSContext and name it in a Host's tlsContext");
  std::optional<uint32_t> validation;
  readNumber(config, "envoy_validation_timeout", validation);  // what is sent was checked, so nothing waits for it
}

/// Known, and of no effect until what they belong to is.
void readAwaited(Fields& config) {
  config.ignore("default_label_domain", kText);
  config.ignore("default_labels", kMap);
  config.ignore("runtime_flags", kMap);
}

void readAmbassador(Fields& spec, Object& object) {
  const Value* value = spec.take("config");
  if (!spec.require("config", "write the settings below it; without any, write {}")) return;
  if (!value->isMap()) {
    spec.refuse("config", "must be a map of settings, but is " + describe(*value));
    return;
  }
  const Part part(spec.report());
  Fields config(spec.report(), value, spec.path("config"));
  Module module;
  readHttpSettings(config, module.http);
  readHttpFilters(config, module.http);
  readAccessLog(config, module.http.access_log);
  readErrorResponses(config, module.http);
  readMappingDefaults(config, module);
  readBuiltInMappings(config, module);
  readSwitch(config, "debug_mode", module.debug_mode);
  readObsolete(config);
  readAwaited(config);
  config.finish();
  Boxed<Module> boxed;
  if (module != *boxed) boxed.edit() = std::move(module);
  object.spec = std::move(boxed);
}

}  // namespace

void readNumber(Fields& fields, std::string_view name, std::optional<uint32_t>& out, uint32_t min, uint32_t max) {
  int64_t number = 0;
  if (fields.read(name, number, min, max)) out = static_cast<uint32_t>(number);
}

void readSwitch(Fields& fields, std::string_view name, bool& out) {
  static constexpr std::array<std::string_view, 6> kTrue = {"y", "yes", "on", "1", "true", "t"};
  static constexpr std::array<std::string_view, 6> kFalse = {"n", "no", "off", "0", "false", "f"};
  const Value* value = fields.take(name);
  if (value != nullptr && value->isString() && value->string.size() < 6) {
    const std::string text = lower(value->string);
    if (std::find(kTrue.begin(), kTrue.end(), text) != kTrue.end()) {
      out = true;
      return;
    }
    if (std::find(kFalse.begin(), kFalse.end(), text) != kFalse.end()) {
      out = false;
      return;
    }
  }
  fields.read(name, out);
}

bool linesAreGood(Report& report, const Value& value, const Path& path, size_t most) {
  if (!value.isString()) {
    report.refuse(path.text(), value.line, "must be text, but is " + describe(value));
    return false;
  }
  std::string line = value.string;
  std::replace_if(line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  if (std::string problem = textProblem(line, most); !problem.empty()) {
    report.refuse(path.text(), value.line, std::move(problem));
    return false;
  }
  return true;
}

bool readLines(Fields& fields, std::string_view name, std::string& out, size_t most) {
  const Value* value = fields.take(name);
  if (value == nullptr || !linesAreGood(fields.report(), *value, fields.path(name), most)) return false;
  out = value->string;
  return true;
}

void readModule(Fields& spec, Object& object) {
  if (object.ref.name == "ambassador") {
    readAmbassador(spec, object);
    return;
  }
  spec.accept("config");
  if (object.ref.name == "tls") {
    spec.warning("config", "is not acted on; write a TLSContext for each certificate and name it in a Host's tlsContext");
  } else if (object.ref.name == "authentication") {
    spec.warning("config", "is not acted on in this version");
  }
  object.spec = Boxed<Module>();
}

}  // namespace emissary::model
