#include "diagnostics/admin_server.h"

#include <fmt/format.h>

#include "base/listening.h"
#include "base/unhurried_server.h"

namespace emissary::diagnostics {
namespace {

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
    server_.setThreads(kThreads);
    server_.set_payload_max_length(64 << 10);
    // Before any body is read and instead of the library's matching by std::regex, whose stack grows with the path.
    server_.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      route(request, response);
      return httplib::Server::HandlerResponse::Handled;
    });
  }

  bool start(std::string& error) {
    std::string why;
    if (server_.begin(address_.host, address_.port, why)) return true;
    error = fmt::format(
        "the admin address {} cannot be bound: {}; choose another with --admin-address or AMBASSADOR_HEALTHCHECK_BIND_PORT",
        address_.text(), why);
    return false;
  }

  void stop() {
    server_.close();
    server_.join();
  }

  uint16_t port() const { return server_.port(); }

 private:
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
  Listening<UnhurriedServer> server_;
};

AdminServer::AdminServer(settings::Address address, AdminHooks hooks)
    : impl_(std::make_unique<Impl>(std::move(address), std::move(hooks))) {}
AdminServer::~AdminServer() { impl_->stop(); }
bool AdminServer::start(std::string& error) { return impl_->start(error); }
uint16_t AdminServer::port() const { return impl_->port(); }
void AdminServer::stop() { impl_->stop(); }

}  // namespace emissary::diagnostics
