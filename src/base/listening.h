#pragma once
// The life of an httplib server: bound, listening in a thread, stopped. Owned by one thread.

#include <httplib.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <thread>

namespace emissary {

/// `Server`: httplib's, with or without TLS.
template <typename Server>
class Listening : public Server {
 public:
  using Server::Server;

  /// Port 0 takes a free one. False, with `why`, when the address cannot be bound.
  bool begin(const std::string& host, uint16_t port, std::string& why) {
    // The library's own choice is SO_REUSEPORT, with which two instances would share one port silently.
    this->set_socket_options([](socket_t socket) {
      const int on = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    });
    errno = 0;
    const int bound = port == 0 ? this->bind_to_any_port(host) : this->bind_to_port(host, port) ? port : 0;
    if (bound <= 0) {
      why = errno != 0 ? std::strerror(errno) : "not an address of this machine";
      return false;
    }
    port_ = static_cast<uint16_t>(bound);
    ::listen(this->svr_sock_, 512);  // the library's queue of 5 makes clients wait seconds when many come at once
    thread_ = std::thread([this] {
      this->listen_after_bind();
      ended_ = true;
    });
    return true;
  }

  /// Takes nobody any more; join() waits for those who are being answered.
  void close() {
    if (!thread_.joinable()) return;
    // stop() before the loop runs would be lost.
    while (!this->is_running() && !ended_) std::this_thread::yield();
    Server::stop();
  }
  void join() {
    if (thread_.joinable()) thread_.join();
  }

  /// 0 before it is bound.
  uint16_t port() const { return port_; }

 private:
  std::thread thread_;
  std::atomic<bool> ended_{false};
  uint16_t port_ = 0;
};

}  // namespace emissary
