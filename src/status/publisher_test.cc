#include "status/publisher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "status/testing.h"

namespace emissary::status {
namespace {

using namespace std::chrono_literals;
using testing::FakeServer;
using ::testing::HasSubstr;
using testing::ServerClient;

class PublisherTest : public ::testing::Test {
 protected:
  PublisherTest() {
    server_.add(ref_);
    publisher_ = std::make_unique<Publisher>(PublisherOptions{"gateway", "blue"}, loop_, client_,
                                             [this](const std::vector<Finding>& all) { findings_ = all; });
    publisher_->observe({server_.observed(ref_)});
    Object object;
    publisher_->want({{ref_, judge({object, true, {}, Answer::Confirmed}), 1}});
  }
  void forbid(const std::string& part) {
    server_.fault = [part](const std::string&, const kube::Request& request) -> std::optional<kube::Response> {
      if (request.path.find(part) == std::string::npos) return std::nullopt;
      return kube::Response{403, R"({"kind":"Status","message":"no"})", {}, ""};
    };
  }
  uint64_t writes(WriteResult result) const { return publisher_->counters().writes[static_cast<size_t>(result)]; }

  const ObjectRef ref_{Kind::Mapping, "edge", "a"};
  kube::FakeLoop loop_;
  FakeServer server_{loop_};
  ServerClient client_{"a", loop_, server_};
  std::vector<Finding> findings_;
  std::unique_ptr<Publisher> publisher_;
};

TEST_F(PublisherTest, WritesOnceItLeadsAndGivesTheLeaseBack) {
  loop_.advance(10s);
  EXPECT_EQ(server_.writes.size(), 0u) << "not started";
  publisher_->start();
  loop_.advance(1s);
  EXPECT_EQ(server_.writes.size(), 1u);
  EXPECT_TRUE(publisher_->counters().leads);
  EXPECT_EQ(writes(WriteResult::Written), 1u);
  EXPECT_TRUE(server_.leases.contains("/apis/coordination.k8s.io/v1/namespaces/gateway/leases/emissary-status-blue"));
  bool done = false;
  publisher_->stop([&] { done = true; });
  loop_.advance(1s);
  EXPECT_TRUE(done);
  EXPECT_FALSE(publisher_->counters().leads);
  EXPECT_EQ(server_.holder(), "");
  EXPECT_TRUE(findings_.empty());
}

TEST_F(PublisherTest, TellsWhatIsInItsWayUntilItIsNot) {
  forbid("/leases");
  publisher_->start();
  loop_.advance(1s);
  ASSERT_EQ(findings_.size(), 1u);
  EXPECT_EQ(findings_[0].severity, Severity::Warning);
  EXPECT_EQ(findings_[0].object, ObjectRef{});
  EXPECT_THAT(findings_[0].message, HasSubstr("grant get, create and update on leases"));
  forbid("/status");
  loop_.advance(80s);
  ASSERT_EQ(findings_.size(), 1u);
  EXPECT_THAT(findings_[0].message, HasSubstr("grant patch on mappings/status"));
  EXPECT_EQ(writes(WriteResult::Forbidden), 1u);
  server_.fault = nullptr;
  loop_.advance(11min);
  EXPECT_TRUE(findings_.empty());
  EXPECT_EQ(server_.writes.size(), 1u);
}

TEST_F(PublisherTest, WhatComesTooLateFindsNobody) {
  publisher_->start();
  loop_.advance(1s);
  Object object;
  publisher_->want({{ref_, judge({object, false, {}, Answer::Confirmed}), 2}});
  publisher_.reset();
  loop_.advance(60s);
  EXPECT_EQ(server_.writes.size(), 1u);
}

}  // namespace
}  // namespace emissary::status
