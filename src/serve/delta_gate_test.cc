// Routes wait for their clusters, clusters for the end of the routes that name them.

#include <gtest/gtest.h>

#include "serve/scripted_client.h"

namespace emissary::serve::testing {
namespace {

using std::chrono::milliseconds;

struct DeltaGateTest : ::testing::Test {
  World world;
  Client client{world};
  const milliseconds bound = world.options.hold_bound;

  void SetUp() override {
    client.publish({eds("a"), endpoints("a"), routes("r", {"a"})});
    client.wildcard(Type::Cluster);
    client.drainAndAck();
    client.subscribe(Type::Endpoints, {"a"});
    client.drainAndAck();
    client.subscribe(Type::Routes, {"r"});
    client.drainAndAck();
    ASSERT_TRUE(client.stream().answered(world.generation));
  }
  std::string heldNames() {
    std::string names;
    for (const ResourceKey& key : client.stream().held()) names.append(key.name).append(" ");
    return names;
  }
};

TEST_F(DeltaGateTest, RoutesWaitForTheAnswerAboutTheirCluster) {
  client.publish({cluster("b"), routes("r", {"a", "b"}, "2")});
  const auto sent = client.drain();
  ASSERT_EQ(show(sent), "cluster +b");
  EXPECT_FALSE(client.stream().sent(world.generation));
  client.ack(sent[0]);
  EXPECT_EQ(show(client.drain()), "routes +r");
  EXPECT_TRUE(client.stream().sent(world.generation));
}

TEST_F(DeltaGateTest, RoutesWaitForTheirOwnClustersOnly) {
  client.subscribe(Type::Routes, {"q"});
  client.publish({cluster("b"), cluster("stuck"), routes("r", {"a", "b"}, "2"), routes("q", {"stuck"})});
  const auto sent = client.drain();
  ASSERT_EQ(show(sent), "cluster +b; cluster +stuck");
  client.ack(sent[0]);
  EXPECT_EQ(show(client.drain()), "routes +r");
}

TEST_F(DeltaGateTest, ARefusedClusterDoesNotHoldTheRest) {
  client.publish({cluster("bad"), routes("r", {"a", "bad"}, "2")});
  client.nack(client.drain()[0]);
  EXPECT_EQ(show(client.drain()), "routes +r");
}

TEST_F(DeltaGateTest, ANewFormOfARefusedClusterIsWaitedForAgain) {
  client.publish({cluster("b", "bad"), routes("r", {"a", "b"}, "2")});
  client.nack(client.drain()[0]);
  client.drainAndAck();
  client.publish({cluster("b", "good"), routes("r", {"a", "b"}, "3")});
  const auto sent = client.drain();
  ASSERT_EQ(show(sent), "cluster +b");
  client.ack(sent[0]);
  EXPECT_EQ(show(client.drain()), "routes +r");
}

// Envoy withholds all answers about clusters while one is warming; it still answers for endpoints.
TEST_F(DeltaGateTest, AcceptedEndpointsSpeakForTheirClusterWhenItsAnswerIsWithheld) {
  client.publish({cluster("stuck")});
  ASSERT_EQ(show(client.drain()), "cluster +stuck");
  client.publish({eds("b"), endpoints("b"), routes("r", {"a", "b"}, "2")});
  ASSERT_EQ(show(client.drain()), "cluster +b");
  client.subscribe(Type::Endpoints, {"b"});
  const auto sent = client.drain();
  ASSERT_EQ(show(sent), "endpoints +b");
  client.pass(milliseconds(100));
  EXPECT_EQ(show(client.drain()), "") << "not yet accepted";
  client.ack(sent[0]);
  client.pass(milliseconds(100));
  EXPECT_EQ(show(client.drainAndAck()), "routes +r");
  EXPECT_FALSE(client.stream().answered(world.generation - 1)) << "the stuck one is unanswered";
}

TEST_F(DeltaGateTest, EndpointsFromBeforeTheClusterProveNothing) {
  client.publish({cluster("x", "1", "a"), routes("r", {"a", "x"}, "2")});
  EXPECT_EQ(show(client.next()), "cluster +x");
  const auto sent = client.drain();
  ASSERT_EQ(show(sent), "endpoints +a");
  client.pass(milliseconds(500));
  EXPECT_EQ(show(client.drain()), "");
  client.ack(sent[0]);
  client.pass(milliseconds(500));
  EXPECT_EQ(show(client.drain()), "routes +r");
}

TEST_F(DeltaGateTest, ASentClusterWithoutAnAnswerCountsAfterTheBound) {
  client.publish({cluster("slow"), routes("r", {"a", "slow"}, "2")});
  ASSERT_EQ(show(client.drain()), "cluster +slow");
  client.pass(bound - milliseconds(1));
  EXPECT_EQ(show(client.drain()), "");
  EXPECT_EQ(client.stream().deadline(), world.now + milliseconds(1));
  client.pass(milliseconds(1));
  EXPECT_EQ(show(client.drain()), "routes +r");
}

TEST_F(DeltaGateTest, OnceAnswersAreWithheldOthersWaitOnlyBriefly) {
  client.publish({cluster("stuck")});
  client.drain();
  client.pass(bound);
  client.publish({cluster("b"), routes("r", {"a", "b"}, "2")});
  ASSERT_EQ(show(client.drain()), "cluster +b");
  client.pass(world.options.stuck_bound);
  EXPECT_EQ(show(client.drain()), "routes +r");
}

TEST_F(DeltaGateTest, RoutesToAClusterThatIsNotThereAreHeldAndSaySo) {
  client.publish({routes("r", {"a", "missing"}, "2")});
  EXPECT_EQ(show(client.drain()), "");
  EXPECT_FALSE(client.stream().sent(world.generation));
  client.pass(bound);
  EXPECT_EQ(heldNames(), "r ");
  EXPECT_EQ(show(client.drain()), "") << "the client keeps its old form";
  EXPECT_TRUE(client.stream().answered(world.generation));
  client.publish({cluster("missing")});
  EXPECT_EQ(show(client.drainAndAck()), "cluster +missing; routes +r");
  EXPECT_EQ(heldNames(), "");
}

TEST_F(DeltaGateTest, HeldRoutesThatArePublishedAnewWithoutTheMissingClusterGo) {
  client.publish({routes("r", {"missing"}, "2")});
  client.drain();
  client.pass(bound);
  ASSERT_EQ(heldNames(), "r ");
  client.publish({routes("r", {"a"}, "3")});
  EXPECT_EQ(show(client.drainAndAck()), "routes +r");
  EXPECT_EQ(heldNames(), "");
}

TEST_F(DeltaGateTest, HeldRoutesThatArePublishedTwiceMoreAreCountedOnce) {
  client.publish({routes("r", {"missing"}, "2")});
  client.drain();
  client.pass(bound);
  client.publish({routes("r", {"missing"}, "3")});
  client.publish({routes("r", {"missing"}, "4")});
  client.drain();
  EXPECT_FALSE(client.stream().answered(world.generation));
  client.pass(bound);
  EXPECT_TRUE(client.stream().answered(world.generation));
}

TEST_F(DeltaGateTest, RoutesOfWhichTheClientHasNoFormGoAfterTheBound) {
  client.publish({routes("fresh", {"a", "missing"})});
  client.subscribe(Type::Routes, {"fresh"});
  EXPECT_EQ(show(client.drain()), "");
  client.pass(bound);
  EXPECT_EQ(show(client.drain()), "routes +fresh");
}

TEST_F(DeltaGateTest, AClientThatTakesNoClustersIsNotGated) {
  Client plain(world);
  plain.subscribe(Type::Routes, {"r"});
  EXPECT_EQ(show(plain.drain()), "routes +r");
}

TEST_F(DeltaGateTest, UnsubscribedRoutesWaitNoMore) {
  client.publish({cluster("b"), routes("r", {"b"}, "2")});
  const auto sent = client.drain();
  client.unsubscribe(Type::Routes, {"r"});
  client.ack(sent[0]);
  EXPECT_EQ(show(client.drain()), "");
  EXPECT_TRUE(client.stream().answered(world.generation));
}

// ---- Listeners with TCP proxies

struct ListenerGateTest : DeltaGateTest {
  void SetUp() override {
    DeltaGateTest::SetUp();
    client.publish({listener("tcp", {"a"}), listener("http", {})});
    client.wildcard(Type::Listener);
    client.drainAndAck();
  }
};

TEST_F(ListenerGateTest, AListenerWaitsForItsClustersAndHoldsNoOther) {
  client.publish({cluster("b"), listener("tcp", {"b"}), listener("http", {"a"}), listener("new", {"b"})});
  const auto sent = client.drain();
  ASSERT_EQ(show(sent), "cluster +b; listener +http");
  client.ack(sent[0]);
  EXPECT_EQ(show(client.drain()), "listener +new; listener +tcp");
}

TEST_F(ListenerGateTest, AListenerIsHeldNoLongerThanTheBound) {
  client.publish({cluster("slow"), listener("tcp", {"slow"})});
  ASSERT_EQ(show(client.drain()), "cluster +slow");
  client.pass(bound);
  EXPECT_EQ(show(client.drain()), "listener +tcp");
}

TEST_F(ListenerGateTest, AClusterGoesAfterTheListenerThatNamesIt) {
  client.subscribe(Type::Routes, {});
  client.publish({routes("r", {}, "2")});
  client.drainAndAck();
  client.publish({cluster("b"), listener("tcp", {"b"})}, {{Type::Cluster, "a"}});
  client.ack(client.drain()[0]);
  const auto sent = client.drain();
  ASSERT_EQ(show(sent), "listener +tcp");
  client.pass(world.options.removal_grace);
  EXPECT_EQ(show(client.drain()), "") << "the new Listener is not answered";
  client.ack(sent[0]);
  client.pass(world.options.removal_grace);
  EXPECT_EQ(show(client.drain()), "cluster -a");
}

// ---- removals

TEST_F(DeltaGateTest, AClusterGoesAfterTheRoutesThatNameItAndAGrace) {
  client.publish({cluster("b"), routes("r", {"b"}, "2")}, {{Type::Cluster, "a"}, {Type::Endpoints, "a"}});
  client.ack(client.drain()[0]);
  const auto sent = client.drain();
  ASSERT_EQ(show(sent), "routes +r");
  client.pass(world.options.removal_grace);
  EXPECT_EQ(show(client.drain()), "") << "the new routes are not answered";
  client.ack(sent[0]);
  client.pass(world.options.removal_grace);
  EXPECT_EQ(show(client.drainAndAck()), "cluster -a");
  client.pass(world.options.removal_grace * 4);
  EXPECT_EQ(show(client.drain()), "");
}

TEST_F(DeltaGateTest, AClusterStaysWhileRefusedRoutesKeepItInUse) {
  client.publish({cluster("b"), routes("r", {"b"}, "bad")}, {{Type::Cluster, "a"}});
  client.ack(client.drain()[0]);
  client.nack(client.drain()[0]);
  for (int i = 0; i < 5; ++i) {
    client.pass(world.options.removal_grace);
    EXPECT_EQ(show(client.drain()), "");
  }
  client.unsubscribe(Type::Routes, {"r"});
  client.pass(world.options.removal_grace);
  EXPECT_EQ(show(client.drain()), "cluster -a");
}

TEST_F(DeltaGateTest, AClusterThatComesBackIsNotRemovedNorSentAgain) {
  client.publish({routes("r", {}, "2")}, {{Type::Cluster, "a"}});
  client.drainAndAck();
  client.pass(world.options.removal_grace / 2);
  client.publish({eds("a")});
  client.pass(world.options.removal_grace * 2);
  EXPECT_EQ(show(client.drain()), "");
}

TEST_F(DeltaGateTest, AClusterThatComesBackAfterItsRemovalIsWaitedForAgain) {
  client.publish({routes("r", {}, "2")}, {{Type::Cluster, "a"}});
  client.drainAndAck();
  client.pass(world.options.removal_grace);
  ASSERT_EQ(show(client.drainAndAck()), "cluster -a");
  client.publish({eds("a"), routes("r", {"a"}, "3")});
  const auto sent = client.drain();
  ASSERT_EQ(show(sent), "cluster +a; endpoints +a");
  client.ack(sent[0]);
  EXPECT_EQ(show(client.drain()), "routes +r");
}

TEST_F(DeltaGateTest, RemovedRoutesAreForgottenWhenTheClientUnsubscribes) {
  client.publish({}, {{Type::Routes, "r"}, {Type::Cluster, "a"}});
  client.pass(world.options.removal_grace);
  EXPECT_EQ(show(client.drain()), "");
  client.unsubscribe(Type::Routes, {"r"});
  client.pass(world.options.removal_grace);
  EXPECT_EQ(show(client.drain()), "cluster -a");
}

}  // namespace
}  // namespace emissary::serve::testing
