#pragma once
// An HTTP server of httplib without TLS whose slow clients hold up nobody. The library waits for each next byte anew, so that who
// sends one from time to time keeps a thread for good; here a request has a time to arrive in, and next to none while others wait.

#include <httplib.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <string>
#include <utility>

#include "base/elastic_pool.h"

namespace emissary {

/// One connection, for one request and its answer.
class UnhurriedStream : public httplib::Stream {
 public:
  UnhurriedStream(int fd, std::function<bool()> crowded) : fd_(fd), crowded_(std::move(crowded)) {}

  bool is_readable() const override { return begin_ < end_ || await(POLLIN); }
  bool is_writable() const override { return await(POLLOUT); }

  ssize_t read(char* to, size_t size) override {
    if (begin_ == end_ && !fill()) return problem_;
    const size_t taken = std::min(size, end_ - begin_);
    std::memcpy(to, buffer_.data() + begin_, taken);
    begin_ += taken;
    return static_cast<ssize_t>(taken);
  }
  ssize_t write(const char* from, size_t size) override {
    return await(POLLOUT) ? ::send(fd_, from, size, MSG_NOSIGNAL | MSG_DONTWAIT) : -1;
  }

  void get_remote_ip_and_port(std::string& ip, int& port) const override { name(::getpeername, ip, port); }
  void get_local_ip_and_port(std::string& ip, int& port) const override { name(::getsockname, ip, port); }
  socket_t socket() const override { return fd_; }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kRequest{10};
  static constexpr std::chrono::seconds kStall{5};
  static constexpr std::chrono::milliseconds kCrowded{100};
  static constexpr int kLookMs = 50;
  static constexpr size_t kMostRead = 512 << 10;

  bool overdue() const {
    const auto age = Clock::now() - begun_;
    return age >= kRequest || (age >= kCrowded && crowded_());
  }

  bool fill() {
    problem_ = -1;
    if (read_ >= kMostRead || overdue() || !await(POLLIN)) return false;
    const ssize_t size = ::recv(fd_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    begin_ = end_ = 0;
    problem_ = std::min<ssize_t>(size, 0);
    if (size <= 0) return false;
    end_ = static_cast<size_t>(size);
    read_ += end_;
    return true;
  }

  bool await(short events) const {
    const auto stalled = Clock::now() + kStall;
    while (true) {
      pollfd one{fd_, events, 0};
      const int ready = ::poll(&one, 1, kLookMs);
      if (ready > 0) return true;
      if (ready < 0 && errno != EINTR) return false;
      const auto now = Clock::now();
      if (now >= stalled || (now - begun_ >= kCrowded && crowded_())) return false;
    }
  }

  template <typename Of>
  void name(Of of, std::string& ip, int& port) const {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    std::array<char, NI_MAXHOST> host{};
    std::array<char, NI_MAXSERV> service{};
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    if (of(fd_, plain, &size) != 0) return;
    if (::getnameinfo(plain, size, host.data(), host.size(), service.data(), service.size(), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
      return;
    ip = host.data();
    port = std::stoi(service.data());
  }

  const int fd_;
  const std::function<bool()> crowded_;
  const Clock::time_point begun_ = Clock::now();
  std::array<char, 4096> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t read_ = 0;
  ssize_t problem_ = -1;
};

class UnhurriedServer : public httplib::Server {
 public:
  /// As ElasticPool has them.
  void setThreads(size_t most, size_t most_waiting = SIZE_MAX) {
    new_task_queue = [=, this] { return pool_ = new ElasticPool(most, most_waiting); };
  }

 private:
  bool process_and_close_socket(socket_t fd) override {
    // The pool outlives its tasks, of which this is one.
    UnhurriedStream stream(fd, [pool = pool_] { return pool->crowded(); });
    bool closed = false;
    const bool done = process_request(stream, true, closed, nullptr);
    ::shutdown(fd, SHUT_RDWR);
    ::close(fd);
    return done;
  }

  ElasticPool* pool_ = nullptr;
};

}  // namespace emissary
