// Mapping: one (prefix, match) to one service.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/lower.h"
#include "model/readers.h"
#include "model/text.h"

namespace emissary::model {
namespace {

using manifest::Value;

/// Envoy's bound on the name of a query parameter.
constexpr size_t kMaxQueryName = 1024;

/// One of headers, regex_headers, query_parameters, regex_query_parameters.
struct MatchField {
  std::string_view name;
  bool header;
  bool regex;
};

/// Whether a text cannot stand in a query as it is: Envoy compares what was sent, and decodes nothing.
bool isEncodedInQuery(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c > '~' || c == '#' || c == '&'; });
}

void readMatches(Fields& spec, const MatchField& field, std::vector<ValueMatch>& out) {
  const Value* value = spec.take(field.name);
  if (value == nullptr) return;
  Report& report = spec.report();
  const Path path = spec.path(field.name);
  if (!value->isMap()) {
    report.refuse(path.text(), value->line, "must be a map from names to texts, but is " + describe(*value));
    return;
  }
  const size_t first = out.size();
  for (const Value::Entry& entry : value->map) {
    const std::string& name = entry.first;
    const Value& item = entry.second;
    if (item.isNull()) continue;
    const Path at(&path, name);
    const auto refuse = [&](std::string message) { report.refuse(at.text(), item.line, std::move(message)); };
    if (field.header && !isHeaderName(name)) {
      refuse(fmt::format("{} is no name of a header; letters, digits and !#$%&'*+-.^_`|~ may stand in one", quoted(name)));
      continue;
    }
    if (!field.header && (name.empty() || name.size() > kMaxQueryName || !textProblem(name).empty())) {
      refuse(fmt::format("the name of a query parameter must be 1 to {} bytes of text without control characters", kMaxQueryName));
      continue;
    }
    if (item.type == Value::Type::Bool && item.boolean && !field.regex) {
      refuse(fmt::format(
          "must be text, but is the boolean true; write it in quotes, or to match any value write regex_{}: {{{}: \".*\"}}",
          field.name, printable(name)));
      continue;
    }
    ValueMatch match{name, std::string{}, field.regex};
    if (!readText(report, item, at, *match.value)) continue;
    if (field.regex) {
      if (std::string problem = regexProblem(report, at, *match.value); !problem.empty()) refuse(std::move(problem));
    } else if (!field.header && isEncodedInQuery(*match.value)) {
      report.warning(at.text(), item.line,
                     fmt::format("{} is compared with the query as it is sent, where blanks and other letters than a to z are "
                                 "written as in %20 and %C3%BC; write it so",
                                 quoted(*match.value)));
    }
    out.push_back(std::move(match));
  }
  std::sort(out.begin() + static_cast<ptrdiff_t>(first), out.end(),
            [](const ValueMatch& a, const ValueMatch& b) { return a.name < b.name; });
}

void checkAuthorityHeader(Fields& spec, const Mapping& mapping) {
  for (const ValueMatch& header : mapping.headers) {
    if (header.regex || header.name != ":authority" || header.value->find('*') == std::string::npos) continue;
    const Path headers = spec.path("headers");
    const Value* value = spec.take("headers")->find(header.name);
    spec.report().refuse(Path(&headers, header.name).text(), value != nullptr ? value->line : 0,
                         fmt::format("{} holds a '*', but is compared exactly; write it as hostname", quoted(*header.value)));
  }
}

