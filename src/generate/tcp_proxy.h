#pragma once
// envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy. Only for .cc files of generate/: pulls in protobuf.

#include <envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.pb.h>

#include "ir/ir.h"

namespace emissary::generate {

envoy::extensions::filters::network::tcp_proxy::v3::TcpProxy tcpProxy(const ir::TcpProxy& proxy);

}  // namespace emissary::generate
