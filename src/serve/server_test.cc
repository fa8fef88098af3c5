// The Server with its thread, over a transport in memory: what clients and the observer see.

#include "serve/server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "serve/scripted_client.h"

namespace emissary::serve::testing {
namespace {

using namespace std::chrono_literals;

/// Far beyond what anything here takes, on any machine.
constexpr auto kPatience = 60s;

/// State that several threads look at, and a way to wait for it.
class Watched {
 public:
  template <typename F>
  auto with(F f) {
    std::lock_guard lock(mutex_);
    changed_.notify_all();
    return f();
  }
  bool await(const std::function<bool()>& condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, condition);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

/// A client's end of a stream.
class Peer final : public Connection, public std::enable_shared_from_this<Peer> {
 public:
  Peer(Sink& sink, Watched& watched) : sink_(sink), watched_(watched) {}

  // The serve thread.
  void read() override {
    watched_.with([this] { ++reads_; });
    deliver();
  }
  void write(Response response) override {
    bool answering = false;
    const bool reading = watched_.with([&] {
      EXPECT_FALSE(writing_) << "one write at a time";
      received_.push_back(response);
      // As it was when the test could first see the response.
      answering = answers_;
      writing_ = !reads_responses_;
      return reads_responses_;
    });
    if (reading) sink_.written(id());
    if (answering) request({.type = response.type, .nonce = response.nonce});
  }
  void finish() override {
    watched_.with([this] {
      EXPECT_FALSE(finished_);
      finished_ = true;
    });
  }

  // The test.
  void request(Request request) {
    watched_.with([&] { requests_.push_back(std::move(request)); });
    deliver();
  }
  void stopReading() {
    watched_.with([this] { reads_responses_ = false; });
  }
  void resumeReading() {
    const bool owed = watched_.with([this] {
      reads_responses_ = true;
      return std::exchange(writing_, false);
    });
    if (owed) sink_.written(id());
  }
  void close() { sink_.closed(id()); }
  bool awaitResponses(size_t count) {
    return watched_.await([&] { return received_.size() >= count; });
  }
  std::vector<Response> received() {
    return watched_.with([this] { return received_; });
  }
  bool awaitFinished() {
    return watched_.await([this] { return finished_; });
  }
  std::atomic<bool> answers_ = true;

 private:
  void deliver() {
    std::optional<Request> next;
    watched_.with([&] {
      if (reads_ == 0 || requests_.empty()) return;
      --reads_;
      next = std::move(requests_.front());
      requests_.erase(requests_.begin());
    });
    if (next) sink_.received(id(), std::move(*next));
  }

  Sink& sink_;
  Watched& watched_;
  std::vector<Request> requests_;
  std::vector<Response> received_;
  int reads_ = 0;
  bool reads_responses_ = true;
  bool writing_ = false;
  bool finished_ = false;
};

class MemoryTransport final : public Transport {
 public:
  explicit MemoryTransport(Watched& watched) : watched_(watched) {}
  bool start(Sink& sink, std::string&) override {
    sink_ = &sink;
    return true;
  }
  void stop() override {
    for (const auto& peer : peers_) peer->close();
    for (const auto& peer : peers_) peer->awaitFinished();
  }
  std::shared_ptr<Peer> connect() {
    auto peer = std::make_shared<Peer>(*sink_, watched_);
    peers_.push_back(peer);
    sink_->opened(peer);
    return peer;
  }

 private:
  Watched& watched_;
  Sink* sink_ = nullptr;
  std::vector<std::shared_ptr<Peer>> peers_;
};

struct Recorder final : Observer {
  explicit Recorder(Watched& w) : watched(w) {}
  void onSent(uint64_t generation) override {
    watched.with([&] { sent.push_back(generation); });
  }
  void onAnswered(uint64_t generation) override {
    watched.with([&] { answered.push_back(generation); });
  }
  void onConfirmed(uint64_t generation) override {
    watched.with([&] { confirmed = generation; });
  }
  void onRefused(const std::vector<Refusal>& all) override {
    watched.with([&] { refused = all; });
  }
  void onResponse(Type, size_t resources, size_t bytes) override {
    watched.with([&] { total += resources, total_bytes += bytes; });
  }
  void onNack(Type) override {
    watched.with([&] { ++nacks; });
  }
  void onStreams(size_t connected) override {
    watched.with([&] { streams = connected; });
  }
  void onHeld(const std::vector<std::string>& names) override {
    watched.with([&] { held = names; });
  }
  void onEnvoy(const ir::EnvoyBuild& all) override {
    watched.with([&] { envoys.push_back(all); });
  }

