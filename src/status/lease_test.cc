#include "status/lease.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "status/testing.h"

namespace emissary::status {
namespace {

using namespace std::chrono_literals;
using testing::FakeServer;
using ::testing::HasSubstr;
using testing::ServerClient;

const std::string kPath = "/apis/coordination.k8s.io/v1/namespaces/gateway/leases/emissary-status-default";

/// One candidate.
struct Instance {
  Instance(const std::string& name, kube::FakeLoop& loop, FakeServer& server)
      : client(name, loop, server),
        lease(std::make_unique<Lease>(optionsOf(name), loop, client,
                                      Lease::Events{[this](bool is) {
                                                      leads = is;
                                                      ++changes;
                                                    },
                                                    [this](const std::string& text) { problem = text; }})) {}
  static LeaseOptions optionsOf(const std::string& name) {
    LeaseOptions options;
    options.ns = "gateway";
    options.name = "emissary-status-default";
    options.identity = name;
    options.seed = 1;
    return options;
  }
  ServerClient client;
  bool leads = false;
  int changes = 0;
  std::string problem;
  std::unique_ptr<Lease> lease;
};

class LeaseTest : public ::testing::Test {
 protected:
  Instance& start(const std::string& name) {
    instances_.push_back(std::make_unique<Instance>(name, loop_, server_));
    instances_.back()->lease->start();
    return *instances_.back();
  }
  nlohmann::json& lease() { return server_.leases.at(kPath); }
  /// How long until `done`, at most a while.
  std::chrono::milliseconds until(const std::function<bool()>& done) {
    for (std::chrono::milliseconds passed{0}; passed < 300s; passed += 50ms) {
      if (done()) return passed;
      loop_.advance(50ms);
    }
    ADD_FAILURE() << "it never came";
    return 300s;
  }

