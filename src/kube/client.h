#pragma once
// Requests to a Kubernetes API server. Every method is called, and every callback comes, on the thread of the client's loop; no
// callback comes from within the call that asked for it. Which server, and as whom, is the client's to know (config.h,
// credentials.h); what paths mean is the caller's.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace emissary::kube {

struct Request {
  std::string method = "GET";
  /// From the root, with its query, escaped: "/api/v1/services?limit=500".
  std::string path;
  std::string body;
  /// Of the body.
  std::string content_type = "application/json";
  /// For the whole answer; of a watch, for the beginning of it.
  std::chrono::milliseconds timeout = std::chrono::seconds(30);
  /// A longer answer is a problem. Does not count for watches.
  size_t max_bytes = 256u << 20;
};

struct Response {
  /// HTTP status; 0: there was no answer, or it broke off, and `problem` says why.
  int status = 0;
  /// Of a watch: only what came with a status other than 200.
  std::string body;
  /// What the server asks to wait (429, 503).
  std::optional<std::chrono::seconds> retry_after;
  std::string problem;

  bool ok() const { return status >= 200 && status < 300; }
  /// One line for people: the server's own message (a Status object's `message`), or what became of the connection.
  std::string text() const;
};

class Client {
 public:
  /// 0 is no call.
  using Call = uint64_t;
  using Done = std::function<void(Response)>;
  using Piece = std::function<void(std::string_view)>;

  virtual ~Client() = default;

  /// One request and its answer. `done` comes once.
  virtual Call send(Request request, Done done) = 0;
  /// An answer that goes on: `piece` for what comes of it, in pieces of any size (only for status 200), then `done` once. Watches
  /// share a connection of their own, so that large answers do not hold them up. The caller notices when one has fallen silent.
  virtual Call watch(Request request, Piece piece, Done done) = 0;
  /// No callback of it comes any more. Nothing happens for a call that has ended, or for 0.
  virtual void cancel(Call call) = 0;
};

/// `text` as it stands in a path or query.
std::string escaped(std::string_view text);

}  // namespace emissary::kube
