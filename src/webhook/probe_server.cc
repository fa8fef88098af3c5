#include <fmt/format.h>

#include "base/listening.h"
#include "base/unhurried_server.h"
#include "webhook/servers.h"

namespace emissary::webhook {
namespace {

constexpr size_t kThreads = 16;

}  // namespace

class ProbeServer::Impl {
 public:
  Impl(settings::Address address, std::function<bool()> ready, const Metrics& metrics)
      : address_(std::move(address)), ready_(std::move(ready)), metrics_(metrics) {
    server_.setThreads(kThreads, kThreads);
    server_.set_payload_max_length(64 << 10);
    server_.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      if (request.path == "/probes/live") {
        response.set_content("Living!\n", "text/plain; charset=utf-8");
      } else if (request.path == "/metrics") {
        response.set_content(metrics_.text(), "text/plain; version=0.0.4; charset=utf-8");
      } else if (request.path != "/probes/ready") {
        response.status = 404;
      } else if (ready_()) {
        response.set_content("Ready!\n", "text/plain; charset=utf-8");
      } else {
        response.status = 500;
      }
      if (response.status == -1) response.status = 200;
      return httplib::Server::HandlerResponse::Handled;
    });
  }

  bool start(std::string& error) {
    std::string why;
    if (server_.begin(address_.host, address_.port, why)) return true;
    error = fmt::format("the address {} cannot be bound: {}; choose another with --probe-address", address_.text(), why);
    return false;
  }
  void stop() {
    server_.close();
    server_.join();
  }
  uint16_t port() const { return server_.port(); }

 private:
  const settings::Address address_;
  const std::function<bool()> ready_;
  const Metrics& metrics_;
  Listening<UnhurriedServer> server_;
};

ProbeServer::ProbeServer(settings::Address address, std::function<bool()> ready, const Metrics& metrics)
    : impl_(std::make_unique<Impl>(std::move(address), std::move(ready), metrics)) {}
ProbeServer::~ProbeServer() { impl_->stop(); }
bool ProbeServer::start(std::string& error) { return impl_->start(error); }
void ProbeServer::stop() { impl_->stop(); }
uint16_t ProbeServer::port() const { return impl_->port(); }

}  // namespace emissary::webhook
