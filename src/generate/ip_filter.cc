#include <envoy/config/rbac/v3/rbac.pb.h>
#include <envoy/extensions/filters/http/rbac/v3/rbac.pb.h>

#include "generate/http_filters.h"

namespace emissary::generate {
namespace {

void principal(const model::IpRules::Range& range, envoy::config::rbac::v3::Principal* out) {
  auto* cidr = range.peer ? out->mutable_direct_remote_ip() : out->mutable_remote_ip();
  cidr->set_address_prefix(range.address);
  cidr->mutable_prefix_len()->set_value(range.length);
}

}  // namespace

void ipFilter(const model::HttpSettings& http, HttpConnectionManager& out) {
  if (!http.ip_rules) return;
  using envoy::config::rbac::v3::RBAC;
  envoy::extensions::filters::http::rbac::v3::RBAC config;
  config.mutable_rules()->set_action(http.ip_rules->allow ? RBAC::ALLOW : RBAC::DENY);
  auto& policy = (*config.mutable_rules()->mutable_policies())[http.ip_rules->allow ? "ambassador-ip-allow" : "ambassador-ip-deny"];
  policy.add_permissions()->set_any(true);
  const auto& ranges = http.ip_rules->ranges;
  if (ranges.size() == 1) {
    principal(ranges.front(), policy.add_principals());
  } else {
    auto* any = policy.add_principals()->mutable_or_ids();
    for (const model::IpRules::Range& range : ranges) principal(range, any->add_ids());
  }
  addFilter("envoy.filters.http.rbac", config, out);
}

}  // namespace emissary::generate
