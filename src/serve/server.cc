#include "serve/server.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <thread>
#include <utility>
#include <variant>

#include "base/log.h"
#include "base/queue.h"
#include "serve/delta_stream.h"
#include "serve/grpc_transport.h"

namespace emissary::serve {
namespace {

struct Opened {
  std::shared_ptr<Connection> connection;
};
struct Received {
  uint64_t id;
  Request request;
};
struct Written {
  uint64_t id;
};
struct Closed {
  uint64_t id;
};
using Command = std::variant<Update, Opened, Received, Written, Closed>;

constexpr size_t kPending = 4096;

}  // namespace

class Server::Impl final : public Sink, private StreamEvents {
 public:
  Impl(ServerOptions options, Observer& observer, std::unique_ptr<Transport> transport)
      : options_(std::move(options)), observer_(observer), transport_(std::move(transport)) {}
  ~Impl() override { stop(); }

  bool start(std::string& error) {
    if (!transport_->start(*this, error)) return false;
    thread_ = std::thread([this] { run(); });
    return true;
  }

  void stop() {
    if (!thread_.joinable()) return;
    transport_->stop();
    queue_.close();
    thread_.join();
  }

  // From any thread.
  void publish(Update update) { queue_.push(std::move(update)); }
  void opened(std::shared_ptr<Connection> connection) override { queue_.push(Opened{std::move(connection)}); }
  void received(uint64_t id, Request request) override { queue_.push(Received{id, std::move(request)}); }
  void written(uint64_t id) override { queue_.push(Written{id}); }
  void closed(uint64_t id) override { queue_.push(Closed{id}); }

 private:
  struct Stream {
    std::shared_ptr<Connection> connection;
    DeltaStream delta;
    bool writing = false;
    std::optional<ir::EnvoyBuild> envoy;
    /// What it asks before there is a configuration made for it.
    std::vector<Request> waiting;
  };
  /// A generation that is not announced in full.
  struct Pending {
    uint64_t generation;
    Time published;
    bool sent = false;
  };

  void run() {
    for (;;) {
      std::vector<Command> commands = queue_.takeAll(deadline());
      if (commands.empty() && queue_.closed()) break;
      now_ = std::chrono::steady_clock::now();
      for (Command& command : commands) {
        std::visit([this](auto& c) { handle(c); }, command);
      }
      retryListeners();
      for (auto& [id, stream] : streams_) {
        stream.delta.tick(now_);
        pump(stream);
      }
      report();
    }
    for (auto& [id, stream] : streams_) stream.connection->finish();
    streams_.clear();
  }

  void handle(Update& update) {
    const uint64_t generation = update.generation;
    made_for_ = update.envoy;
    const std::vector<ResourceKey> changed = published_.apply(std::move(update));
    pending_.push_back({generation, now_});
    // With no client for long; a later generation stands for those before it.
    if (pending_.size() > kPending) pending_.pop_front();
    unconfirmed_.push_back(generation);
    if (unconfirmed_.size() > kPending) unconfirmed_.pop_front();
    for (auto& [id, stream] : streams_) {
      stream.delta.changed(changed, now_);
      admit(stream);
    }
  }

  void handle(Opened& opened) {
    const uint64_t id = opened.connection->id();
    auto [it, added] = streams_.try_emplace(id, Stream{opened.connection, DeltaStream(published_, options_.stream, *this, now_)});
    log::info("Envoy connected", {{"streams", std::to_string(streams_.size())}});
    observer_.onStreams(streams_.size());
    it->second.connection->read();
  }

  void handle(Received& received) {
    const auto it = streams_.find(received.id);
    if (it == streams_.end()) return;
    Stream& stream = it->second;
    if (received.request.envoy) {
      stream.envoy = std::exchange(received.request.envoy, std::nullopt);
      compareEnvoys();
    }
    stream.waiting.push_back(std::move(received.request));
    admit(stream);
    stream.connection->read();
  }

  void admit(Stream& stream) {
    if (stream.waiting.empty() || (stream.envoy && !made_for_.serves(*stream.envoy))) return;
    for (const Request& request : std::exchange(stream.waiting, {})) stream.delta.request(request, now_);
  }

  void compareEnvoys() {
    std::vector<ir::EnvoyBuild> all;
    for (const auto& [id, stream] : streams_) {
      if (stream.envoy) all.push_back(*stream.envoy);
    }
    if (all.empty()) return;  // the next is probably the last
    ir::EnvoyBuild now = ir::common(all);
    if (now == envoy_) return;
    envoy_ = std::move(now);
    observer_.onEnvoy(envoy_);
  }

  void handle(Written& written) {
    const auto it = streams_.find(written.id);
    if (it != streams_.end()) it->second.writing = false;
  }

