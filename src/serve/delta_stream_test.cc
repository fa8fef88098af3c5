#include "serve/delta_stream.h"

#include <gtest/gtest.h>

#include "serve/scripted_client.h"

namespace emissary::serve::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct DeltaStreamTest : ::testing::Test {
  World world;
  Client client{world};

  /// One EDS cluster, its endpoints, a listener and routes to it: served and accepted.
  void serveOne() {
    client.publish({eds("a"), endpoints("a"), other(Type::Listener, "l"), routes("r", {"a"})});
    client.wildcard(Type::Cluster);
    client.drainAndAck();
    client.subscribe(Type::Endpoints, {"a"});
    client.drainAndAck();
    client.wildcard(Type::Listener);
    client.drainAndAck();
    client.subscribe(Type::Routes, {"r"});
    client.drainAndAck();
    ASSERT_TRUE(client.stream().answered(world.generation));
  }
};

// ---- subscriptions

TEST_F(DeltaStreamTest, NothingIsSentBeforeTheFirstPublish) {
  client.wildcard(Type::Cluster);
  client.subscribe(Type::Routes, {"r"});
  client.reconnect(Type::Listener, {}, {other(Type::Listener, "old")});
  EXPECT_EQ(show(client.drain()), "");
  client.publish({cluster("a"), routes("r", {})});
  EXPECT_EQ(show(client.drain()), "cluster +a; listener -old; routes +r");
}

TEST_F(DeltaStreamTest, AnEmptyFirstRequestIsAWildcardOfClustersListenersAndScopes) {
  client.publish({cluster("a"), endpoints("a"), other(Type::Listener, "l"), other(Type::ScopedRoutes, "s"), routes("r", {}),
                  other(Type::Secret, "t")});
  for (int type = 0; type < kTypes; ++type) client.wildcard(static_cast<Type>(type));
  EXPECT_EQ(show(client.drain()), "cluster +a; listener +l; scoped_routes +s");
}

TEST_F(DeltaStreamTest, AStarIsAWildcardAndCanBeTakenBack) {
  client.publish({cluster("a"), cluster("b")});
  client.subscribe(Type::Cluster, {"b", "*"});
  EXPECT_EQ(show(client.drainAndAck()), "cluster +a; cluster +b");
  client.unsubscribe(Type::Cluster, {"*"});
  client.publish({cluster("a", "2"), cluster("b", "2")});
  EXPECT_EQ(show(client.drainAndAck()), "cluster +b");
}

TEST_F(DeltaStreamTest, AnEmptyWildcardIsAnsweredOnce) {
  client.publish({});
  client.wildcard(Type::Cluster);
  const auto answers = client.drain();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_TRUE(answers[0].resources.empty());
  client.ack(answers[0]);
  EXPECT_FALSE(client.next());
}

TEST_F(DeltaStreamTest, NamedSubscriptionsGetWhatTheyName) {
  client.publish({endpoints("a"), endpoints("b"), cluster("c"), cluster("d")});
  client.subscribe(Type::Endpoints, {"b"});
  client.subscribe(Type::Cluster, {"d"});
  EXPECT_EQ(show(client.drainAndAck()), "cluster +d; endpoints +b");
  client.publish({endpoints("a", "2"), cluster("c", "2")});
  EXPECT_EQ(show(client.drainAndAck()), "");
}

TEST_F(DeltaStreamTest, WhatIsUnsubscribedIsSentNoMore) {
  client.publish({other(Type::Secret, "a"), other(Type::Secret, "b")});
  client.subscribe(Type::Secret, {"a", "b"});
  client.drainAndAck();
  client.unsubscribe(Type::Secret, {"a"});
  client.publish({other(Type::Secret, "a", "2"), other(Type::Secret, "b", "2")});
  EXPECT_EQ(show(client.drainAndAck()), "secret +b");
}

TEST_F(DeltaStreamTest, ANewSubscriptionIsAnsweredEvenIfTheClientHadIt) {
  client.publish({other(Type::Secret, "a")});
  client.subscribe(Type::Secret, {"a"});
  client.drainAndAck();
  client.unsubscribe(Type::Secret, {"a"});
  client.subscribe(Type::Secret, {"a"});
  EXPECT_EQ(show(client.drainAndAck()), "secret +a");
  client.subscribe(Type::Secret, {"a"});
  EXPECT_EQ(show(client.drainAndAck()), "secret +a");
}

TEST_F(DeltaStreamTest, AnUnknownClusterOrListenerIsAnsweredByItsRemoval) {
  client.publish({});
  client.subscribe(Type::Cluster, {"x"});
  client.subscribe(Type::Listener, {"y"});
  EXPECT_EQ(show(client.drainAndAck()), "cluster -x; listener -y");
  client.publish({cluster("x")});
  EXPECT_EQ(show(client.drainAndAck()), "cluster +x");
}

