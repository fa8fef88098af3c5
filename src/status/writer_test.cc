#include "status/writer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "status/testing.h"

namespace emissary::status {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::FakeServer;
using ::testing::HasSubstr;
using testing::ServerClient;

ObjectRef mapping(const std::string& name) { return {Kind::Mapping, "edge", name}; }

Verdict good() {
  Object object;
  return judge({object, true, {}, Answer::Confirmed});
}

Verdict bad(const std::string& why, Reason reason = Reason::Invalid) {
  Verdict verdict = good();
  verdict.accepted = {Truth::False, reason, why};
  verdict.programmed = {Truth::False, Reason::NotUsed, "see Accepted"};
  verdict.problem = why;
  verdict.active = false;
  return verdict;
}

Verdict waiting(Answer answer = Answer::Pending) {
  Verdict verdict = good();
  setAnswer(verdict, answer);
  return verdict;
}

class WriterTest : public ::testing::Test {
 protected:
  WriterTest() {
    WriterOptions options;
    options.seed = 1;
    options.wall_clock = [this] { return wall_; };
    Announcer::Options events;
    events.wall_clock = options.wall_clock;
    const auto tell = [this](const std::string& topic, const std::string& text) {
      ++told_;
      if (text.empty()) problems_.erase(topic);
      else problems_[topic] = text;
    };
    announcer_ = std::make_unique<Announcer>(events, loop_, client_, tell);
    writer_ = std::make_unique<Writer>(options, loop_, client_,
                                       Writer::Outputs{tell, [this](WriteResult result) { ++results_[result]; }, announcer_.get()});
  }

  /// An object that the source has told of, and what it is to say.
  void want(const std::string& name, const Verdict& verdict, int64_t generation = 1) {
    const ObjectRef ref = mapping(name);
    if (!server_.objects.contains(ref)) {
      server_.add(ref);
      writer_->observe(server_.observed(ref));
    }
    writer_->want({{ref, verdict, generation}});
  }
  std::string reason(const std::string& name, int condition = 0) {
    const auto& status = server_.statusOf(mapping(name));
    return status.is_null() ? "" : status["conditions"][condition]["reason"].get<std::string>();
  }
  size_t writes() const { return server_.writes.size(); }
  std::optional<kube::Response> every(kube::Response response, const kube::Request& request) {
    return request.method == "PATCH" ? std::optional(std::move(response)) : std::nullopt;
  }