  void handle(Closed& closed) {
    const auto it = streams_.find(closed.id);
    if (it == streams_.end()) return;
    it->second.delta.close();
    it->second.connection->finish();
    streams_.erase(it);
    log::info("Envoy disconnected", {{"streams", std::to_string(streams_.size())}});
    observer_.onStreams(streams_.size());
    compareEnvoys();
  }

  void pump(Stream& stream) {
    if (stream.writing) return;
    std::optional<Response> response = stream.delta.next(now_);
    if (!response) return;
    size_t bytes = 0;
    for (const ResourcePtr& resource : response->resources) bytes += resource->wire.size();
    observer_.onResponse(response->type, response->resources.size(), bytes);
    stream.writing = true;
    stream.connection->write(std::move(*response));
  }

  void retryListeners() {
    if (!published_.anyUnbound()) {
      retry_ = Time::max();
    } else if (retry_ == Time::max()) {
      retry_ = now_ + options_.address_retry;
    } else if (retry_ <= now_) {
      retry_ = now_ + options_.address_retry;
      const std::vector<ResourceKey> keys = published_.pardonUnbound();
      for (auto& [id, stream] : streams_) stream.delta.changed(keys, now_);
    }
  }

  void onNack(Type type) override { observer_.onNack(type); }

  void report() {
    if (published_.takeRefusalsChanged()) observer_.onRefused(published_.refusals());
    std::set<std::string> held;
    for (const auto& [id, stream] : streams_) {
      for (const ResourceKey& key : stream.delta.held()) held.insert(key.name);
    }
    if (held != held_) {
      held_ = std::move(held);
      observer_.onHeld({held_.begin(), held_.end()});
    }
    announce();
  }

  Time boundOf(const Pending& pending, const Stream& stream) const {
    return std::max(pending.published, stream.delta.openedAt()) + options_.answer_bound;
  }

  void announce() {
    if (streams_.empty()) return;
    const Stream& oldest = streams_.begin()->second;
    for (Pending& pending : pending_) {
      if (!pending.sent) {
        const bool all = !oldest.writing && oldest.delta.sent(pending.generation);
        if (!all && boundOf(pending, oldest) > now_) break;
        pending.sent = true;
        observer_.onSent(pending.generation);
      }
    }
    const auto answered = [&](const Pending& pending) {
      return pending.sent && std::all_of(streams_.begin(), streams_.end(), [&](const auto& entry) {
               const Stream& stream = entry.second;
               return (!stream.writing && stream.delta.answered(pending.generation)) || boundOf(pending, stream) <= now_;
             });
    };
    while (!pending_.empty() && answered(pending_.front())) {
      const uint64_t generation = pending_.front().generation;
      pending_.pop_front();
      observer_.onAnswered(generation);
    }
    confirm();
  }

  void confirm() {
    const auto answered = [&](uint64_t generation) {
      return std::all_of(streams_.begin(), streams_.end(),
                         [&](const auto& entry) { return !entry.second.writing && entry.second.delta.answered(generation); });
    };
    uint64_t confirmed = 0;
    for (; !unconfirmed_.empty() && answered(unconfirmed_.front()); unconfirmed_.pop_front()) confirmed = unconfirmed_.front();
    if (confirmed > 0) observer_.onConfirmed(confirmed);
  }

  Time deadline() const {
    Time until = retry_;
    for (const auto& [id, stream] : streams_) {
      until = std::min(until, stream.delta.deadline());
      if (pending_.empty()) continue;
      const Time bound = boundOf(pending_.front(), stream);
      if (bound > now_) until = std::min(until, bound);
    }
    return until;
  }

  const ServerOptions options_;
  Observer& observer_;
  std::unique_ptr<Transport> transport_;
  Queue<Command> queue_;
  std::thread thread_;

  // The serve thread's.
  Time now_{};
  Published published_;
  ir::EnvoyBuild made_for_;  // what is published
  ir::EnvoyBuild envoy_;     // what all clients have
  std::map<uint64_t, Stream> streams_;
  std::deque<Pending> pending_;
  std::deque<uint64_t> unconfirmed_;
  Time retry_ = Time::max();
  std::set<std::string> held_;
};

Server::Server(const ServerOptions& options, Observer& observer) : Server(options, observer, makeGrpcTransport(options.address)) {}
Server::Server(ServerOptions options, Observer& observer, std::unique_ptr<Transport> transport)
    : impl_(std::make_unique<Impl>(std::move(options), observer, std::move(transport))) {}
Server::~Server() = default;

bool Server::start(std::string& error) { return impl_->start(error); }
void Server::publish(Update update) { impl_->publish(std::move(update)); }
void Server::stop() { impl_->stop(); }

}  // namespace emissary::serve