TEST_F(DeltaStreamTest, UnknownEndpointsSecretsAndRoutesAreSentWhenTheyCome) {
  client.publish({});
  client.subscribe(Type::Endpoints, {"e"});
  client.subscribe(Type::Secret, {"s"});
  client.subscribe(Type::Routes, {"r"});
  EXPECT_EQ(show(client.drainAndAck()), "");
  client.publish({endpoints("e"), other(Type::Secret, "s"), routes("r", {})});
  EXPECT_EQ(show(client.drainAndAck()), "endpoints +e; secret +s; routes +r");
}

TEST_F(DeltaStreamTest, AnUnchangedVersionIsNotSentAgain) {
  serveOne();
  client.publish({eds("a"), endpoints("a"), other(Type::Listener, "l"), routes("r", {"a"})});
  EXPECT_EQ(show(client.drain()), "");
  EXPECT_TRUE(client.stream().answered(world.generation));
}

TEST_F(DeltaStreamTest, ATypeThatIsNotServedIsIgnored) {
  client.publish({cluster("a")});
  client.request({.subscribe = {"x"}});
  EXPECT_EQ(show(client.drain()), "");
}

// ---- reconnects

TEST_F(DeltaStreamTest, AReconnectedClientGetsOnlyWhatMoved) {
  client.publish({eds("a"), eds("b", "2"), endpoints("a"), endpoints("b"), other(Type::Listener, "l"), routes("r", {"a"})});
  client.reconnect(Type::Cluster, {}, {eds("a"), eds("b")});
  EXPECT_EQ(show(client.drainAndAck()), "cluster +b");
  // Its endpoints are unchanged, but Envoy waits for them: the cluster is new to it.
  client.reconnect(Type::Endpoints, {"a", "b"}, {endpoints("a"), endpoints("b")});
  EXPECT_EQ(show(client.drainAndAck()), "endpoints +b");
  client.reconnect(Type::Listener, {}, {other(Type::Listener, "l"), other(Type::Listener, "gone")});
  client.reconnect(Type::Routes, {"r"}, {routes("r", {"a"})});
  EXPECT_EQ(show(client.drainAndAck()), "listener -gone");
}

TEST_F(DeltaStreamTest, AClusterThatIsLackingIsRemovedLateAfterAReconnect) {
  client.publish({cluster("a"), routes("r", {"a"}, "2")});
  client.reconnect(Type::Cluster, {}, {cluster("a"), cluster("gone")});
  client.reconnect(Type::Routes, {"r"}, {routes("r", {"gone"}, "1")});
  const auto sent = client.drain();
  EXPECT_EQ(show(sent), "routes +r");
  client.pass(world.options.removal_grace);
  EXPECT_EQ(show(client.drain()), "") << "the client may still hold the old routes";
  client.ack(sent[0]);
  client.pass(world.options.removal_grace);
  EXPECT_EQ(show(client.drain()), "cluster -gone");
}

TEST_F(DeltaStreamTest, EndpointsThatALostClientDidNotAnswerAreSentToItsNextStream) {
  serveOne();
  client.publish({eds("a", "2")});
  ASSERT_EQ(show(client.drain()), "cluster +a; endpoints +a");
  client.stream().close();
  // The cluster arrived, its endpoints did not: all that it says it has is current, and yet it waits.
  Client next(world);
  next.reconnect(Type::Cluster, {}, {eds("a", "2")});
  next.reconnect(Type::Endpoints, {"a"}, {endpoints("a")});
  EXPECT_EQ(show(next.drainAndAck()), "endpoints +a");
  Client third(world);
  third.reconnect(Type::Endpoints, {"a"}, {endpoints("a")});
  EXPECT_EQ(show(third.drain()), "");
}

// ---- answers

TEST_F(DeltaStreamTest, AStaleNonceIsIgnoredButItsSubscriptionsCount) {
  client.publish({endpoints("a"), endpoints("b")});
  client.subscribe(Type::Endpoints, {"a"});
  const auto first = client.drain();
  client.request({.type = Type::Endpoints, .subscribe = {"b"}, .nonce = "77", .refused = true, .detail = "stale"});
  client.request({.type = Type::Endpoints, .nonce = "nonsense"});
  EXPECT_EQ(client.nacks, 0u);
  EXPECT_EQ(show(client.drain()), "endpoints +b");
  EXPECT_FALSE(client.stream().answered(world.generation));
  EXPECT_TRUE(world.published.refusals().empty());
}

