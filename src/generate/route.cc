#include "generate/route.h"

#include <envoy/config/route/v3/route.pb.h>
#include <envoy/config/route/v3/route_components.pb.h>
#include <envoy/config/route/v3/scoped_route.pb.h>

#include <fmt/format.h>

#include "compile/canary.h"
#include "generate/any.h"
#include "generate/common.h"
#include "generate/route_policy.h"
#include "generate/scope.h"

namespace emissary::generate {
namespace {

namespace route_v3 = envoy::config::route::v3;

void appendField(int number, const std::string& bytes, std::string& out) {
  google::protobuf::io::StringOutputStream stream(&out);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.WriteTag(static_cast<uint32_t>(number << 3 | 2));
  coded.WriteVarint32(static_cast<uint32_t>(bytes.size()));
  coded.WriteString(bytes);
}

void headerMatch(const ir::NamedMatch& match, route_v3::HeaderMatcher* out) {
  out->set_name(match.name);
  if (match.match.kind == ir::StringMatch::Kind::Present) {
    out->set_present_match(true);
  } else {
    stringMatcher(match.match, out->mutable_string_match());
  }
}

bool endsInPort(const std::string& host) {
  const size_t colon = host.rfind(':');
  return colon != std::string::npos && colon + 1 < host.size() &&
         host.find_first_not_of("0123456789", colon + 1) == std::string::npos;
}

std::string quoted(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80);
    if (!plain) out += '\\';
    out += c;
  }
  return out;
}

// A glob as a match on :authority; host names do not depend on case, and a name without a port stands for any port. The regular
// expression that says so is asked only where the text before it fits, and is left out where Envoy would find it too large.
void hostMatch(const ir::HostMatch& host, route_v3::RouteMatch* out) {
  using Kind = ir::StringMatch::Kind;
  constexpr size_t kMaxName = 120;
  if (host.kind == ir::HostMatch::Kind::None || host.text == "*") return;
  if (host.kind == ir::HostMatch::Kind::Regex)
    return headerMatch({":authority", {Kind::Regex, host.text, false}}, out->add_headers());
  const bool head = host.text.front() == '*';
  if (!head && host.text.back() == '*') {
    return headerMatch({":authority", {Kind::Prefix, host.text.substr(0, host.text.size() - 1), true}}, out->add_headers());
  }
  const std::string text = head ? host.text.substr(1) : host.text;
  if (endsInPort(text) || text.size() > kMaxName) {
    return headerMatch({":authority", {head ? Kind::Suffix : Kind::Exact, text, true}}, out->add_headers());
  }
  auto* fits = out->add_headers();
  fits->set_name(":authority");
  fits->mutable_string_match()->set_ignore_case(true);
  if (head) {
    fits->mutable_string_match()->set_contains(text);
  } else {
    fits->mutable_string_match()->set_prefix(text);
  }
  const std::string pattern = fmt::format("(?i){}{}(:[0-9]+)?", head ? ".*" : "", quoted(text));
  headerMatch({":authority", {Kind::Regex, pattern, false}}, out->add_headers());
}

void routeMatch(const ir::Match& match, RouteForm form, route_v3::RouteMatch* out) {
  switch (match.path_kind) {
    case ir::PathMatch::Prefix: out->set_prefix(match.path); break;
    case ir::PathMatch::Exact: out->set_path(match.path); break;
    case ir::PathMatch::Regex: out->mutable_safe_regex()->set_regex(match.path); break;
  }
  if (!match.case_sensitive) out->mutable_case_sensitive()->set_value(false);
  for (const ir::NamedMatch& header : match.headers) {
    if (form.forwarded_https && header.name == "x-forwarded-proto") continue;
    headerMatch(header, out->add_headers());
  }
  if (!form.host_known) hostMatch(match.host, out);
  if (match.method) headerMatch({":method", *match.method}, out->add_headers());
  if (form.forwarded_https) headerMatch({"x-forwarded-proto", {ir::StringMatch::Kind::Exact, "https", false}}, out->add_headers());
  for (const ir::NamedMatch& parameter : match.query) {
    auto* query = out->add_query_parameters();
    query->set_name(parameter.name);
    if (parameter.match.kind == ir::StringMatch::Kind::Present) {
      query->set_present_match(true);
    } else {
      stringMatcher(parameter.match, query->mutable_string_match());
    }
  }
}

