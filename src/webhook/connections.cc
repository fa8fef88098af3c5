#include "webhook/connections.h"

#include <sys/socket.h>

namespace emissary::webhook {
namespace {

using namespace std::chrono_literals;

constexpr auto kLook = 500ms;

}  // namespace

Connections::Connections() : thread_([this] { watch(); }) {}

Connections::~Connections() {
  end(0ms);
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

/// Where an SSL keeps whom it belongs to; told when it is freed, which is before its socket is closed.
int Connections::index() {
  static const int kIndex = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, onFree);
  return kIndex;
}

void Connections::follow(SSL_CTX* context, std::chrono::milliseconds handshake) {
  handshake_ = handshake;
  SSL_CTX_set_app_data(context, this);
  SSL_CTX_set_info_callback(context, onInfo);
  index();
}

void Connections::onInfo(const SSL* connection, int where, int) {
  if ((where & SSL_CB_HANDSHAKE_START) == 0) return;
  auto* us = static_cast<Connections*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(connection)));
  if (us != nullptr) us->began(connection);
}

void Connections::onFree(void* parent, void* pointer, CRYPTO_EX_DATA*, int, long, void*) {
  if (pointer != nullptr) static_cast<Connections*>(pointer)->gone(static_cast<const SSL*>(parent));
}

void Connections::began(const SSL* connection) {
  std::lock_guard lock(mutex_);
  // A handshake is told more than once: the tickets after it count as one.
  const bool first = open_.emplace(connection, Open{SSL_get_fd(connection), Clock::now() + handshake_, false}).second;
  if (first) SSL_set_ex_data(const_cast<SSL*>(connection), index(), this);
}

void Connections::gone(const SSL* connection) {
  std::lock_guard lock(mutex_);
  open_.erase(connection);
  wake_.notify_all();
}

void Connections::allow(const SSL* connection, std::chrono::milliseconds time, bool busy) {
  std::lock_guard lock(mutex_);
  const auto found = open_.find(connection);
  if (found == open_.end()) return;
  found->second.until = Clock::now() + time;
  found->second.busy = busy;
  wake_.notify_all();
}

void Connections::end(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  const auto shut = [&](bool all) {
    bool busy = false;
    for (const auto& [connection, open] : open_) {
      if (all || !open.busy) ::shutdown(open.fd, SHUT_RDWR);
      busy |= open.busy;
    }
    return !busy;
  };
  wake_.wait_for(lock, patience, [&] { return shut(false); });
  shut(true);
}

void Connections::watch() {
  std::unique_lock lock(mutex_);
  while (!ended_) {
    wake_.wait_for(lock, kLook, [this] { return ended_; });
    const auto now = Clock::now();
    for (const auto& [connection, open] : open_) {
      if (now >= open.until) ::shutdown(open.fd, SHUT_RDWR);
    }
  }
}

}  // namespace emissary::webhook
