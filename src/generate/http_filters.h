#pragma once
// The HTTP filters that a Module asks for, one file a kind. Each adds nothing when its setting is off.

#include <envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h>

#include "generate/any.h"
#include "model/module.h"

namespace emissary::generate {

using envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;

inline void addFilter(const std::string& name, const google::protobuf::Message& config, HttpConnectionManager& out) {
  auto* filter = out.add_http_filters();
  filter->set_name(name);
  packAny(config, filter->mutable_typed_config());
}

void grpcFilters(const model::HttpSettings& http, HttpConnectionManager& out);  // http1_bridge, web, stats
void luaFilter(const model::HttpSettings& http, HttpConnectionManager& out);
void gzipFilter(const model::HttpSettings& http, HttpConnectionManager& out);
void bufferFilter(const model::HttpSettings& http, HttpConnectionManager& out);
void ipFilter(const model::HttpSettings& http, HttpConnectionManager& out);

/// The answers that take the place of Envoy's own.
void localReplies(const model::HttpSettings& http, HttpConnectionManager& out);

}  // namespace emissary::generate
