#pragma once
// The life of an httplib server: bound, listening in a thread, stopped. Internal to this folder.

#include <fmt/format.h>
#include <httplib.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>
#include <thread>

#include "settings/settings.h"

namespace emissary::webhook {

/// `Server`: httplib's, with or without TLS.
template <typename Server>
class Listening : public Server {
 public:
  using Server::Server;

  bool begin(const settings::Address& address, const char* flag, std::string& error) {
    // The library's own choice is SO_REUSEPORT, with which two instances would share one port silently.
    this->set_socket_options([](socket_t socket) {
      const int on = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    });
    errno = 0;
    if (address.port == 0) {
      const int any = this->bind_to_any_port(address.host);
      port_ = any > 0 ? static_cast<uint16_t>(any) : 0;
    } else if (this->bind_to_port(address.host, address.port)) {
      port_ = address.port;
    }
    if (port_ == 0) {
      error = fmt::format("the address {} cannot be bound: {}; choose another with {}", address.text(),
                          errno ? std::strerror(errno) : "not an address of this machine", flag);
      return false;
    }
    ::listen(this->svr_sock_, 512);  // the library's queue of 5 makes clients wait seconds when many come at once
    thread_ = std::thread([this] {
      this->listen_after_bind();
      ended_ = true;
    });
    return true;
  }

  void close() {
    if (!thread_.joinable()) return;
    // stop() before the loop runs would be lost.
    while (!this->is_running() && !ended_) std::this_thread::yield();
    Server::stop();
  }
  void join() {
    if (thread_.joinable()) thread_.join();
  }

  uint16_t port() const { return port_; }

 private:
  std::thread thread_;
  std::atomic<bool> ended_{false};
  uint16_t port_ = 0;
};

}  // namespace emissary::webhook