TEST_F(DeltaStreamTest, ARefusedResourceIsQuarantinedAndANewVersionIsTried) {
  serveOne();
  client.publish({routes("r", {"a"}, "bad")});
  auto sent = client.drain();
  ASSERT_EQ(show(sent), "routes +r");
  client.nack(sent[0], "no such thing");
  EXPECT_EQ(client.nacks, 1u);
  EXPECT_TRUE(client.stream().answered(world.generation));
  ASSERT_EQ(world.published.refusals().size(), 1u);
  EXPECT_EQ(world.published.refusals()[0].detail, "no such thing");
  EXPECT_EQ(world.published.refusals()[0].version, sent[0].resources[0]->version);
  EXPECT_EQ(show(client.drain()), "");

  client.publish({routes("r", {"a"}, "good")});
  EXPECT_TRUE(world.published.refusals().empty());
  EXPECT_EQ(show(client.drainAndAck()), "routes +r");

  client.publish({routes("r", {"a"}, "bad")});
  EXPECT_EQ(show(client.drain()), "") << "this version was refused before";
  EXPECT_EQ(world.published.refusals().size(), 1u);
}

TEST_F(DeltaStreamTest, GoingBackToTheAcceptedFormClearsTheRefusalAndSendsNothing) {
  serveOne();
  client.publish({routes("r", {"a"}, "bad")});
  client.nack(client.drain()[0]);
  client.publish({routes("r", {"a"})});
  EXPECT_EQ(show(client.drain()), "");
  EXPECT_TRUE(world.published.refusals().empty());
}

TEST_F(DeltaStreamTest, ANewClientGetsTheLastAcceptedForm) {
  serveOne();
  client.publish({routes("r", {"a"}, "bad"), cluster("b", "bad")});
  for (const Response& response : client.drain()) client.nack(response);

  Client second(world);
  second.wildcard(Type::Cluster);
  EXPECT_EQ(show(second.drainAndAck()), "cluster +a") << "no form of b was ever accepted";
  second.subscribe(Type::Endpoints, {"a"});
  second.drainAndAck();
  second.subscribe(Type::Routes, {"r"});
  const auto sent = second.drainAndAck();
  ASSERT_EQ(show(sent), "routes +r");
  EXPECT_EQ(sent[0].resources[0]->version, routes("r", {"a"})->version);
}

TEST_F(DeltaStreamTest, ARefusedChunkIsSentAgainOneByOneAndTheInnocentsGetThrough) {
  std::vector<ResourcePtr> many;
  for (int i = 0; i < 40; ++i) many.push_back(cluster(numbered("c", i)));
  client.publish(many);
  client.wildcard(Type::Cluster);
  const auto chunk = client.drain();
  ASSERT_EQ(chunk.size(), 1u);
  ASSERT_EQ(chunk[0].resources.size(), 40u);
  client.nack(chunk[0]);
  EXPECT_TRUE(world.published.refusals().empty()) << "who is guilty is not known yet";
  const auto singles = client.drain();
  ASSERT_EQ(singles.size(), 40u);
  for (const Response& single : singles) {
    ASSERT_EQ(single.resources.size(), 1u);
    single.resources[0]->name == "c7" ? client.nack(single) : client.ack(single);
  }
  ASSERT_EQ(world.published.refusals().size(), 1u);
  EXPECT_EQ(world.published.refusals()[0].key.name, "c7");
  EXPECT_EQ(show(client.drain()), "");
  EXPECT_TRUE(client.stream().answered(world.generation));
}

TEST_F(DeltaStreamTest, WhenAChangedClustersEndpointsAreRefusedItGetsTheLastGoodOnes) {
  serveOne();
  client.publish({eds("a", "2"), endpoints("a", "bad")});
  const auto sent = client.drain();
  ASSERT_EQ(show(sent), "cluster +a; endpoints +a");
  client.nack(sent[1]);
  const auto again = client.drain();
  ASSERT_EQ(show(again), "endpoints +a");
  EXPECT_EQ(again[0].resources[0]->version, endpoints("a")->version);
}

TEST_F(DeltaStreamTest, ARefusalAfterAnUnansweredFormLeavesNoWrongBelief) {
  client.publish({cluster("a", "1")});
  client.wildcard(Type::Cluster);
  client.drainAndAck();
  client.publish({cluster("a", "2")});
  const auto second = client.drain();
  client.publish({cluster("a", "3")});
  const auto third = client.drain();
  client.ack(second[0]);
  client.nack(third[0]);
  // It holds form 2: going back to 1 must be sent.
  client.publish({cluster("a", "1")});
  EXPECT_EQ(show(client.drain()), "cluster +a");
}