void routeAction(const LegRoute& route, const Mirror* mirror, route_v3::Route& out) {
  const ir::Leg& leg = *route.leg;
  if (leg.policy->redirect) {
    redirectAction(*leg.policy->redirect, out.mutable_redirect());
    return;
  }
  if (route.cluster.empty()) {
    out.mutable_direct_response()->set_status(503);
    return;
  }
  auto* action = out.mutable_route();
  action->set_cluster(route.cluster);
  actionPolicy(*leg.policy, action);
  if (mirror != nullptr) mirrorPolicy(*mirror, action);
  setMillis(leg.timeout_ms, action->mutable_timeout());
  if (leg.idle_timeout_ms) setMillis(*leg.idle_timeout_ms, action->mutable_idle_timeout());
  if (leg.prefix_rewrite) action->set_prefix_rewrite(*leg.prefix_rewrite);
  if (leg.regex_rewrite) {
    auto* rewrite = action->mutable_regex_rewrite();
    rewrite->mutable_pattern()->set_regex(leg.regex_rewrite->pattern);
    rewrite->set_substitution(leg.regex_rewrite->substitution);
  }
  if (!leg.host_rewrite.empty()) action->set_host_rewrite_literal(leg.host_rewrite);
  if (leg.auto_host_rewrite) action->mutable_auto_host_rewrite()->set_value(true);
  for (const std::string& upgrade : leg.upgrades) action->add_upgrade_configs()->set_upgrade_type(upgrade);
}

}  // namespace

bool isAcmeChallenge(const ir::Match& match) { return match.path_kind == ir::PathMatch::Prefix && match.path == kAcmePrefix; }

RoutesResult routes(const ir::Match& match, const std::vector<LegRoute>& legs, const Mirror* mirror, RouteForm form) {
  RoutesResult result;
  route_v3::RouteMatch matcher;
  routeMatch(match, form, &matcher);
  for (size_t i = 0; i < legs.size(); ++i) {
    const LegRoute& leg = legs[i];
    route_v3::Route route;
    route.set_name(leg.leg->mapping.ns + "/" + leg.leg->mapping.name);
    *route.mutable_match() = matcher;
    if (legs.size() > 1 && leg.cumulative < compile::kAllRequests) {
      auto* fraction = route.mutable_match()->mutable_runtime_fraction();
      fraction->mutable_default_value()->set_numerator(leg.cumulative);
      fraction->mutable_default_value()->set_denominator(envoy::type::v3::FractionalPercent::MILLION);
      fraction->set_runtime_key("routing.traffic_shift." + leg.cluster);
    }
    routeAction(leg, mirror, route);
    if (!leg.leg->policy.untouched()) routePolicy(*leg.leg->policy, route);
    Generated generated = checked(route);
    if (!generated.problem.empty()) {
      result.problems.emplace_back(i, std::move(generated.problem));
    } else {
      appendField(route_v3::VirtualHost::kRoutesFieldNumber, generated.bytes, result.bytes);
      ++result.count;
    }
  }
  return result;
}

std::string routeConfiguration(const ir::RouteTable& table, const std::vector<const std::string*>& virtual_hosts) {
  route_v3::RouteConfiguration head;
  head.set_name(table.name);
  head.add_request_headers_to_remove(std::string(kScopeHeader));
  if (table.any_port) head.set_ignore_port_in_host_matching(true);
  if (!table.misdirected.empty()) {
    auto* other = head.add_virtual_hosts();
    other->set_name("misdirected");
    for (const std::string& name : table.misdirected) other->add_domains(name);
    auto* route = other->add_routes();
    route->mutable_match()->set_prefix("/");
    route->mutable_direct_response()->set_status(421);
  }
  std::string bytes = serialize(head);
  size_t size = bytes.size();
  for (const std::string* host : virtual_hosts) size += host->size();
  bytes.reserve(size);
  for (const std::string* host : virtual_hosts) bytes += *host;
  return bytes;
}

std::string scopedRouteConfiguration(const std::string& name, const std::string& listener, const ir::Scope& scope) {
  route_v3::ScopedRouteConfiguration out;
  out.set_name(name);
  out.set_route_configuration_name(scope.table);
  out.mutable_key()->add_fragments()->set_string_key(scopeKey(listener, scope.hostname));
  return serialize(out);
}

}  // namespace emissary::generate