void readPath(Fields& spec, Mapping& mapping) {
  spec.read("prefix_regex", mapping.prefix_regex);
  spec.read("prefix_exact", mapping.prefix_exact);
  spec.read("case_sensitive", mapping.case_sensitive);
  const bool there = spec.require("prefix", "a Mapping needs the path that it serves, such as /cart/");
  if (!spec.read("prefix", mapping.prefix) || !there) return;
  const std::string& prefix = mapping.prefix;
  if (prefix.empty()) {
    spec.refuse("prefix", "must not be empty; write / to match every path");
  } else if (mapping.prefix_regex) {
    if (std::string problem = regexProblem(spec.report(), spec.path("prefix"), prefix); !problem.empty())
      spec.refuse("prefix", std::move(problem));
    if (mapping.prefix_exact) spec.warning("prefix_exact", "has no effect beside prefix_regex; remove one of them");
  } else if (prefix[0] != '/') {
    spec.warning("prefix",
                 fmt::format("{} can match no path, for paths begin with '/'; write {}", quoted(prefix), quoted("/" + prefix)));
  } else if (prefix.find_first_of("?#") != std::string::npos) {
    spec.warning("prefix",
                 fmt::format("{} can match no path, for the query is not part of it; write query_parameters", quoted(prefix)));
  } else if (std::any_of(prefix.begin(), prefix.end(), [](char c) { return c <= ' ' || c > '~'; })) {
    spec.warning("prefix",
                 fmt::format("{} can match no path, where blanks and other letters than a to z are written as in %20 and %C3%BC",
                             quoted(prefix)));
  }
}

/// A glob may have a '*' at its beginning or its end. Used as it is: it then matches nothing.
void warnOfGlob(Fields& spec, std::string_view name, std::string_view glob) {
  if (glob == "*") return;
  const size_t first = glob.find('*');
  if (first == std::string_view::npos) return;
  const bool one = glob.rfind('*') == first;
  if (one && (first == 0 || first + 1 == glob.size())) return;
  spec.warning(name, fmt::format("{} matches no host name; one '*' may stand at the beginning or at the end", quoted(glob)));
}

void readHostMatch(Fields& spec, Mapping& mapping) {
  spec.read("host_regex", mapping.host_regex);
  if (spec.read("hostname", mapping.hostname)) warnOfGlob(spec, "hostname", *mapping.hostname);
  if (!spec.read("host", mapping.host)) return;
  if (mapping.host_regex) {
    if (std::string problem = regexProblem(spec.report(), spec.path("host"), *mapping.host); !problem.empty())
      spec.refuse("host", std::move(problem));
  } else if (mapping.host->find('*') != std::string::npos) {
    spec.refuse("host", fmt::format("{} holds a '*', but host is compared exactly; write it as hostname", quoted(*mapping.host)));
  }
  if (mapping.hostname) spec.warning("host", "is ignored beside hostname; remove one of them");
}

void readMethod(Fields& spec, Mapping& mapping) {
  spec.read("method_regex", mapping.method_regex);
  if (!spec.read("method", mapping.method)) return;
  if (mapping.method_regex) {
    if (std::string problem = regexProblem(spec.report(), spec.path("method"), *mapping.method); !problem.empty())
      spec.refuse("method", std::move(problem));
  } else if (!isToken(*mapping.method)) {
    spec.warning("method", fmt::format("{} matches no method; a method is one word such as GET", quoted(*mapping.method)));
  } else if (std::any_of(mapping.method->begin(), mapping.method->end(), [](char c) { return c >= 'a' && c <= 'z'; })) {
    spec.warning("method", fmt::format("{} has small letters; methods are compared exactly, as in GET", quoted(*mapping.method)));
  }
}

void readRewrites(Fields& spec, Mapping& mapping) {
  std::string rewrite;
  if (spec.read("rewrite", rewrite)) mapping.rewrite = std::move(rewrite);  // "" differs from absent
  readRegexRewrite(spec, "regex_rewrite", mapping.regex_rewrite);
  if (mapping.regex_rewrite && mapping.rewrite && *mapping.rewrite != "/" && !mapping.rewrite->empty()) {
    spec.notice("rewrite", "is ignored beside regex_rewrite; remove one of them");
  }
  if (!mapping.regex_rewrite && mapping.rewrite.value_or("/").find_first_not_of('/') == 0) {
    spec.warning("rewrite", fmt::format("{} does not begin with '/', as every path does; write {}", quoted(*mapping.rewrite),
                                        quoted("/" + *mapping.rewrite)));
  }
  spec.read("host_rewrite", mapping.host_rewrite);
  spec.read("auto_host_rewrite", mapping.auto_host_rewrite);
  if (mapping.host_rewrite && mapping.auto_host_rewrite) {
    spec.error("auto_host_rewrite", "is not used beside host_rewrite; remove one of them");
    mapping.auto_host_rewrite = false;
  }
}

