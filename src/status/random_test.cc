// Several instances against one API server that fails at random: at the end each status is the last verdict, and at no time did two
// write.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>

#include "status/publisher.h"
#include "status/testing.h"

namespace emissary::status {
namespace {

using namespace std::chrono_literals;
using testing::FakeServer;
using testing::ServerClient;

struct Instance {
  Instance(const std::string& identity, uint32_t seed, kube::FakeLoop& loop, FakeServer& server)
      : name(identity), client(identity, loop, server) {
    WriterOptions options;
    options.seed = seed;
    options.wall_clock = [] { return 1'000'000; };
    writer = std::make_unique<Writer>(options, loop, client, Writer::Outputs{});
    LeaseOptions lease_options;
    lease_options.name = "l";
    lease_options.ns = "n";
    lease_options.identity = identity;
    lease_options.seed = seed;
    lease = std::make_unique<Lease>(lease_options, loop, client, Lease::Events{[this](bool is) { writer->lead(is); }, nullptr});
    lease->start();
  }
  void kill() {
    client.die();
    lease.reset();
    writer.reset();
  }
  bool leads() const { return lease && lease->leads(); }

  const std::string name;
  ServerClient client;
  std::unique_ptr<Writer> writer;
  std::unique_ptr<Lease> lease;
};

class RandomStatus : public ::testing::TestWithParam<uint32_t> {
 protected:
  bool chance(int percent) { return static_cast<int>(random_() % 100) < percent; }

  Instance& start() {
    instances_.push_back(std::make_unique<Instance>(fmt::format("i{}", instances_.size()), random_() | 1, loop_, server_));
    Instance& fresh = *instances_.back();
    started_ = loop_.now();
    fresh.client.latency = [this] { return std::chrono::milliseconds(random_() % 100); };
    for (const auto& [ref, object] : server_.objects) fresh.writer->observe(server_.observed(ref));
    for (const auto& [ref, verdict] : verdicts_) fresh.writer->want({{ref, verdict, 1}});
    return fresh;
  }
  template <typename Do>
  void each(Do act) {
    for (const auto& instance : instances_) {
      if (instance->writer) act(*instance);
    }
  }
  Verdict verdict() {
    Object object;
    Verdict out = judge({object, true, {}, chance(30) ? Answer::Pending : Answer::Confirmed});
    if (chance(40)) {
      out.accepted = {Truth::False, Reason::Invalid, fmt::format("no {}", random_() % 3)};
      out.problem = out.accepted.message;
    }
    return out;
  }
  void edit() {
    const ObjectRef ref{chance(50) ? Kind::Mapping : Kind::Host, "n", fmt::format("o{}", random_() % 12)};
    if (chance(15)) {
      server_.objects.erase(ref);
      verdicts_.erase(ref);
      each([&](Instance& instance) {
        instance.writer->observe(model::Gone{ref});
        instance.writer->want({{ref, std::nullopt, 0}});
      });
      return;
    }
    if (!server_.objects.contains(ref)) server_.add(ref);
    verdicts_[ref] = verdict();
    each([&](Instance& instance) {
      instance.writer->observe(server_.observed(ref));
      instance.writer->want({{ref, verdicts_[ref], 1}});
    });
  }
  /// The watch of each instance tells of what was written.
  void tellWrites() {
    for (; told_ < server_.writes.size(); ++told_) {
      const FakeServer::Write& write = server_.writes[told_];
      EXPECT_EQ(write.client, leader_at_write_[told_]) << "by one that does not lead";
      if (!server_.objects.contains(write.ref)) continue;
      each([&](Instance& instance) {
        if (chance(90)) instance.writer->observe(server_.observed(write.ref));
      });
    }
  }
  std::optional<kube::Response> fault(const kube::Request& request) {
    if (request.method == "PATCH") {
      std::string leader;
      int leaders = 0;
      each([&](Instance& instance) {
        leaders += instance.leads();
        if (instance.leads()) leader = instance.name;
      });
      EXPECT_LE(leaders, 1);
      pending_leader_ = leader;
    }
    if (!failing_ || !chance(25)) {
      if (request.method == "PATCH") leader_at_write_[server_.writes.size()] = pending_leader_;
      return std::nullopt;
    }
    static const kube::Response kFaults[] = {{0, "", {}, "broken"}, {500, "", {}, ""}, {503, "", {}, ""},  {429, "", 2s, ""},
                                             {409, "", {}, ""},     {404, "", {}, ""}, {200, "{}", {}, ""}};
    if (chance(1)) return kube::Response{403, "", {}, ""};
    return kFaults[random_() % std::size(kFaults)];
  }

  std::mt19937 random_{GetParam()};
  kube::FakeLoop loop_;
  FakeServer server_{loop_};
  std::vector<std::unique_ptr<Instance>> instances_;
  std::map<ObjectRef, Verdict> verdicts_;
  std::map<size_t, std::string> leader_at_write_;
  std::string pending_leader_;
  size_t told_ = 0;
  bool failing_ = true;
  kube::Loop::Clock::time_point started_;
};

TEST_P(RandomStatus, EndsWithTheLastVerdicts) {
  server_.fault = [this](const std::string&, const kube::Request& request) { return fault(request); };
  start();
  start();
  for (int step = 0; step < 600; ++step) {
    if (chance(60)) edit();
    size_t alive = 0;
    each([&](Instance&) { ++alive; });
    if (chance(2) && alive > 1) {
      const size_t victim = random_() % instances_.size();
      if (instances_[victim]->writer) instances_[victim]->kill();
    }
    // One that starts where no Lease is believes that there never was one.
    if (chance(2) && alive < 4 && !server_.leases.empty()) start();
    if (chance(1)) {
      const size_t leaving = random_() % instances_.size();
      if (instances_[leaving]->lease && alive > 1) {
        instances_[leaving]->lease->stop([] {});
        loop_.advance(3s);
        instances_[leaving]->kill();
      }
    }
    if (chance(2) && loop_.now() > started_ + 60s) server_.leases.clear();
    loop_.advance(std::chrono::milliseconds(random_() % (chance(10) ? 20000 : 500)));
    tellWrites();
    if (HasFailure()) FAIL() << "at step " << step;
  }
  failing_ = false;
  for (int i = 0; i < 1300; ++i) {
    loop_.advance(1s);
    tellWrites();
  }
  ASSERT_EQ(server_.objects.size(), verdicts_.size());
  for (const auto& [ref, verdict] : verdicts_) {
    EXPECT_EQ(server_.observed(ref).status.hash, documentOf(ref, verdict, 1, Shape::Full, {}).hash) << ref.text();
  }
  EXPECT_GT(server_.writes.size(), 100u);
  const size_t writes = server_.writes.size();
  loop_.advance(20min);
  EXPECT_EQ(server_.writes.size(), writes) << "nothing differs";
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomStatus, ::testing::Range(1u, 7u));

}  // namespace
}  // namespace emissary::status
