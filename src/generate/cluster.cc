#include "generate/cluster.h"

#include <envoy/config/cluster/v3/cluster.pb.h>
#include <envoy/config/endpoint/v3/endpoint.pb.h>
#include <envoy/extensions/transport_sockets/tls/v3/tls.pb.h>
#include <envoy/extensions/upstreams/http/v3/http_protocol_options.pb.h>

#include "generate/any.h"
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

void tls(const ir::Upstream& upstream, cluster_v3::Cluster& out) {
  envoy::extensions::transport_sockets::tls::v3::UpstreamTlsContext context;
  if (!upstream.tls->sni.empty()) context.set_sni(upstream.tls->sni);
  if (upstream.http2) context.mutable_common_tls_context()->add_alpn_protocols("h2");
  auto* socket = out.mutable_transport_socket();
  socket->set_name("envoy.transport_sockets.tls");
  packAny(context, socket->mutable_typed_config());
}

void http2(cluster_v3::Cluster& out) {
  envoy::extensions::upstreams::http::v3::HttpProtocolOptions options;
  options.mutable_explicit_http_config()->mutable_http2_protocol_options();
  auto& any = (*out.mutable_typed_extension_protocol_options())["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"];
  packAny(options, &any);
}

}  // namespace

Generated cluster(const std::string& name, const ir::Upstream& upstream, const ir::Discovery& discovery) {
  cluster_v3::Cluster out;
  out.set_name(name);
  out.set_alt_stat_name(upstream.stat_name);
  setMillis(upstream.connect_timeout_ms, out.mutable_connect_timeout());
  switch (discovery.kind) {
    case ir::Discovery::Kind::Endpoints: {
      out.set_type(cluster_v3::Cluster::EDS);
      auto* eds = out.mutable_eds_cluster_config();
      eds->set_service_name(discovery.assignment);
      adsSource(eds->mutable_eds_config());
      break;
    }
    case ir::Discovery::Kind::Address:
    case ir::Discovery::Kind::Dns: {
      const bool dns = discovery.kind == ir::Discovery::Kind::Dns;
      out.set_type(dns ? cluster_v3::Cluster::STRICT_DNS : cluster_v3::Cluster::STATIC);
      if (dns) {
        out.set_dns_lookup_family(cluster_v3::Cluster::V4_ONLY);
        // A name that does not resolve would otherwise hold up the answer to every other cluster.
        out.mutable_wait_for_warm_on_init()->set_value(false);
      }
      auto* assignment = out.mutable_load_assignment();
      assignment->set_cluster_name(name);
      addEndpoint(assignment->add_endpoints(), upstream.host, upstream.port);
      break;
    }
  }
  if (upstream.tls) tls(upstream, out);
  if (upstream.http2) http2(out);
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
