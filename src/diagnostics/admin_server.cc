#include "diagnostics/admin_server.h"

#include <fmt/format.h>
#include <httplib.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <thread>

#include "base/elastic_pool.h"

namespace emissary::diagnostics {
namespace {

class HttpServer : public httplib::Server {
 public:
  /// The library's queue of 5 makes clients wait seconds when many come at once.
  void widenQueue() { ::listen(svr_sock_, 512); }
};

bool isLoopback(const std::string& address) {
  return address.starts_with("127.") || address.starts_with("::ffff:127.") || address == "::1";
}

void answer(httplib::Response& response, int status, const std::string& text) {
  response.status = status;
  response.set_content(text, "text/plain; charset=utf-8");
  response.set_header("Cache-Control", "no-store");
}

}  // namespace

class AdminServer::Impl {
 public:
  Impl(settings::Address address, AdminHooks hooks) : address_(std::move(address)), hooks_(std::move(hooks)) {
    server_.new_task_queue = [] { return new ElasticPool(kThreads); };
    server_.set_keep_alive_max_count(1);  // an idle kept-alive connection would hold a thread
    server_.set_read_timeout(5);
    server_.set_write_timeout(5);
    server_.set_payload_max_length(64 << 10);
    // The library's own choice is SO_REUSEPORT, with which two instances would share one port silently.
    server_.set_socket_options([](socket_t socket) {
      const int on = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    });
    // Before any body is read and instead of the library's matching by std::regex, whose stack grows with the path.
    server_.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      route(request, response);
      return httplib::Server::HandlerResponse::Handled;
    });
  }

  bool start(std::string& error) {
    errno = 0;
    port_ = address_.port;
    const bool bound = address_.port == 0 ? (port_ = bindAny()) != 0 : server_.bind_to_port(address_.host, address_.port);
    if (!bound) {
      error = fmt::format(
          "the admin address {} cannot be bound: {}; choose another with --admin-address or AMBASSADOR_HEALTHCHECK_BIND_PORT",
          address_.text(), errno ? std::strerror(errno) : "not an address of this machine");
      return false;
    }
    server_.widenQueue();
    thread_ = std::thread([this] {
      server_.listen_after_bind();
      ended_ = true;
    });
    return true;
  }

  void stop() {
    if (!thread_.joinable()) return;
    // stop() before the loop runs would be lost.
    while (!server_.is_running() && !ended_) std::this_thread::yield();
    server_.stop();
    thread_.join();
  }

  uint16_t port() const { return port_; }

 private:
  uint16_t bindAny() {
    const int port = server_.bind_to_any_port(address_.host);
    return port > 0 ? static_cast<uint16_t>(port) : 0;
  }

  void route(const httplib::Request& request, httplib::Response& response) const {
    const std::string& path = request.path;
    if (path == "/ambassador/v0/check_alive") {
      const bool alive = hooks_.alive();
      return answer(response, alive ? 200 : 503, alive ? "Ambassador is alive and well\n" : "Ambassador is not alive");
    }
    if (path == "/ambassador/v0/check_ready") {
      const bool ready = hooks_.ready();
      return answer(response, ready ? 200 : 503, ready ? "Ambassador is ready and waiting\n" : "Ambassador is not ready");
    }
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (path == "/metrics") {
      if (!reads) return answer(response, 405, "Method not allowed\n");
      response.status = 200;
      response.set_content(hooks_.metrics(), "text/plain; version=0.0.4; charset=utf-8");
      return;
    }
    if (!hooks_.diagnostics) return answer(response, 404, "Not found\n");
    const Reply reply = hooks_.diagnostics(questionOf(request));
    response.status = reply.status;
    response.set_content(reply.body, reply.type.c_str());
    response.set_header("Cache-Control", "no-store");
    response.set_header("X-Content-Type-Options", "nosniff");
    response.set_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src * data:");
    if (!reply.location.empty()) response.set_header("Location", reply.location);
  }

  static Request questionOf(const httplib::Request& request) {
    Request out;
    out.method = request.method;
    out.path = request.path;
    for (const auto& [name, value] : request.params) out.parameters.emplace(name, value);
    // The socket's peer and no header: those anybody can write.
    out.local = isLoopback(request.remote_addr);
    out.scheme = request.get_header_value("X-Forwarded-Proto");
    out.host = request.get_header_value("Host");
    return out;
  }

  const settings::Address address_;
  const AdminHooks hooks_;
  HttpServer server_;
  std::thread thread_;
  std::atomic<bool> ended_{false};
  uint16_t port_ = 0;
};

AdminServer::AdminServer(settings::Address address, AdminHooks hooks)
    : impl_(std::make_unique<Impl>(std::move(address), std::move(hooks))) {}
AdminServer::~AdminServer() { impl_->stop(); }
bool AdminServer::start(std::string& error) { return impl_->start(error); }
uint16_t AdminServer::port() const { return impl_->port(); }
void AdminServer::stop() { impl_->stop(); }

}  // namespace emissary::diagnostics
