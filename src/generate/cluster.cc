#include "generate/cluster.h"

#include <envoy/config/cluster/v3/cluster.pb.h>
#include <envoy/config/endpoint/v3/endpoint.pb.h>
#include <envoy/extensions/clusters/dns/v3/dns_cluster.pb.h>

#include "generate/any.h"
#include "generate/cluster_parts.h"
#include "generate/common.h"

namespace emissary::generate {
namespace {

namespace cluster_v3 = envoy::config::cluster::v3;
namespace endpoint_v3 = envoy::config::endpoint::v3;

void addEndpoint(endpoint_v3::LocalityLbEndpoints* locality, const std::string& host, uint16_t port) {
  auto* address = locality->add_lb_endpoints()->mutable_endpoint()->mutable_address()->mutable_socket_address();
  address->set_address(host);
  address->set_port_value(port);
  address->set_ipv4_compat(host.find(':') != std::string::npos);
}

cluster_v3::Cluster::DnsLookupFamily lookupFamily(const ir::UpstreamPolicy& policy) {
  if (!policy.ipv6) return cluster_v3::Cluster::V4_ONLY;
  return policy.ipv4 ? cluster_v3::Cluster::AUTO : cluster_v3::Cluster::V6_ONLY;
}

// The only form that knows times to live without a deprecated field; a build may lack it.
void dnsByTtl(const ir::UpstreamPolicy& policy, cluster_v3::Cluster& out) {
  envoy::extensions::clusters::dns::v3::DnsCluster dns;
  namespace common = envoy::extensions::clusters::common::dns::v3;
  dns.set_respect_dns_ttl(true);
  dns.set_dns_lookup_family(!policy.ipv6 ? common::V4_ONLY : policy.ipv4 ? common::AUTO : common::V6_ONLY);
  dns.set_all_addresses_in_single_endpoint(policy.logical_dns);
  out.mutable_cluster_type()->set_name("envoy.cluster.dns");
  packAny(dns, out.mutable_cluster_type()->mutable_typed_config());
}

void dns(const ir::UpstreamPolicy& policy, cluster_v3::Cluster& out) {
  if (policy.respect_dns_ttl) {
    dnsByTtl(policy, out);
  } else {
    out.set_type(policy.logical_dns ? cluster_v3::Cluster::LOGICAL_DNS : cluster_v3::Cluster::STRICT_DNS);
    out.set_dns_lookup_family(lookupFamily(policy));
  }
  // A name that does not resolve would otherwise hold up the answer to every other cluster.
  out.mutable_wait_for_warm_on_init()->set_value(false);
}

cluster_v3::Cluster::LbPolicy balancing(const std::optional<model::LoadBalancer>& balancer) {
  using Policy = model::LoadBalancer::Policy;
  switch (balancer ? balancer->policy : Policy::RoundRobin) {
    case Policy::RoundRobin: break;
    case Policy::LeastRequest: return cluster_v3::Cluster::LEAST_REQUEST;
    case Policy::RingHash: return cluster_v3::Cluster::RING_HASH;
    case Policy::Maglev: return cluster_v3::Cluster::MAGLEV;
  }
  return cluster_v3::Cluster::ROUND_ROBIN;
}

void discovery(const std::string& name, const ir::Upstream& upstream, const ir::Discovery& discovery, cluster_v3::Cluster& out) {
  if (discovery.kind == ir::Discovery::Kind::Endpoints) {
    out.set_type(cluster_v3::Cluster::EDS);
    auto* eds = out.mutable_eds_cluster_config();
    eds->set_service_name(discovery.assignment);
    adsSource(eds->mutable_eds_config());
    return;
  }
  if (discovery.kind == ir::Discovery::Kind::Dns) {
    dns(*upstream.policy, out);
  } else {
    out.set_type(cluster_v3::Cluster::STATIC);
  }
  auto* assignment = out.mutable_load_assignment();
  assignment->set_cluster_name(name);
  addEndpoint(assignment->add_endpoints(), discovery.host.empty() ? upstream.host : discovery.host, upstream.port);
}

}  // namespace

Generated cluster(const std::string& name, const ir::Upstream& upstream, const ir::Discovery& found) {
  cluster_v3::Cluster out;
  out.set_name(name);
  out.set_alt_stat_name(upstream.stat_name);
  out.set_lb_policy(balancing(upstream.policy->load_balancer));
  discovery(name, upstream, found, out);
  clusterConnections(upstream, out);
  clusterTls(upstream, out);
  clusterHealth(upstream, out);
  return checked(out);
}

Generated clusterLoadAssignment(const std::string& name, const std::vector<compile::Address>& addresses) {
  endpoint_v3::ClusterLoadAssignment out;
  out.set_cluster_name(name);
  if (!addresses.empty()) {
    auto* locality = out.add_endpoints();
    for (const compile::Address& address : addresses) addEndpoint(locality, address.ip, address.port);
  }
  return checked(out);
}

}  // namespace emissary::generate
