#include <envoy/extensions/filters/http/grpc_http1_bridge/v3/config.pb.h>
#include <envoy/extensions/filters/http/grpc_stats/v3/config.pb.h>
#include <envoy/extensions/filters/http/grpc_web/v3/grpc_web.pb.h>

#include "generate/http_filters.h"

namespace emissary::generate {
namespace {

void stats(const model::GrpcStats& stats, HttpConnectionManager& out) {
  envoy::extensions::filters::http::grpc_stats::v3::FilterConfig config;
  if (stats.services.empty()) {
    config.mutable_stats_for_all_methods()->set_value(stats.all_methods);
  }
  for (const model::GrpcStats::Service& service : stats.services) {
    auto* entry = config.mutable_individual_method_stats_allowlist()->add_services();
    entry->set_name(service.name);
    for (const std::string& method : service.methods) entry->add_method_names(method);
  }
  config.set_enable_upstream_stats(stats.upstream_stats);
  addFilter("envoy.filters.http.grpc_stats", config, out);
}

}  // namespace

void grpcFilters(const model::HttpSettings& http, HttpConnectionManager& out) {
  if (http.grpc_http1_bridge) {
    addFilter("envoy.filters.http.grpc_http1_bridge", envoy::extensions::filters::http::grpc_http1_bridge::v3::Config(), out);
  }
  if (http.grpc_web) addFilter("envoy.filters.http.grpc_web", envoy::extensions::filters::http::grpc_web::v3::GrpcWeb(), out);
  if (http.grpc_stats) stats(*http.grpc_stats, out);
}

}  // namespace emissary::generate
