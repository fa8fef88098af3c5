// TLS to an upstream. Certificates come by SDS, so that rotating one moves no cluster.

#include <envoy/config/cluster/v3/cluster.pb.h>

#include "compile/service_text.h"
#include "generate/any.h"
#include "generate/cluster_parts.h"
#include "generate/listener.h"
#include "generate/tls.h"

namespace emissary::generate {
namespace {

namespace tls_v3 = envoy::extensions::transport_sockets::tls::v3;

void verify(const ir::TlsOrigination& tls, tls_v3::CommonTlsContext* out) {
  auto* combined = out->mutable_combined_validation_context();
  sdsSecret(validationName(tls.ca_namespace, tls.ca_name, tls.crl_namespace, tls.crl_name),
            combined->mutable_validation_context_sds_secret_config());
  auto* context = combined->mutable_default_validation_context();
  if (tls.verify_name.empty()) return;
  auto* matcher = context->add_match_typed_subject_alt_names();
  matcher->set_san_type(compile::isIpAddress(tls.verify_name) ? tls_v3::SubjectAltNameMatcher::IP_ADDRESS
                                                              : tls_v3::SubjectAltNameMatcher::DNS);
  matcher->mutable_matcher()->set_exact(tls.verify_name);
}

// Towards upstreams Envoy speaks 1.2 alone unless told otherwise: a bound on one side only would leave no version at all.
model::TlsSettings withBothBounds(model::TlsSettings settings) {
  if (settings.min_version == "v1.3" && settings.max_version.empty()) settings.max_version = settings.min_version;
  if (settings.min_version.empty() && !settings.max_version.empty() && settings.max_version < "v1.2") {
    settings.min_version = settings.max_version;
  }
  return settings;
}

}  // namespace

void clusterTls(const ir::Upstream& upstream, envoy::config::cluster::v3::Cluster& out) {
  if (!upstream.tls) return;
  const ir::TlsOrigination& tls = *upstream.tls;
  tls_v3::UpstreamTlsContext context;
  auto* common = context.mutable_common_tls_context();
  if (!tls.sni.empty()) context.set_sni(tls.sni);
  if (!tls.secret_name.empty()) {
    sdsSecret(certificateName(tls.secret_namespace, tls.secret_name), common->add_tls_certificate_sds_secret_configs());
  }
  if (!tls.ca_name.empty()) verify(tls, common);
  tlsParameters(withBothBounds(tls.settings), common);
  if (upstream.http2 && tls.settings.alpn_protocols.empty()) common->add_alpn_protocols("h2");
  auto* socket = out.mutable_transport_socket();
  socket->set_name("envoy.transport_sockets.tls");
  packAny(context, socket->mutable_typed_config());
}

}  // namespace emissary::generate