TEST_F(DeltaStreamTest, SeveralResponsesMayBeUnansweredAtOnce) {
  client.publish({routes("r1", {}), routes("r2", {}), routes("r3", {})});
  client.subscribe(Type::Routes, {"r1", "r2", "r3"});
  const auto sent = client.drain();
  ASSERT_EQ(show(sent), "routes +r1; routes +r2; routes +r3");
  client.ack(sent[0]);
  client.nack(sent[1]);
  client.ack(sent[2]);
  ASSERT_EQ(world.published.refusals().size(), 1u);
  EXPECT_EQ(world.published.refusals()[0].key.name, "r2");
}

// ---- order

TEST_F(DeltaStreamTest, APushGoesOutInTheOrderInWhichAClientCanUseIt) {
  serveOne();
  client.subscribe(Type::Secret, {"t"});
  client.wildcard(Type::ScopedRoutes);
  client.publish({routes("r", {"a"}, "2"), other(Type::ScopedRoutes, "s"), other(Type::Listener, "l", "2"),
                  other(Type::Secret, "t"), eds("a", "2"), endpoints("a", "2")});
  EXPECT_EQ(show(client.drain()), "cluster +a; endpoints +a; secret +t; listener +l; scoped_routes +s; routes +r");
}

TEST_F(DeltaStreamTest, AChangedClustersEndpointsFollowAtOnceThoughUnchanged) {
  client.publish({eds("a"), eds("b"), endpoints("a"), endpoints("b")});
  client.wildcard(Type::Cluster);
  client.drainAndAck();
  client.subscribe(Type::Endpoints, {"a", "b"});
  client.drainAndAck();
  client.publish({eds("a", "2"), eds("b", "2")});
  EXPECT_EQ(show(client.drainAndAck()), "cluster +a; endpoints +a; cluster +b; endpoints +b");
}

TEST_F(DeltaStreamTest, ChunksAreBoundedInNumberAndBytes) {
  std::vector<ResourcePtr> many;
  for (int i = 0; i < 1200; ++i) many.push_back(cluster(numbered("c", i)));
  client.publish(many);
  client.wildcard(Type::Cluster);
  std::vector<size_t> sizes;
  for (const Response& response : client.drain()) sizes.push_back(response.resources.size());
  EXPECT_EQ(sizes, (std::vector<size_t>{500, 500, 200}));

  many.clear();
  for (int i = 0; i < 30; ++i) many.push_back(endpoints(numbered("e", i), std::string(400'000, 'x')));
  client.publish(many);
  std::vector<std::string> names;
  for (const ResourcePtr& resource : many) names.push_back(resource->name);
  client.subscribe(Type::Endpoints, names);
  const auto sent = client.drain();
  EXPECT_EQ(sent.size(), 10u) << "three of 400 kB pass 1 MB";
}

TEST_F(DeltaStreamTest, AReplacedListenerGoesInTheSameResponseAsItsReplacement) {
  client.publish({other(Type::Listener, "old")});
  client.wildcard(Type::Listener);
  client.drainAndAck();
  client.publish({other(Type::Listener, "new")}, {{Type::Listener, "old"}});
  auto sent = client.drain();
  ASSERT_EQ(show(sent), "listener +new -old");
  client.nack(sent[0]);
  EXPECT_EQ(show(client.drain()), "listener -old") << "a refusal may have kept the removal";
}

TEST_F(DeltaStreamTest, WhatIsPublishedMeanwhileDoesNotOvertake) {
  serveOne();
  client.subscribe(Type::Secret, {"t"});
  client.publish({cluster("b"), other(Type::Secret, "t")});
  EXPECT_EQ(show(client.next()), "cluster +b");
  client.publish({cluster("c"), other(Type::Listener, "needs-c")});
  EXPECT_EQ(show(client.drain()), "secret +t; cluster +c; listener +needs-c");
}

TEST_F(DeltaStreamTest, ChangesOfASlowClientMerge) {
  serveOne();
  for (int i = 2; i < 200; ++i) client.publish({endpoints("a", std::to_string(i))});
  const auto sent = client.drainAndAck();
  ASSERT_EQ(show(sent), "endpoints +a");
  EXPECT_EQ(sent[0].resources[0]->version, endpoints("a", "199")->version);
}

TEST_F(DeltaStreamTest, AClientThatNeverAnswersCostsNoMemory) {
  serveOne();
  for (int i = 2; i < 500; ++i) {
    client.publish({eds("a", std::to_string(i))});
    client.drain();
  }
  EXPECT_LE(client.stream().outstanding(), 2u);
  EXPECT_FALSE(client.stream().answered(world.generation));
}

}  // namespace
}  // namespace emissary::serve::testing