/// "websocket", "spdy/3.1"
bool isProtocol(std::string_view text) {
  const size_t slash = text.find('/');
  return isToken(text.substr(0, slash)) && (slash == std::string_view::npos || isToken(text.substr(slash + 1)));
}

void readUpgrades(Fields& spec, Mapping& mapping) {
  std::vector<std::string> upgrades;
  spec.read("allow_upgrade", upgrades);
  bool websocket = false;
  spec.read("use_websocket", websocket);
  if (spec.has("use_websocket")) spec.notice("use_websocket", "is deprecated; write allow_upgrade: [websocket]");
  if (websocket) upgrades.emplace_back("websocket");
  for (std::string& upgrade : upgrades) {
    if (!isProtocol(upgrade)) {
      spec.refuse("allow_upgrade", fmt::format("{} is no protocol to upgrade to; write for example websocket", quoted(upgrade)));
      return;
    }
    // Envoy refuses a route that names one twice, whatever the case.
    const bool known = std::any_of(mapping.allow_upgrade.begin(), mapping.allow_upgrade.end(),
                                   [&](const std::string& other) { return lower(upgrade) == lower(other); });
    if (!known) mapping.allow_upgrade.push_back(std::move(upgrade));
  }
}

constexpr std::array<std::string_view, 5> kWithoutEffect = {"envoy_override", "modules", "v2BoolHeaders", "v2BoolQueryParameters",
                                                            "v2ExplicitTLS"};

}  // namespace

bool readRegexRewrite(Fields& spec, std::string_view name, std::optional<RegexRewrite>& out) {
  const Value* value = spec.take(name);
  if (value == nullptr) return false;
  Fields fields(spec.report(), value, spec.path(name));
  RegexRewrite rewrite;
  fields.read("substitution", rewrite.substitution);
  bool right = fields.require("pattern", "write the regular expression to replace") && fields.read("pattern", rewrite.pattern);
  if (right) {
    std::string problem = regexProblem(spec.report(), fields.path("pattern"), rewrite.pattern, &rewrite.substitution);
    right = problem.empty();
    if (!right) fields.refuse("pattern", std::move(problem));
    out = std::move(rewrite);
  }
  fields.finish();
  return right;
}

void readMapping(Fields& spec, Object& object) {
  Mapping mapping;
  readPath(spec, mapping);
  readHostMatch(spec, mapping);
  readMatches(spec, {"headers", true, false}, mapping.headers);
  checkAuthorityHeader(spec, mapping);
  readMatches(spec, {"regex_headers", true, true}, mapping.headers);
  readMatches(spec, {"query_parameters", false, false}, mapping.query_parameters);
  readMatches(spec, {"regex_query_parameters", false, true}, mapping.query_parameters);
  readMethod(spec, mapping);
  spec.read("precedence", mapping.precedence);

  if (spec.require("service", "a Mapping needs the service that answers, such as cart:8080") &&
      spec.read("service", mapping.service) && mapping.service.empty()) {
    spec.refuse("service", "must not be empty; write the service that answers, such as cart:8080");
  }
  spec.read("resolver", mapping.resolver);
  spec.read("tls", mapping.tls);
  spec.read("weight", mapping.weight);
  readRewrites(spec, mapping);

  spec.readMs("timeout_ms", mapping.timeout_ms);
  spec.readMs("idle_timeout_ms", mapping.idle_timeout_ms);
  spec.readMs("connect_timeout_ms", mapping.connect_timeout_ms, 1);  // Envoy refuses a cluster with 0
  spec.read("grpc", mapping.grpc);
  readUpgrades(spec, mapping);
  spec.read("cluster_tag", mapping.cluster_tag);
  spec.read("stats_name", mapping.stats_name);

  MappingPolicy policy;
  readRoutePolicy(spec, policy);
  readUpstreamPolicy(spec, policy);
  if (policy != MappingPolicy()) mapping.policy.edit() = std::move(policy);
  for (const std::string_view name : kWithoutEffect) spec.accept(name);
  mapping.largest_regex = spec.report().takeLargestRegex();
  object.spec = std::move(mapping);
}

}  // namespace emissary::model
