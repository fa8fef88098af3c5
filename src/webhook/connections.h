#pragma once
// How long a connection may take for what it does now, whatever it does meanwhile: who sends a byte from time to time is cut off
// too. Any thread.

#include <openssl/ssl.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

namespace emissary::webhook {

class Connections {
 public:
  using Clock = std::chrono::steady_clock;

  Connections();
  ~Connections();
  Connections(const Connections&) = delete;

  /// All connections of `context` count, from the first byte of their handshakes, for which they have `handshake`.
  void follow(SSL_CTX* context, std::chrono::milliseconds handshake);
  /// It has so long from now on, and is in the middle of a request or is not. Nothing happens for one that is gone.
  void allow(const SSL* connection, std::chrono::milliseconds time, bool busy);
  /// Cut all off: those in the middle of a request once they are through it, or `patience` is over.
  void end(std::chrono::milliseconds patience);

 private:
  struct Open {
    int fd = -1;
    Clock::time_point until;
    bool busy = false;
  };
  void began(const SSL* connection);
  void gone(const SSL* connection);
  void watch();
  static void onInfo(const SSL* connection, int where, int result);
  static void onFree(void* parent, void* pointer, CRYPTO_EX_DATA* data, int index, long argument, void* more);
  static int index();

  std::chrono::milliseconds handshake_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::map<const SSL*, Open> open_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace emissary::webhook
