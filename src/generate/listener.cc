#include "generate/listener.h"

#include <envoy/config/listener/v3/listener.pb.h>
#include <envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol.pb.h>
#include <envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.pb.h>
#include <envoy/extensions/transport_sockets/tls/v3/tls.pb.h>

#include "generate/any.h"
#include "generate/common.h"
#include "generate/http_connection_manager.h"
#include "generate/tcp_proxy.h"
#include "generate/tls.h"

namespace emissary::generate {
namespace {

namespace listener_v3 = envoy::config::listener::v3;
namespace tls_v3 = envoy::extensions::transport_sockets::tls::v3;

void transportSocket(const ir::TlsTermination& tls, listener_v3::FilterChain& out) {
  tls_v3::DownstreamTlsContext context;
  auto* common = context.mutable_common_tls_context();
  sdsSecret(certificateName(tls.secret_namespace, tls.secret_name), common->add_tls_certificate_sds_secret_configs());
  if (!tls.ca_name.empty()) {
    sdsSecret(validationName(tls), common->mutable_validation_context_sds_secret_config());
    if (tls.client_certificate_required) context.mutable_require_client_certificate()->set_value(true);
  }
  tlsParameters(tls.settings, common);
  out.mutable_transport_socket()->set_name("envoy.transport_sockets.tls");
  packAny(context, out.mutable_transport_socket()->mutable_typed_config());
}

void filterChain(const ir::Listener& listener, const ir::FilterChain& chain, const ir::EnvoyBuild& envoy,
                 listener_v3::FilterChain* out) {
  out->set_name(chain.name);
  if (!chain.sni.empty()) {
    out->mutable_filter_chain_match()->set_transport_protocol("tls");
    if (chain.sni != "*") out->mutable_filter_chain_match()->add_server_names(chain.sni);
    if (chain.tls) transportSocket(*chain.tls, *out);
  } else if (listener.tls_inspector && !chain.tcp) {
    // Without it TLS for a name nobody serves would be read as cleartext HTTP.
    out->mutable_filter_chain_match()->set_transport_protocol("raw_buffer");
  }
  auto* filter = out->add_filters();
  if (chain.tcp) {
    filter->set_name("envoy.filters.network.tcp_proxy");
    packAny(tcpProxy(*chain.tcp), filter->mutable_typed_config());
    return;
  }
  filter->set_name("envoy.filters.network.http_connection_manager");
  packAny(httpConnectionManager(listener, chain, envoy), filter->mutable_typed_config());
}

template <typename Config>
void listenerFilter(const std::string& name, const Config& config, listener_v3::Listener& out) {
  auto* filter = out.add_listener_filters();
  filter->set_name(name);
  packAny(config, filter->mutable_typed_config());
}

}  // namespace

std::string certificateName(const std::string& ns, const std::string& name) { return "certificate/" + ns + "/" + name; }
std::string validationName(const std::string& ns, const std::string& name, const std::string& crl_ns, const std::string& crl_name) {
  const std::string ca = "ca/" + ns + "/" + name;
  return crl_name.empty() ? ca : ca + "/crl/" + crl_ns + "/" + crl_name;
}

Generated listener(const ir::Listener& listener, const ir::EnvoyBuild& envoy) {
  listener_v3::Listener out;
  out.set_name(listener.name);
  auto* address = out.mutable_address()->mutable_socket_address();
  address->set_address(listener.address);
  address->set_port_value(listener.port);
  if (const auto& limit = listener.http->buffer_limit_bytes) out.mutable_per_connection_buffer_limit_bytes()->set_value(*limit);
  // The PROXY header comes before TLS on the wire.
  if (listener.proxy_protocol) {
    listenerFilter("envoy.filters.listener.proxy_protocol",
                   envoy::extensions::filters::listener::proxy_protocol::v3::ProxyProtocol(), out);
  }
  if (listener.tls_inspector) {
    listenerFilter("envoy.filters.listener.tls_inspector", envoy::extensions::filters::listener::tls_inspector::v3::TlsInspector(),
                   out);
  }
  for (const ir::FilterChain& chain : listener.chains) filterChain(listener, chain, envoy, out.add_filter_chains());
  return checked(out);
}

}  // namespace emissary::generate
