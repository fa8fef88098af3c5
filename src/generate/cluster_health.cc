// Which endpoints of a cluster are fit: health checks and outlier detection.

#include <envoy/config/cluster/v3/cluster.pb.h>
#include <envoy/config/core/v3/health_check.pb.h>

#include <algorithm>
#include <string>

#include "generate/cluster_parts.h"
#include "generate/common.h"

namespace emissary::generate {
namespace {

namespace cluster_v3 = envoy::config::cluster::v3;
namespace core_v3 = envoy::config::core::v3;

void httpCheck(const model::HealthCheck& check, bool http2, core_v3::HealthCheck::HttpHealthCheck* out) {
  out->set_path(check.path);
  if (!check.hostname.empty()) out->set_host(check.hostname);
  if (http2) out->set_codec_client_type(envoy::type::v3::HTTP2);
  for (const model::HeaderValue& header : check.add_request_headers) {
    auto* added = out->add_request_headers_to_add();
    added->mutable_header()->set_key(header.name);
    added->mutable_header()->set_value(header.value);
    added->set_append_action(header.append ? core_v3::HeaderValueOption::APPEND_IF_EXISTS_OR_ADD
                                           : core_v3::HeaderValueOption::OVERWRITE_IF_EXISTS_OR_ADD);
  }
  for (const std::string& name : check.remove_request_headers) out->add_request_headers_to_remove(name);
  for (const model::HealthCheck::StatusRange& range : check.expected_statuses) {
    auto* statuses = out->add_expected_statuses();
    statuses->set_start(range.min);
    statuses->set_end(range.max + 1);  // half-open
  }
}

void healthCheck(const model::HealthCheck& check, bool http2, core_v3::HealthCheck* out) {
  setMillis(check.timeout_ms, out->mutable_timeout());
  setMillis(check.interval_ms, out->mutable_interval());
  // Else endpoints that get no requests would be asked once a minute only.
  setMillis(check.interval_ms, out->mutable_no_traffic_interval());
  out->mutable_healthy_threshold()->set_value(check.healthy_threshold);
  out->mutable_unhealthy_threshold()->set_value(check.unhealthy_threshold);
  if (check.grpc) {
    auto* grpc = out->mutable_grpc_health_check();
    if (!check.grpc_name.empty()) grpc->set_service_name(check.grpc_name);
    if (!check.hostname.empty()) grpc->set_authority(check.hostname);
  } else {
    httpCheck(check, http2, out->mutable_http_health_check());
  }
}

void outlierDetection(const model::OutlierDetection& outliers, cluster_v3::OutlierDetection* out) {
  constexpr int64_t kMaxEjectionMs = 300'000;  // Envoy's default
  if (outliers.consecutive_5xx) out->mutable_consecutive_5xx()->set_value(*outliers.consecutive_5xx);
  if (outliers.consecutive_gateway_failure) {
    out->mutable_consecutive_gateway_failure()->set_value(*outliers.consecutive_gateway_failure);
    out->mutable_enforcing_consecutive_gateway_failure()->set_value(100);  // Envoy only counts them otherwise
  }
  if (outliers.consecutive_local_origin_failure) {
    out->mutable_consecutive_local_origin_failure()->set_value(*outliers.consecutive_local_origin_failure);
  }
  if (outliers.interval_ms) setMillis(*outliers.interval_ms, out->mutable_interval());
  if (outliers.base_ejection_time_ms) setMillis(*outliers.base_ejection_time_ms, out->mutable_base_ejection_time());
  const int64_t longest = std::max(kMaxEjectionMs, outliers.base_ejection_time_ms.value_or(0));
  if (outliers.max_ejection_time_ms || longest > kMaxEjectionMs) {
    setMillis(outliers.max_ejection_time_ms.value_or(longest), out->mutable_max_ejection_time());
  }
  if (outliers.max_ejection_percent) out->mutable_max_ejection_percent()->set_value(*outliers.max_ejection_percent);
  out->set_split_external_local_origin_errors(outliers.split_external_local_origin_errors);
}

}  // namespace

void clusterHealth(const ir::Upstream& upstream, cluster_v3::Cluster& out) {
  const ir::UpstreamPolicy& policy = *upstream.policy;
  for (const model::HealthCheck& check : policy.health_checks) healthCheck(check, upstream.http2, out.add_health_checks());
  // Envoy refuses several checks, since 1.40, unless each has a name of its own.
  for (int i = 0; out.health_checks_size() > 1 && i < out.health_checks_size(); ++i) {
    out.mutable_health_checks(i)->set_name(std::to_string(i));
  }
  // An endpoint that Kubernetes took away is gone, however healthy it still looks.
  if (!policy.health_checks.empty()) out.set_ignore_health_on_host_removal(true);
  if (policy.outlier_detection) outlierDetection(*policy.outlier_detection, out.mutable_outlier_detection());
}

}  // namespace emissary::generate
