// A Module's HTTP filters: gzip, gRPC, Lua, buffer, IP addresses.

#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>
#include <charconv>

#include "model/lua.h"
#include "model/module_reader.h"
#include "model/readers.h"
#include "model/text.h"

namespace emissary::model {
namespace {

using manifest::Value;

constexpr std::array<std::string_view, 12> kLevels = {"DEFAULT_COMPRESSION", "BEST_SPEED",          "COMPRESSION_LEVEL_1",
                                                      "COMPRESSION_LEVEL_2", "COMPRESSION_LEVEL_3", "COMPRESSION_LEVEL_4",
                                                      "COMPRESSION_LEVEL_5", "COMPRESSION_LEVEL_6", "COMPRESSION_LEVEL_7",
                                                      "COMPRESSION_LEVEL_8", "COMPRESSION_LEVEL_9", "BEST_COMPRESSION"};
constexpr std::array<std::string_view, 5> kStrategies = {"DEFAULT_STRATEGY", "FILTERED", "HUFFMAN_ONLY", "RLE", "FIXED"};

void readGzip(Fields& config, HttpSettings& out) {
  const Value* value = config.take("gzip");
  if (value == nullptr) return;
  Fields fields(config.report(), value, config.path("gzip"));
  if (!value->isMap()) return;
  Gzip gzip;
  readNumber(fields, "memory_level", gzip.memory_level, 1, 9);
  const int level = fields.readChoice("compression_level", kLevels, true);
  if (level >= 0) gzip.compression_level = kLevels[static_cast<size_t>(level)];
  const int strategy = fields.readChoice("compression_strategy", kStrategies, true);
  if (strategy >= 0) gzip.compression_strategy = kStrategies[static_cast<size_t>(strategy)];
  readNumber(fields, "window_bits", gzip.window_bits, 9, 15);
  readNumber(fields, "min_content_length", gzip.min_content_length);
  fields.read("content_type", gzip.content_type);
  fields.read("disable_on_etag_header", gzip.disable_on_etag_header);
  fields.read("remove_accept_encoding_header", gzip.remove_accept_encoding_header);
  fields.finish();
  out.gzip = std::move(gzip);
}

/// Envoy refuses one without a name or without methods.
std::optional<GrpcStats::Service> readCountedService(Fields& item) {
  GrpcStats::Service service;
  const bool named = item.require("name", "write the full name of the gRPC service") && item.read("name", service.name);
  if (named && service.name.empty()) item.refuse("name", "is empty; write the full name of the gRPC service");
  const bool listed = item.require("method_names", "list the methods to count, or write all_methods: true in place of services") &&
                      item.read("method_names", service.methods);
  if (!named || !listed || service.name.empty()) return std::nullopt;
  std::erase(service.methods, "");
  if (!service.methods.empty()) return service;
  item.refuse("method_names", "names no method; list those to count, or write all_methods: true in place of services");
  return std::nullopt;
}

void readGrpcStats(Fields& config, HttpSettings& out) {
  const Value* value = config.take("grpc_stats");
  if (value == nullptr) return;
  const Path path = config.path("grpc_stats");
  Fields fields(config.report(), value, path);
  if (!value->isMap()) return;
  GrpcStats stats;
  fields.read("all_methods", stats.all_methods);
  fields.read("upstream_stats", stats.upstream_stats);
  if (const Value* services = fields.take("services"); services != nullptr && !services->isList()) {
    fields.refuse("services", "must be a list of services, but is " + describe(*services));
  } else if (services != nullptr) {
    const Path list = fields.path("services");
    for (size_t i = 0; i < services->list.size(); ++i) {
      const Path at(&list, i);
      Fields item(config.report(), &services->list[i], at);
      if (!services->list[i].isMap()) continue;
      if (auto service = readCountedService(item)) stats.services.push_back(*std::move(service));
      item.finish();
    }
  }
  fields.finish();
  out.grpc_stats = std::move(stats);
}

constexpr size_t kMaxScript = 1024 * 1024;  // about what an API server takes of one object

void readLua(Fields& config, HttpSettings& out) {
  std::string script;
  if (!readLines(config, "lua_scripts", script, kMaxScript)) return;
  if (std::string problem = luaProblem(script); !problem.empty()) {
    config.refuse("lua_scripts", std::move(problem));
  } else {
    out.lua_scripts = std::move(script);
  }
}

void readBuffer(Fields& config, HttpSettings& out) {
  const Value* value = config.take("buffer");
  if (value == nullptr) return;
  Fields fields(config.report(), value, config.path("buffer"));
  if (!value->isMap()) return;
  if (fields.require("max_request_bytes", "write how many bytes of a request's body are held")) {
    readNumber(fields, "max_request_bytes", out.buffer_max_request_bytes, 1);
  }
  if (fields.take("max_request_time") != nullptr) fields.notice("max_request_time", "has no effect; Envoy knows it no more");
  fields.finish();
}

/// "10.0.0.0/8", "::1". Why not, or "".
std::string readRange(const std::string& text, IpRules::Range& out) {
  const size_t slash = text.find('/');
  out.address = text.substr(0, slash);
  const std::string_view family = ipFamily(out.address);
  if (family.empty()) return fmt::format("{} is no IP address; write for example 10.0.0.0/8 or ::1", quoted(text));
  const uint32_t bits = family == "4" ? 32 : 128;
  out.length = bits;
  if (slash == std::string::npos) return {};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + slash + 1, end, out.length);
  if (error != std::errc{} || stop != end || out.length > bits) {
    return fmt::format("{} has no good length; write a number from 0 to {} behind the slash", quoted(text), bits);
  }
  return {};
}

std::optional<IpRules> readIpRules(Fields& config, std::string_view name, bool allow) {
  const Value* value = config.take(name);
  if (value == nullptr) return std::nullopt;
  if (!value->isList()) {
    config.refuse(name, "must be a list such as [{remote: 10.0.0.0/8}], but is " + describe(*value));
    return std::nullopt;
  }
  IpRules rules;
  rules.allow = allow;
  const Path list = config.path(name);
  for (size_t i = 0; i < value->list.size(); ++i) {
    const Value& item = value->list[i];
    const Path at(&list, i);
    const auto error = [&](std::string message) { config.report().refuse(at.text(), item.line, std::move(message)); };
    if (!item.isMap() || item.map.empty()) {
      error("must be a map such as {remote: 10.0.0.0/8}, but is " + describe(item));
      continue;
    }
    if (item.map.size() > 1) error("has more than one key, and the first counts; write an entry for each");
    const auto& [kind, range] = item.map.front();
    IpRules::Range out;
    out.peer = kind == "peer";
    if (!out.peer && kind != "remote") {
      error(fmt::format("{} is not known; write peer (the connection's address) or remote (the client's)", quoted(kind)));
    } else if (std::string text; readText(config.report(), range, Path(&at, kind), text)) {
      if (std::string problem = readRange(text, out); !problem.empty()) {
        error(std::move(problem));
      } else {
        rules.ranges.push_back(std::move(out));
      }
    }
  }
  if (rules.ranges.empty()) return std::nullopt;
  return rules;
}

}  // namespace

void readHttpFilters(Fields& config, HttpSettings& out) {
  readSwitch(config, "enable_grpc_http11_bridge", out.grpc_http1_bridge);
  readSwitch(config, "enable_grpc_web", out.grpc_web);
  readGrpcStats(config, out);
  readLua(config, out);
  readGzip(config, out);
  readBuffer(config, out);
  std::optional<IpRules> allow = readIpRules(config, "ip_allow", true);
  std::optional<IpRules> deny = readIpRules(config, "ip_deny", false);
  if (config.has("ip_allow") && config.has("ip_deny")) {
    config.error("ip_deny", "is not used beside ip_allow; remove one of them");
    deny.reset();
  }
  out.ip_rules = allow ? std::move(allow) : std::move(deny);
}

}  // namespace emissary::model
