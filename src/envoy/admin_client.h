#pragma once
// Questions to the Envoy beside us: its admin server and its readiness listener. Each call opens a connection of its own and takes
// no longer than its time; any thread may call.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace emissary::envoy {

struct Reply {
  int status = 0;
  std::string body;
};

/// Nothing when there was no whole answer within `time` or it is larger than `max_bytes`.
std::optional<Reply> ask(const std::string& host, uint16_t port, const std::string& method, const std::string& path,
                         std::chrono::milliseconds time, size_t max_bytes = 256u << 20);

/// Connections from clients in Envoy's `/stats?filter=…` text: of all listeners but the admin server's and the readiness
/// listener's.
uint64_t activeConnections(const std::string& stats);
/// The request whose answer activeConnections reads.
inline constexpr const char* kConnectionStats = "/stats?filter=%5Elistener%5C..*%5C.downstream_cx_active%24";

/// Likewise requests that are being answered, WebSockets included.
uint64_t activeRequests(const std::string& stats);
inline constexpr const char* kRequestStats = "/stats?filter=%5Ehttp%5C..*%5C.downstream_rq_active%24";

}  // namespace emissary::envoy