  kube::FakeLoop loop_;
  FakeServer server_{loop_};
  ServerClient client_{"a", loop_, server_};
  int64_t wall_ = 1'000'000;
  std::map<std::string, std::string> problems_;
  int told_ = 0;
  std::map<WriteResult, int> results_;
  std::unique_ptr<Announcer> announcer_;
  std::unique_ptr<Writer> writer_;
};

TEST_F(WriterTest, WritesOnceAndOnlyWhileItLeads) {
  want("a", good());
  loop_.advance(60s);
  EXPECT_EQ(writes(), 0u);
  writer_->lead(true);
  loop_.advance(1s);
  EXPECT_EQ(writes(), 1u);
  EXPECT_EQ(reason("a"), "Accepted");
  EXPECT_EQ(server_.statusOf(mapping("a"))["conditions"][2]["lastTransitionTime"], "1970-01-12T13:46:40Z");
  // The watch tells of what we wrote.
  writer_->observe(server_.observed(mapping("a")));
  want("a", good());
  loop_.advance(60s);
  EXPECT_EQ(writes(), 1u);
  EXPECT_TRUE(writer_->idle());
  EXPECT_EQ(results_[WriteResult::Written], 1);

  writer_->lead(false);
  want("a", bad("no"));
  loop_.advance(60s);
  EXPECT_EQ(writes(), 1u);
}

TEST_F(WriterTest, WhatTheServerHasIsNotWrittenAgain) {
  writer_->lead(true);
  want("a", good());
  loop_.advance(1s);
  ASSERT_EQ(writes(), 1u);
  // Another instance, which starts.
  ServerClient client("b", loop_, server_);
  WriterOptions options;
  options.wall_clock = [] { return 5; };
  Writer other(options, loop_, client, {});
  other.observe(server_.observed(mapping("a")));
  other.want({{mapping("a"), good(), 1}});
  other.lead(true);
  loop_.advance(60s);
  EXPECT_EQ(writes(), 1u);
  EXPECT_TRUE(other.idle());
}

TEST_F(WriterTest, TheTimeOfATransitionStandsWhileTheStatusDoes) {
  writer_->lead(true);
  want("a", bad("one"));
  loop_.advance(1s);
  wall_ += 100;
  want("a", bad("two"));
  loop_.advance(1s);
  const auto time = [&](int condition) {
    return server_.statusOf(mapping("a"))["conditions"][condition]["lastTransitionTime"].get<std::string>();
  };
  EXPECT_EQ(server_.statusOf(mapping("a"))["conditions"][0]["message"], "two");
  EXPECT_EQ(time(0), "1970-01-12T13:46:40Z");
  want("a", good());
  loop_.advance(1s);
  EXPECT_EQ(time(0), "1970-01-12T13:48:20Z");
  EXPECT_EQ(time(1), "1970-01-12T13:46:40Z");
}

TEST_F(WriterTest, WaitsAMomentForEnvoysAnswer) {
  writer_->lead(true);
  want("a", waiting());
  loop_.advance(500ms);
  EXPECT_EQ(writes(), 0u);
  want("a", good());
  loop_.advance(100ms);
  EXPECT_EQ(writes(), 1u);
  EXPECT_EQ(reason("a", 2), "Programmed");

  // It does not come. What is wanted moves meanwhile, which does not prolong the wait.
  want("b", waiting());
  loop_.advance(600ms);
  want("b", waiting(Answer::NoEnvoy));
  EXPECT_EQ(writes(), 1u);
  loop_.advance(500ms);
  EXPECT_EQ(writes(), 2u);
  EXPECT_EQ(reason("b", 2), "NoEnvoy");
}

TEST_F(WriterTest, AStatusThatLacksAnAnswerAloneIsNotTakenBackAtOnce) {
  writer_->lead(true);
  want("a", good());
  loop_.advance(1s);
  want("a", waiting());
  loop_.advance(29s);
  EXPECT_EQ(writes(), 1u);
  want("a", good());
  loop_.advance(10s);
  EXPECT_EQ(writes(), 1u);
  want("a", waiting());
  loop_.advance(31s);
  EXPECT_EQ(writes(), 2u);
  EXPECT_EQ(reason("a", 2), "Pending");
}

TEST_F(WriterTest, TheNewestVerdictWinsAndNoObjectHasTwoWritesAtOnce) {
  writer_->lead(true);
  client_.latency = [] { return 1000ms; };
  loop_.advance(2s);  // what the server serves
  want("a", bad("one"));
  loop_.advance(100ms);
  want("a", bad("two"));
  want("a", bad("three"));
  loop_.advance(100ms);
  EXPECT_EQ(client_.most(), 1u);
  loop_.advance(2s);
  ASSERT_EQ(writes(), 2u);
  EXPECT_EQ(server_.statusOf(mapping("a"))["reason"], "three");
}

TEST_F(WriterTest, SixteenAtOnce) {
  writer_->lead(true);
  loop_.advance(1s);
  for (int i = 0; i < 1000; ++i) want(fmt::format("m{}", i), good());
  loop_.advance(64 * 4ms);
  EXPECT_EQ(writes(), 1000u);
  EXPECT_EQ(client_.most(), 16u);
}

TEST_F(WriterTest, WhatIsGoneIsNotWritten) {
  writer_->lead(true);
  loop_.advance(1s);
  // Never seen on the server: of a file.
  writer_->want({{mapping("file"), good(), 0}});
  // Gone for the source before the verdict went.
  want("a", good());
  writer_->observe(model::Gone{mapping("a")});
  // The verdict gone first.
  want("b", good());
  writer_->want({{mapping("b"), std::nullopt, 0}});
  loop_.advance(60s);
  EXPECT_EQ(writes(), 0u);
  EXPECT_TRUE(writer_->idle());
  // It comes again.
  writer_->observe(server_.observed(mapping("a")));
  loop_.advance(1s);
  EXPECT_EQ(writes(), 1u);
}

TEST_F(WriterTest, AnObjectThatIsNotFoundIsTriedSeldom) {
  writer_->lead(true);
  want("a", good());
  server_.objects.clear();
  loop_.advance(10min);
  EXPECT_GE(results_[WriteResult::Gone], 3);
  EXPECT_LE(results_[WriteResult::Gone], 30);
  EXPECT_TRUE(problems_.empty());
  server_.add(mapping("a"));
  loop_.advance(31s);
  EXPECT_EQ(writes(), 1u);
}

TEST_F(WriterTest, AFailureIsTriedAgainWithOneRequestAtATime) {
  writer_->lead(true);
  loop_.advance(1s);
  int asked = 0;
  server_.fault = [&](const std::string&, const kube::Request& request) {
    ++asked;
    return every({503, "", {}, ""}, request);
  };
  for (int i = 0; i < 100; ++i) want(fmt::format("m{}", i), good());
  loop_.advance(5min);
  EXPECT_LE(asked, 16 + 20);
  EXPECT_GE(asked, 16 + 8);
  server_.fault = nullptr;
  loop_.advance(31s);
  EXPECT_EQ(writes(), 100u) << "back, it goes on at full speed";
  EXPECT_TRUE(problems_.empty());
}

TEST_F(WriterTest, RetryAfterIsHonoured) {
  writer_->lead(true);
  loop_.advance(1s);
  int asked = 0;
  server_.fault = [&](const std::string&, const kube::Request& request) {
    ++asked;
    return every({429, "", 7s, ""}, request);
  };
  want("a", good());
  loop_.advance(6900ms);
  EXPECT_EQ(asked, 1);
  server_.fault = nullptr;
  loop_.advance(2s);
  EXPECT_EQ(writes(), 1u);
}

TEST_F(WriterTest, ForbiddenIsToldOnceAndTriedAgainMuchLater) {
  writer_->lead(true);
  loop_.advance(1s);
  int asked = 0;
  server_.fault = [&](const std::string&, const kube::Request& request) {
    asked += request.method == "PATCH";
    return every({403, R"({"kind":"Status","message":"may not patch"})", {}, ""}, request);
  };
  for (int i = 0; i < 100; ++i) want(fmt::format("m{}", i), good());
  loop_.advance(9min);
  EXPECT_EQ(asked, 16);
  ASSERT_EQ(problems_.size(), 1u);
  EXPECT_EQ(problems_["forbidden"],
            "no status is written to mappings, for it is forbidden: may not patch (HTTP 403); grant patch on mappings/status of "
            "getambassador.io");
  server_.fault = nullptr;
  loop_.advance(2min);
  EXPECT_EQ(writes(), 100u);
  EXPECT_TRUE(problems_.empty());
}

TEST_F(WriterTest, KindsWithoutTheSubresourceAreLeftAlone) {
  server_.without_status = {Kind::Mapping, Kind::Listener};
  const ObjectRef host{Kind::Host, "edge", "h"};
  server_.add(host);
  writer_->observe(server_.observed(host));
  writer_->want({{host, good(), 1}});
  for (int i = 0; i < 100; ++i) want(fmt::format("m{}", i), good());
  writer_->lead(true);
  loop_.advance(5min);
  EXPECT_EQ(writes(), 1u);
  EXPECT_EQ(results_[WriteResult::Gone], 0);
  ASSERT_EQ(problems_.size(), 1u);
  EXPECT_THAT(problems_["subresource"], HasSubstr("no status is written to listeners, mappings, whose"));
  EXPECT_THAT(problems_["subresource"], HasSubstr("emissary crds | kubectl apply --server-side -f -"));
  // The CustomResourceDefinitions are replaced.
  server_.without_status.clear();
  loop_.advance(10min);
  EXPECT_EQ(writes(), 101u);
  EXPECT_THAT(problems_["subresource"], Not(HasSubstr("mappings")));
}

TEST_F(WriterTest, TheSubresourceMayGoWhileWeWrite) {
  writer_->lead(true);
  loop_.advance(20s);
  server_.without_status = {Kind::Mapping};
  for (int i = 0; i < 100; ++i) want(fmt::format("m{}", i), good());
  loop_.advance(5min);
  EXPECT_LE(results_[WriteResult::Gone], 16);
  EXPECT_EQ(problems_.size(), 1u);
}

TEST_F(WriterTest, WhereConditionsArePrunedStateAndReasonAreWritten) {
  server_.prunes_conditions = true;
  writer_->lead(true);
  want("a", bad("no"));
  loop_.advance(1s);
  want("b", good());
  loop_.advance(60s);
  EXPECT_EQ(writes(), 2u);
  EXPECT_EQ(server_.statusOf(mapping("a")).dump(), R"({"reason":"no","state":"Inactive"})");
  EXPECT_EQ(server_.statusOf(mapping("b")).dump(), R"({"state":"Running"})");
  EXPECT_EQ(problems_.size(), 1u);
  EXPECT_THAT(problems_["conditions"], HasSubstr("the status of mappings tells state and reason only"));
  for (const ObjectRef& ref : {mapping("a"), mapping("b")}) writer_->observe(server_.observed(ref));
  loop_.advance(60s);
  EXPECT_EQ(writes(), 2u);
}

TEST_F(WriterTest, WhereConditionsAreRefusedStateAndReasonAreWritten) {
  server_.refuses_conditions = true;
  writer_->lead(true);
  want("a", good());
  loop_.advance(1s);
  EXPECT_EQ(server_.statusOf(mapping("a")).dump(), R"({"state":"Running"})");
  EXPECT_EQ(problems_.size(), 1u);
  // Replaced by this version's, and somebody else leads for a while.
  server_.refuses_conditions = false;
  writer_->lead(false);
  writer_->lead(true);
  loop_.advance(1s);
  EXPECT_EQ(reason("a"), "Accepted");
  EXPECT_TRUE(problems_.empty());
}

TEST_F(WriterTest, OneThatIsRefusedHurtsNoOther) {
  writer_->lead(true);
  loop_.advance(1s);
  int asked = 0;
  server_.fault = [&](const std::string&, const kube::Request& request) {
    const bool it = request.path.find("/bad/") != std::string::npos;
    asked += it;
    return it ? every({422, R"({"kind":"Status","message":"too odd"})", {}, ""}, request) : std::nullopt;
  };
  want("bad", good());
  want("fine", good());
  loop_.advance(9min);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(writes(), 1u);
  EXPECT_EQ(problems_["refused"], "the API server refuses the status of Mapping edge/bad: too odd (HTTP 422)");
  // Another verdict is another chance.
  server_.fault = nullptr;
  want("bad", bad("no"));
  loop_.advance(1s);
  EXPECT_EQ(writes(), 2u);
  EXPECT_TRUE(problems_.empty());
}

TEST_F(WriterTest, AForeignFieldInTheStatusIsNoReasonToWriteForEver) {
  writer_->lead(true);
  want("a", good());
  loop_.advance(1s);
  // The server's answer holds more than we sent, of another manager.
  server_.fault = [&, inside = false](const std::string& who,
                                      const kube::Request& request) mutable -> std::optional<kube::Response> {
    if (inside) return std::nullopt;
    inside = true;
    kube::Response response = server_.handle(who, request);
    inside = false;
    auto& object = server_.objects.at(mapping("a"));
    object["status"]["theirs"] = "kept";
    if (response.ok() && request.method == "PATCH") response.body = object.dump();
    return response;
  };
  want("a", bad("no"));
  loop_.advance(1s);
  EXPECT_EQ(writes(), 2u);
  writer_->observe(server_.observed(mapping("a")));
  loop_.advance(60s);
  EXPECT_EQ(writes(), 2u);
  // Somebody writes over ours.
  server_.objects.at(mapping("a"))["status"] = {{"state", "Odd"}};
  writer_->observe(server_.observed(mapping("a")));
  loop_.advance(1s);
  EXPECT_EQ(writes(), 3u);
}

TEST_F(WriterTest, AReasonThatAnotherWroteBeforeUsGoes) {
  const nlohmann::json old = {{"state", "Inactive"}, {"reason", "long ago"}};
  server_.add(mapping("a"), old);
  server_.foreign[mapping("a")] = old;
  writer_->observe(server_.observed(mapping("a")));
  writer_->lead(true);
  want("a", good());
  loop_.advance(1s);
  EXPECT_EQ(server_.statusOf(mapping("a"))["state"], "Running");
  EXPECT_FALSE(server_.statusOf(mapping("a")).contains("reason"));
  EXPECT_EQ(writes(), 3u);
  loop_.advance(60s);
  EXPECT_EQ(writes(), 3u);

  // One that writes it again and again is not fought with.
  server_.foreign[mapping("a")] = {{"reason", "mine"}};
  want("a", good(), 2);
  loop_.advance(60s);
  EXPECT_EQ(writes(), 4u);
  EXPECT_EQ(server_.statusOf(mapping("a"))["reason"], "mine");
}

TEST_F(WriterTest, LosingTheLeadStopsWhatIsUnderWay) {
  writer_->lead(true);
  loop_.advance(1s);
  for (int i = 0; i < 100; ++i) want(fmt::format("m{}", i), good());
  client_.latency = [] { return 1000ms; };
  loop_.advance(1ms);
  writer_->lead(false);
  EXPECT_TRUE(writer_->idle());
  const size_t before = writes();
  loop_.advance(60s);
  EXPECT_EQ(writes(), before);
  EXPECT_EQ(loop_.timers(), 0u);
  client_.latency = [] { return 4ms; };
  writer_->lead(true);
  loop_.advance(1s);
  EXPECT_EQ(writes(), 100u);
}

// ---- Events

TEST_F(WriterTest, AnErrorThatAppearsIsAnEvent) {
  writer_->lead(true);
  want("a", good());
  loop_.advance(1s);
  EXPECT_TRUE(server_.events.empty());
  want("a", bad("spec.prefix: is missing\nspec.service: too"));
  loop_.advance(1s);
  ASSERT_EQ(server_.events.size(), 1u);
  const auto& event = server_.events[0];
  EXPECT_EQ(event["type"], "Warning");
  EXPECT_EQ(event["reason"], "Invalid");
  EXPECT_EQ(event["message"], "spec.prefix: is missing spec.service: too");
  EXPECT_EQ(event["involvedObject"]["uid"], "uid-a");
  EXPECT_EQ(event["involvedObject"]["kind"], "Mapping");
  EXPECT_EQ(event["metadata"]["namespace"], "edge");
  // The same text is told once, another one again.
  want("a", good());
  loop_.advance(1s);
  want("a", bad("spec.prefix: is missing\nspec.service: too"), 2);
  loop_.advance(1s);
  EXPECT_EQ(server_.events.size(), 1u);
  want("a", bad("other"));
  loop_.advance(1s);
  EXPECT_EQ(server_.events.size(), 2u);
}

TEST_F(WriterTest, AnErrorIsAnEventThoughTheSourceSeesItsStatusFirst) {
  writer_->lead(true);
  loop_.advance(1s);
  want("a", bad("no"));
  loop_.advance(3ms);
  ASSERT_EQ(writes(), 1u) << "it has arrived, and the answer is on its way";
  writer_->observe(server_.observed(mapping("a")));
  loop_.advance(1s);
  EXPECT_EQ(server_.events.size(), 1u);
  EXPECT_EQ(writes(), 1u);
}

TEST_F(WriterTest, WhatTheStatusTellsAlreadyIsNoEvent) {
  writer_->lead(true);
  want("a", bad("no"));
  loop_.advance(1s);
  ASSERT_EQ(server_.events.size(), 1u);
  // Another instance, for which only the generation differs.
  ServerClient client("b", loop_, server_);
  WriterOptions options;
  options.wall_clock = [] { return 5; };
  Writer other(options, loop_, client, {nullptr, nullptr, announcer_.get()});
  other.observe(server_.observed(mapping("a")));
  other.want({{mapping("a"), bad("no"), 2}});
  other.lead(true);
  loop_.advance(1s);
  EXPECT_EQ(writes(), 2u);
  EXPECT_EQ(server_.events.size(), 1u);
}

TEST_F(WriterTest, EventsAreBounded) {
  writer_->lead(true);
  loop_.advance(1s);
  for (int i = 0; i < 100; ++i) want(fmt::format("m{}", i), bad(std::string(5000, 'x')));
  loop_.advance(1s);
  EXPECT_EQ(writes(), 100u);
  EXPECT_GE(server_.events.size(), 50u);
  EXPECT_LE(server_.events.size(), 56u);
  EXPECT_LE(server_.events[0]["message"].get<std::string>().size(), 1024u);
}

TEST_F(WriterTest, ForbiddenEventsAreNoneAndToldOnce) {
  int asked = 0;
  server_.fault = [&](const std::string&, const kube::Request& request) -> std::optional<kube::Response> {
    if (!request.path.ends_with("/events")) return std::nullopt;
    ++asked;
    return kube::Response{403, R"({"kind":"Status","message":"no events"})", {}, ""};
  };
  writer_->lead(true);
  for (int i = 0; i < 5; ++i) {
    want(fmt::format("m{}", i), bad("no"));
    loop_.advance(1s);
  }
  EXPECT_EQ(writes(), 5u);
  EXPECT_EQ(asked, 1);
  EXPECT_THAT(problems_["events"], HasSubstr("grant create on events"));
}

}  // namespace
}  // namespace emissary::status