  Watched& watched;
  std::vector<uint64_t> sent, answered;
  uint64_t confirmed = 0;
  std::vector<Refusal> refused;
  size_t total = 0, total_bytes = 0, nacks = 0, streams = 0;
  std::vector<std::string> held;
  std::vector<ir::EnvoyBuild> envoys;
};

struct ServerTest : ::testing::Test {
  Watched watched;
  Recorder recorder{watched};
  ServerOptions options;
  MemoryTransport* transport = nullptr;
  std::unique_ptr<Server> server;
  uint64_t generation = 0;

  void start() {
    auto owned = std::make_unique<MemoryTransport>(watched);
    transport = owned.get();
    server = std::make_unique<Server>(options, recorder, std::move(owned));
    std::string error;
    ASSERT_TRUE(server->start(error)) << error;
  }
  void publish(std::vector<ResourcePtr> upserts, std::vector<ResourceKey> removals = {}, const ir::EnvoyBuild& made_for = {}) {
    server->publish({++generation, std::move(upserts), std::move(removals), std::chrono::steady_clock::now(), made_for});
  }
  bool awaitAnswered(uint64_t wanted) {
    return watched.await([&] { return !recorder.answered.empty() && recorder.answered.back() >= wanted; });
  }
  std::shared_ptr<Peer> connectAll() {
    auto peer = transport->connect();
    peer->request({.type = Type::Cluster});
    peer->request({.type = Type::Listener});
    return peer;
  }
};

TEST_F(ServerTest, AGenerationIsSentAndAnswered) {
  start();
  publish({cluster("a"), other(Type::Listener, "l")});
  auto peer = connectAll();
  ASSERT_TRUE(awaitAnswered(1));
  EXPECT_EQ(show(peer->received()), "cluster +a; listener +l");
  publish({cluster("b")});
  ASSERT_TRUE(awaitAnswered(2));
  watched.with([&] {
    EXPECT_EQ(recorder.sent, (std::vector<uint64_t>{1, 2}));
    EXPECT_EQ(recorder.answered, (std::vector<uint64_t>{1, 2}));
    EXPECT_EQ(recorder.total, 3u);
    EXPECT_GT(recorder.total_bytes, 100u);
    EXPECT_EQ(recorder.streams, 1u);
  });
}

TEST_F(ServerTest, NothingIsAnnouncedBeforeTheClientAskedForAll) {
  start();
  publish({cluster("a"), other(Type::Listener, "l")});
  auto peer = transport->connect();
  peer->request({.type = Type::Cluster});
  ASSERT_TRUE(peer->awaitResponses(1));
  publish({cluster("b")});
  ASSERT_TRUE(peer->awaitResponses(2));
  watched.with([&] { EXPECT_TRUE(recorder.answered.empty()); });
  peer->request({.type = Type::Listener});
  EXPECT_TRUE(awaitAnswered(2));
}

TEST_F(ServerTest, AnEnvoyThatLacksSomethingGetsWhatIsMadeForIt) {
  const ir::EnvoyBuild reduced{"1.37.0", 1};
  start();
  publish({cluster("all"), other(Type::Listener, "l")});
  auto peer = transport->connect();
  peer->request({.type = Type::Cluster, .envoy = reduced});
  peer->request({.type = Type::Listener});
  ASSERT_TRUE(watched.await([&] { return recorder.envoys == std::vector{reduced}; }));
  auto complete = connectAll();  // needs not wait
  ASSERT_TRUE(complete->awaitResponses(2));
  EXPECT_EQ(show(peer->received()), "");
  publish({cluster("less")}, {{Type::Cluster, "all"}}, reduced);
  ASSERT_TRUE(awaitAnswered(2));
  EXPECT_EQ(show(peer->received()), "cluster +less; listener +l");
}

TEST_F(ServerTest, WhatAllEnvoysHaveFollowsThem) {
  const ir::EnvoyBuild one{"1.37.0", 1}, other{"1.38.0", 2};
  start();
  publish({}, {}, {});
  auto first = transport->connect();
  first->request({.type = Type::Cluster, .envoy = one});
  auto second = transport->connect();
  second->request({.type = Type::Cluster, .envoy = other});
  second->request({.type = Type::Cluster, .envoy = std::nullopt});
  ASSERT_TRUE(watched.await([&] { return recorder.envoys.size() == 2; }));
  second->close();
  ASSERT_TRUE(second->awaitFinished());
  ASSERT_TRUE(watched.await([&] { return recorder.envoys.size() == 3; }));
  first->close();
  ASSERT_TRUE(first->awaitFinished());  // nobody is left: it will be back
  auto again = transport->connect();
  again->request({.type = Type::Cluster, .envoy = ir::EnvoyBuild()});
  ASSERT_TRUE(watched.await([&] { return recorder.envoys.size() == 4; }));
  const std::vector<ir::EnvoyBuild> expected = {one, {"1.37.0, 1.38.0", 3}, one, {}};
  watched.with([&] { EXPECT_EQ(recorder.envoys, expected); });
}

TEST_F(ServerTest, AGenerationIsAnsweredWhenAllClientsAnswered) {
  start();
  publish({cluster("a"), other(Type::Listener, "l")});
  auto first = connectAll();
  ASSERT_TRUE(awaitAnswered(1));
  auto second = connectAll();
  ASSERT_TRUE(second->awaitResponses(2));
  second->answers_ = false;
  publish({cluster("a", "2")});
  ASSERT_TRUE(second->awaitResponses(3));
  ASSERT_TRUE(first->awaitResponses(3));
  watched.with([&] { EXPECT_EQ(recorder.answered.size(), 1u); });
  second->request({.type = Type::Cluster, .nonce = second->received().back().nonce});
  EXPECT_TRUE(awaitAnswered(2));
}

TEST_F(ServerTest, AClientThatDoesNotAnswerHoldsAGenerationNoLongerThanTheBound) {
  options.answer_bound = 50ms;
  start();
  publish({cluster("a"), other(Type::Listener, "l")});
  auto peer = transport->connect();
  peer->answers_ = false;
  peer->request({.type = Type::Cluster});
  EXPECT_TRUE(awaitAnswered(1));
  watched.with([&] { EXPECT_EQ(recorder.confirmed, 0u); });

  // However late, it is told.
  peer->answers_ = true;
  peer->request({.type = Type::Cluster, .nonce = peer->received().back().nonce});
  peer->request({.type = Type::Listener});
  EXPECT_TRUE(watched.await([&] { return recorder.confirmed == 1; }));
}

TEST_F(ServerTest, ARefusalIsReportedOnceAndHoldsForOtherClients) {
  start();
  publish({cluster("good"), cluster("bad"), other(Type::Listener, "l")});
  auto first = transport->connect();
  first->answers_ = false;
  first->request({.type = Type::Cluster});
  ASSERT_TRUE(first->awaitResponses(2));
  for (const Response& response : first->received()) {
    const bool bad = response.resources[0]->name == "bad";
    first->request({.type = Type::Cluster, .nonce = response.nonce, .refused = bad, .detail = bad ? "why" : ""});
  }
  ASSERT_TRUE(watched.await([&] { return recorder.refused.size() == 1; }));
  watched.with([&] {
    EXPECT_EQ(recorder.refused[0].key, (ResourceKey{Type::Cluster, "bad"}));
    EXPECT_EQ(recorder.refused[0].detail, "why");
    EXPECT_EQ(recorder.nacks, 1u);
  });
  first->answers_ = true;
  first->request({.type = Type::Listener});
  ASSERT_TRUE(awaitAnswered(1));

  auto second = connectAll();
  ASSERT_TRUE(second->awaitResponses(2));
  EXPECT_EQ(show(second->received()), "cluster +good; listener +l");
  publish({}, {{Type::Cluster, "bad"}});
  EXPECT_TRUE(watched.await([&] { return recorder.refused.empty(); }));
}

TEST_F(ServerTest, AListenerWhoseAddressIsTakenIsOfferedAgain) {
  options.address_retry = 10ms;
  start();
  publish({other(Type::Listener, "l"), other(Type::Listener, "wrong")});
  auto peer = transport->connect();
  peer->answers_ = false;
  peer->request({.type = Type::Listener});
  ASSERT_TRUE(peer->awaitResponses(2));
  for (const Response& response : peer->received()) {
    const bool taken = response.resources[0]->name == "l";
    peer->request({.type = Type::Listener,
                   .nonce = response.nonce,
                   .refused = true,
                   .detail = taken ? "cannot bind '0.0.0.0:80': Address already in use" : "no such filter"});
  }
  ASSERT_TRUE(watched.await([&] { return recorder.refused.size() == 2; }));
  ASSERT_TRUE(peer->awaitResponses(3));
  EXPECT_EQ(peer->received()[2].resources[0]->name, "l");
  peer->request({.type = Type::Listener, .nonce = peer->received()[2].nonce});
  ASSERT_TRUE(watched.await([&] { return recorder.refused.size() == 1; }));
  watched.with([&] { EXPECT_EQ(recorder.refused[0].key.name, "wrong"); });
}

TEST_F(ServerTest, HeldRoutesAreReported) {
  options.stream.hold_bound = 20ms;
  start();
  publish({cluster("a"), other(Type::Listener, "l"), routes("r", {"a"})});
  auto peer = connectAll();
  peer->request({.type = Type::Routes, .subscribe = {"r"}});
  ASSERT_TRUE(awaitAnswered(1));
  publish({routes("r", {"missing"}, "2")});
  EXPECT_TRUE(watched.await([&] { return recorder.held == std::vector<std::string>{"r"}; }));
  EXPECT_TRUE(awaitAnswered(2));
  publish({cluster("missing")});
  EXPECT_TRUE(watched.await([&] { return recorder.held.empty(); }));
  EXPECT_TRUE(awaitAnswered(3));
}

TEST_F(ServerTest, AClientThatDoesNotReadGetsOneResponseAndThenTheNewestState) {
  start();
  publish({cluster("a"), other(Type::Listener, "l")});
  auto slow = connectAll();
  auto fast = connectAll();
  ASSERT_TRUE(awaitAnswered(1));
  slow->stopReading();
  for (int i = 2; i <= 100; ++i) publish({cluster("a", std::to_string(i))});
  ASSERT_TRUE(fast->awaitResponses(3));
  slow->resumeReading();
  ASSERT_TRUE(awaitAnswered(100));
  const std::string newest = cluster("a", "100")->version;
  EXPECT_EQ(slow->received().back().resources[0]->version, newest);
  EXPECT_EQ(fast->received().back().resources[0]->version, newest);
}

TEST_F(ServerTest, ClientsComeAndGoWhileOthersPublish) {
  start();
  publish({cluster("a"), other(Type::Listener, "l")});
  std::vector<std::thread> publishers;
  std::atomic<uint64_t> next{2};
  for (int t = 0; t < 4; ++t) {
    publishers.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        server->publish({next++, {cluster(numbered("c", t), std::to_string(i))}, {}, std::chrono::steady_clock::now()});
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    auto peer = connectAll();
    ASSERT_TRUE(peer->awaitResponses(2));
    peer->close();
    ASSERT_TRUE(peer->awaitFinished());
  }
  for (std::thread& publisher : publishers) publisher.join();
  auto last = connectAll();
  ASSERT_TRUE(last->awaitResponses(6));
  server->stop();
  watched.with([&] { EXPECT_EQ(recorder.streams, 0u); });
}

TEST(ServerAddressTest, AnAddressThatCannotBeBoundIsAnError) {
  Watched watched;
  Recorder recorder(watched);
  std::string error;
  EXPECT_FALSE(Server({.address = "unix:/nonexistent/folder/ads.sock"}, recorder).start(error));
  EXPECT_NE(error, "");
  error.clear();
  EXPECT_FALSE(Server({.address = "unix:/tmp/" + std::string(120, 'x')}, recorder).start(error));
  EXPECT_NE(error.find("107"), std::string::npos) << error;
}

}  // namespace
}  // namespace emissary::serve::testing
