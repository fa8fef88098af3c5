#pragma once
// Delta ADS over gRPC, on a Unix socket or TCP. Its callbacks only parse and pass on; every Start* and Finish is called by
// the serve thread, so nothing here needs a lock.

#include <memory>
#include <string>

#include "serve/transport.h"

namespace emissary::serve {

/// `address`: "unix:/path" (mode 0600) or "HOST:PORT".
std::unique_ptr<Transport> makeGrpcTransport(std::string address);

}  // namespace emissary::serve