  kube::FakeLoop loop_;
  FakeServer server_{loop_};
  std::vector<std::unique_ptr<Instance>> instances_;
};

TEST_F(LeaseTest, IsMadeHeldAndRenewed) {
  Instance& a = start("a");
  loop_.advance(1s);
  EXPECT_TRUE(a.leads);
  EXPECT_EQ(lease()["spec"]["holderIdentity"], "a");
  EXPECT_EQ(lease()["spec"]["leaseDurationSeconds"], 15);
  EXPECT_THAT(lease()["spec"]["renewTime"].get<std::string>(), ::testing::MatchesRegex("....-..-..T..:..:..\\.......Z"));
  const std::string version = lease()["metadata"]["resourceVersion"];
  loop_.advance(60s);
  EXPECT_TRUE(a.leads);
  EXPECT_EQ(a.changes, 1);
  EXPECT_NE(lease()["metadata"]["resourceVersion"], version);
  EXPECT_EQ(lease()["spec"]["leaseTransitions"], 0);
}

TEST_F(LeaseTest, OfTwoAtOnceOneLeads) {
  Instance &a = start("a"), &b = start("b");
  for (int i = 0; i < 600; ++i) {
    loop_.advance(100ms);
    EXPECT_FALSE(a.leads && b.leads);
  }
  EXPECT_TRUE(a.leads != b.leads);
  EXPECT_EQ(a.changes + b.changes, 1);
}

TEST_F(LeaseTest, ADeadHolderIsReplacedOnceItsTimeIsOver) {
  Instance& a = start("a");
  loop_.advance(1s);
  Instance& b = start("b");
  loop_.advance(5s);
  a.client.die();
  const auto took = until([&] { return b.leads; });
  EXPECT_GE(took, 12s);
  EXPECT_LE(took, 18s);
  EXPECT_EQ(lease()["spec"]["leaseTransitions"], 1);
}

TEST_F(LeaseTest, AHolderThatCannotRenewStopsBeforeAnotherBegins) {
  Instance& a = start("a");
  loop_.advance(1s);
  Instance& b = start("b");
  loop_.advance(5s);
  server_.fault = [](const std::string& who, const kube::Request&) {
    return who == "a" ? std::optional<kube::Response>({0, "", {}, "no route"}) : std::nullopt;
  };
  std::chrono::milliseconds alone{0};
  while (!b.leads) {
    loop_.advance(50ms);
    ASSERT_FALSE(a.leads && b.leads);
    if (!a.leads && !b.leads) alone += 50ms;
    ASSERT_LT(alone, 60s);
  }
  EXPECT_GE(alone, 2s);
  server_.fault = nullptr;
  loop_.advance(30s);
  EXPECT_TRUE(b.leads && !a.leads);
}

TEST_F(LeaseTest, IsGivenBackAtTheEnd) {
  Instance& a = start("a");
  loop_.advance(1s);
  Instance& b = start("b");
  loop_.advance(5s);
  bool done = false;
  a.lease->stop([&] { done = true; });
  EXPECT_FALSE(a.leads) << "at once";
  loop_.advance(100ms);
  EXPECT_TRUE(done);
  EXPECT_EQ(server_.holder(), "");
  EXPECT_LE(until([&] { return b.leads; }), 3s);
}

TEST_F(LeaseTest, IsGivenBackWhileARenewalIsUnderWay) {
  Instance& a = start("a");
  loop_.advance(1s);
  a.client.lost_when_cancelled = false;
  a.client.latency = [] { return 400ms; };
  until([&] { return lease()["metadata"]["resourceVersion"] == "3"; });  // renewed, and not yet answered
  bool done = false;
  a.lease->stop([&] { done = true; });
  loop_.advance(2s);
  EXPECT_TRUE(done);
  EXPECT_EQ(server_.holder(), "");
}

TEST_F(LeaseTest, TheEndDoesNotWaitForAServerThatIsAway) {
  Instance& a = start("a");
  loop_.advance(1s);
  a.client.latency = [] { return 3600s; };
  bool done = false;
  a.lease->stop([&] { done = true; });
  loop_.advance(2s);
  EXPECT_TRUE(done);
  Instance& b = start("b");  // never led
  done = false;
  b.lease->stop([&] { done = true; });
  loop_.advance(1ms);
  EXPECT_TRUE(done);
}

TEST_F(LeaseTest, ForbiddenIsToldOnceAndEndsWhenGranted) {
  int asked = 0;
  server_.fault = [&](const std::string&, const kube::Request&) {
    ++asked;
    return std::optional<kube::Response>({403, R"({"kind":"Status","message":"leases is forbidden"})", {}, ""});
  };
  Instance& a = start("a");
  loop_.advance(130s);
  EXPECT_LE(asked, 3);
  EXPECT_FALSE(a.leads);
  EXPECT_THAT(a.problem, HasSubstr("leases is forbidden"));
  EXPECT_THAT(a.problem, HasSubstr("grant get, create and update on leases"));
  server_.fault = nullptr;
  EXPECT_LE(until([&] { return a.leads; }), 75s);
  EXPECT_EQ(a.problem, "");
}

TEST_F(LeaseTest, ADeletedLeaseIsMadeAnew) {
  Instance& a = start("a");
  loop_.advance(1s);
  server_.leases.clear();
  loop_.advance(5s);
  EXPECT_TRUE(a.leads);
  EXPECT_EQ(server_.holder(), "a");
}

TEST_F(LeaseTest, OfADeletedLeaseNobodyTakesHoldBeforeItsHolderKnows) {
  Instance& a = start("a");
  loop_.advance(1s);
  Instance& b = start("b");
  loop_.advance(1s);
  for (int i = 0; i < 20; ++i) {
    server_.leases.clear();
    for (int k = 0; k < 100; ++k) {
      loop_.advance(50ms);
      ASSERT_FALSE(a.leads && b.leads);
    }
    EXPECT_TRUE(a.leads);
  }
  a.client.die();
  server_.leases.clear();
  EXPECT_LE(until([&] { return b.leads; }), 20s);
}

TEST_F(LeaseTest, GarbageInItIsReplaced) {
  for (const char* spec : {"null", "[]", R"({"holderIdentity":7,"leaseDurationSeconds":"x","renewTime":{}})",
                           R"({"holderIdentity":"","leaseTransitions":-5})"}) {
    server_.leases[kPath] = {{"metadata", {{"name", "x"}, {"resourceVersion", "9"}, {"labels", {{"kept", "yes"}}}}},
                             {"spec", nlohmann::json::parse(spec)}};
    Instance& a = start("a");
    loop_.advance(1s);
    EXPECT_TRUE(a.leads) << spec;
    EXPECT_EQ(lease()["metadata"]["labels"]["kept"], "yes");
    a.lease.reset();
  }
}

TEST_F(LeaseTest, NobodyHoldsItForEver) {
  server_.leases[kPath] = {
      {"metadata", {{"name", "x"}, {"resourceVersion", "9"}}},
      {"spec", {{"holderIdentity", "stuck"}, {"leaseDurationSeconds", 999999999}, {"renewTime", "2999-01-01T00:00:00.000000Z"}}}};
  Instance& a = start("a");
  const auto took = until([&] { return a.leads; });
  EXPECT_GE(took, 55s);
  EXPECT_LE(took, 65s);
}

TEST_F(LeaseTest, ClocksOfOthersDoNotCount) {
  Instance& a = start("a");
  // Another renews, with a clock that is years behind.
  server_.leases[kPath] = {
      {"metadata", {{"name", "x"}, {"resourceVersion", "1"}}},
      {"spec", {{"holderIdentity", "other"}, {"leaseDurationSeconds", 15}, {"renewTime", "1999-01-01T00:00:00.000000Z"}}}};
  for (int i = 2; i < 40; ++i) {
    loop_.advance(2s);
    ASSERT_FALSE(a.leads);
    lease()["metadata"]["resourceVersion"] = std::to_string(i);
  }
}

TEST_F(LeaseTest, AnswersThatMeanNothingAreNoReasonToLead) {
  for (const kube::Response& response : {kube::Response{200, "{}", {}, ""}, kube::Response{200, "no json", {}, ""},
                                         kube::Response{500, "", {}, ""}, kube::Response{429, "", 5s, ""}}) {
    int asked = 0;
    server_.fault = [&](const std::string&, const kube::Request&) {
      ++asked;
      return std::optional(response);
    };
    Instance& a = start("a");
    loop_.advance(20s);
    EXPECT_FALSE(a.leads);
    EXPECT_LE(asked, 11);
    EXPECT_GE(asked, 3);
    a.lease.reset();
  }
}

TEST_F(LeaseTest, WhatBecomesOfAnAnswerThatIsLost) {
  // The server takes what we write, and we never hear of it.
  server_.fault = [&, inside = false](const std::string& who,
                                      const kube::Request& request) mutable -> std::optional<kube::Response> {
    if (inside || request.method == "GET") return std::nullopt;
    inside = true;
    server_.handle(who, request);
    inside = false;
    return kube::Response{0, "", {}, "broken"};
  };
  Instance& a = start("a");
  loop_.advance(10s);
  EXPECT_FALSE(a.leads);
  EXPECT_EQ(server_.holder(), "a");
  server_.fault = nullptr;
  EXPECT_LE(until([&] { return a.leads; }), 3s);
}

TEST(LeaseNames, AreValidAndOfOneIdEach) {
  EXPECT_EQ(leaseName("default"), "emissary-status-default");
  EXPECT_EQ(leaseName("a.b-c"), "emissary-status-a.b-c");
  const auto odd = {"A", "a", "a_", "a-", "", "ä", "a..b", "a.-b"};
  std::set<std::string> names;
  for (const char* id : odd) {
    const std::string name = leaseName(id);
    EXPECT_TRUE(names.insert(name).second) << id;
    EXPECT_THAT(name, ::testing::MatchesRegex("[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"));
  }
  EXPECT_LE(leaseName(std::string(300, 'x')).size(), 63u);
  EXPECT_NE(newIdentity(), newIdentity());
}

}  // namespace
}  // namespace emissary::status
