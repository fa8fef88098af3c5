#pragma once
// envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager of one filter chain.

#include <envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h>

#include "ir/envoy_build.h"
#include "ir/ir.h"

namespace emissary::generate {

envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager httpConnectionManager(
    const ir::Listener& listener, const ir::FilterChain& chain, const ir::EnvoyBuild& envoy);

}  // namespace emissary::generate
