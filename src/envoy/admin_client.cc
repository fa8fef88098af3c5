#include "envoy/admin_client.h"

#include <httplib.h>

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <sstream>

namespace emissary::envoy {

std::optional<Reply> ask(const std::string& host, uint16_t port, const std::string& method, const std::string& path,
                         std::chrono::milliseconds time, size_t max_bytes) {
  const auto deadline = std::chrono::steady_clock::now() + time;
  httplib::Client client(host, port);
  client.set_connection_timeout(time);
  client.set_read_timeout(time);
  client.set_write_timeout(time);
  Reply reply;
  httplib::Request request;
  request.method = method;
  request.path = path;
  // The time-outs above hold for one read each; this one for all of them.
  request.content_receiver = [&](const char* data, size_t size, uint64_t, uint64_t) {
    if (reply.body.size() + size > max_bytes || std::chrono::steady_clock::now() > deadline) return false;
    reply.body.append(data, size);
    return true;
  };
  const httplib::Result result = client.send(request);
  if (!result) return std::nullopt;
  reply.status = result->status;
  return reply;
}

namespace {

// The sum of the gauges whose names begin with `head`, less those that begin with one of `ours`.
uint64_t sum(const std::string& stats, std::string_view head, std::initializer_list<std::string_view> ours) {
  uint64_t total = 0;
  std::istringstream lines(stats);
  for (std::string line; std::getline(lines, line);) {
    const size_t colon = line.rfind(": ");
    if (colon == std::string::npos || !line.starts_with(head)) continue;
    const std::string_view name = std::string_view(line).substr(0, colon);
    // A worker's share is in its listener's number already.
    if (name.find(".worker_") != name.npos) continue;
    if (std::any_of(ours.begin(), ours.end(), [&](std::string_view own) { return name.starts_with(own); })) continue;
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(line.data() + colon + 2, line.data() + line.size(), value);
    if (error == std::errc()) total += value;
  }
  return total;
}

}  // namespace

uint64_t activeConnections(const std::string& stats) {
  return sum(stats, "listener.", {"listener.admin.", "listener.ambassador-ready."});
}

uint64_t activeRequests(const std::string& stats) { return sum(stats, "http.", {"http.admin.", "http.ready_http."}); }

}  // namespace emissary::envoy
