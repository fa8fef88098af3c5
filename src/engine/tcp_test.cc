// TCPMappings: what a change costs, what is sent, and who is told.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "engine/engine.h"
#include "engine/testing.h"

namespace emissary::engine {
namespace {

using testing::changes;
using Sent = std::vector<std::string>;

std::string ours(const std::string& kind, const std::string& name, const std::string& spec) {
  return fmt::format(
      "---\napiVersion: getambassador.io/v3alpha1\nkind: {}\nmetadata: {{name: {}, namespace: default}}\nspec: {{{}}}\n", kind,
      name, spec);
}
std::string tcp(const std::string& name, const std::string& spec) { return ours("TCPMapping", name, spec); }
std::string listener(const std::string& name, int port, const std::string& protocol) {
  return ours("Listener", name,
              fmt::format("port: {}, protocol: {}, securityModel: XFP, hostBinding: {{namespace: {{from: ALL}}}}", port, protocol));
}
const std::string kHost = ours("Host", "h", "hostname: a.com, tlsSecret: {name: cert}");

class TcpTest : public ::testing::Test {
 protected:
  void SetUp() override { engine_.apply({}); }  // what there is without any object

  const std::string secret_ = testing::secretManifest("default", "cert", "a.com");

  serve::Update apply(const std::string& text) {
    before_ = engine_.evaluations();
    return engine_.apply(changes(text));
  }
  uint64_t evaluated(Table table) const {
    return engine_.evaluations()[static_cast<size_t>(table)] - before_[static_cast<size_t>(table)];
  }
  static Sent sent(const serve::Update& update) {
    Sent out;
    for (const auto& resource : update.upserts)
      out.push_back(fmt::format("{} {}", serve::typeLabel(resource->type), resource->name));
    for (const auto& key : update.removals) out.push_back(fmt::format("-{} {}", serve::typeLabel(key.type), key.name));
    return out;
  }
  /// "severity field: first words" of what is said about `name`.
  Sent about(const std::string& name) {
    Sent out;
    for (const Finding& finding : engine_.findings()) {
      if (finding.object.name == name) {
        out.push_back(fmt::format("{} {}: {}", severityName(finding.severity), finding.field, finding.message.substr(0, 24)));
      }
    }
    return out;
  }
  /// Names of the chains of the Listener called `name`, with the server name of each.
  Sent chains(const std::string& name) {
    Sent out;
    const auto ir = engine_.ir();
    for (const auto& one : ir["listeners"]) {
      if (one["name"] != name) continue;
      for (const auto& chain : one["chains"]) {
        out.push_back(chain["name"].get<std::string>() + " " + (chain.contains("sni") ? chain["sni"].get<std::string>() : ""));
      }
    }
    return out;
  }
  std::vector<std::string> clustersOf(const std::string& name) {
    const auto it = engine_.resources().find({serve::Type::Listener, name});
    return it == engine_.resources().end() ? std::vector<std::string>{"no such Listener"} : it->second->clusters;
  }

  Engine engine_{Options{}};
  std::array<uint64_t, kTables> before_{};
};

TEST_F(TcpTest, APortWithoutAListenerIsOpenedAndWaitsForItsClusters) {
  EXPECT_EQ(sent(apply(tcp("t", "port: 9000, service: \"10.0.0.1:1\""))),
            (Sent{"cluster cluster_10_0_0_1_1_default", "listener listener-0.0.0.0-9000"}));
  EXPECT_EQ(clustersOf("listener-0.0.0.0-9000"), (Sent{"cluster_10_0_0_1_1_default"}));
  EXPECT_EQ(chains("listener-0.0.0.0-9000"), (Sent{"tcphost-t.default "}));
  EXPECT_TRUE(engine_.findings().empty());
  const auto behind = engine_.provenance({serve::Type::Listener, "listener-0.0.0.0-9000"});
  ASSERT_EQ(behind.size(), 1u);
  EXPECT_EQ(behind[0].text(), "TCPMapping default/t");
  EXPECT_EQ(sent(engine_.apply({{{Kind::TCPMapping, "default", "t"}, nullptr}})),
            (Sent{"-cluster cluster_10_0_0_1_1_default", "-listener listener-0.0.0.0-9000"}));
}

TEST_F(TcpTest, AListenersOwnPortIsUsedWhateverItBinds) {
  apply(listener("l", 9000, "TCP"));
  EXPECT_EQ(about("l"), (Sent{"error spec.port: No matching TCPMappings "}));
  EXPECT_EQ(engine_.objectCounts()[Kind::Listener].rejected, 1u);
  EXPECT_EQ(sent(apply(tcp("t", "port: 9000, service: \"10.0.0.1:1\""))),
            (Sent{"cluster cluster_10_0_0_1_1_default", "listener l.default:9000"}));
  EXPECT_TRUE(engine_.findings().empty());
  EXPECT_EQ(engine_.objectCounts()[Kind::Listener].rejected, 0u);
}

TEST_F(TcpTest, AnotherAddressIsAnotherListener) {
  apply(listener("l", 9000, "TCP") + tcp("t", "port: 9000, service: \"10.0.0.1:1\"") +
        tcp("u", "port: 9000, address: 127.0.0.1, service: \"10.0.0.1:1\"") +
        tcp("v", "port: 9000, address: 0.0.0.0, service: \"10.0.0.2:1\", weight: 10"));
  EXPECT_EQ(clustersOf("l.default:9000"), (Sent{"cluster_10_0_0_1_1_default", "cluster_10_0_0_2_1_default"}));
  EXPECT_EQ(clustersOf("listener-127.0.0.1-9000"), (Sent{"cluster_10_0_0_1_1_default"}));
}

TEST_F(TcpTest, AnEndpointOfATcpMappingMovesNoListener) {
  const std::string service =
      "---\napiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: default}\nspec: {clusterIP: 10.0.0.9, ports: [{port: "
      "80}]}\n";
  apply(service + tcp("t", "port: 9000, service: s"));
  const auto update =
      apply(service.substr(0, service.find("10.0.0.9")) + "10.0.0.8" + service.substr(service.find("10.0.0.9") + 8));
  EXPECT_EQ(sent(update), (Sent{"endpoints clusterip/default/s/80"}));
  EXPECT_EQ(evaluated(Table::Listener), 0u);
}

TEST_F(TcpTest, AHostTerminatesBeforeATlsContext) {
  const std::string mapping = tcp("t", "port: 9000, host: a.com, service: \"10.0.0.1:1\"");
  apply(mapping);
  EXPECT_EQ(about("t"), (Sent{"error spec.host: No matching TLSContext f"}));
  EXPECT_EQ(engine_.objectCounts()[Kind::TCPMapping].rejected, 1u);
  EXPECT_EQ(clustersOf("listener-0.0.0.0-9000"), (Sent{"no such Listener"}));

  const std::string context = ours("TLSContext", "c", "hosts: [A.com], secret: other");
  apply(context);
  ASSERT_EQ(about("t").size(), 1u) << "its Secret is missing";
  apply(testing::secretManifest("default", "other", "a.com"));
  EXPECT_EQ(about("t"), (Sent{}));
  EXPECT_EQ(engine_.objectCounts()[Kind::TCPMapping].rejected, 0u);
  EXPECT_EQ(engine_.ir()["listeners"][0]["chains"][0]["secret"], "default/other");

  apply(secret_ + kHost);
  EXPECT_EQ(engine_.ir()["listeners"][0]["chains"][0]["secret"], "default/cert");
  EXPECT_EQ(about("h"), (Sent{})) << "a TCPMapping uses it";
  EXPECT_EQ(sent(apply(testing::secretManifest("default", "cert", "a.com"))), (Sent{"secret certificate/default/cert"}));
}

TEST_F(TcpTest, ATcpMappingBeatsAHostOnOneServerName) {
  apply(secret_ + kHost + listener("tls", 8443, "HTTPS") + tcp("t", "port: 8443, host: a.com, service: \"10.0.0.1:1\""));
  EXPECT_EQ(chains("tls.default:8443"), (Sent{"tcphost-t.default a.com", "httphost-shared "}));
  EXPECT_EQ(about("h"), (Sent{"error spec.hostname: TLS for \"a.com\" on port "}));
  EXPECT_EQ(about("t"), (Sent{}));
}

TEST_F(TcpTest, OneWithoutAHostTakesThePortFromHosts) {
  apply(secret_ + kHost + listener("tls", 8443, "HTTPS") + tcp("t", "port: 8443, service: \"10.0.0.1:1\"") +
        tcp("u", "port: 8443, host: b.com, service: \"10.0.0.1:1\""));
  EXPECT_EQ(chains("tls.default:8443"), (Sent{"tcphost-t.default "}));
  EXPECT_EQ(about("h"), (Sent{"error : is not served on port 84", "notice spec.hostname: no Mapping is for \"a.com"}));
  EXPECT_EQ(about("u"), (Sent{"error spec.host: No matching TLSContext f"}));
}

TEST_F(TcpTest, AHostNeedsTls) {
  apply(secret_ + kHost + listener("plain", 8080, "HTTP") + tcp("t", "port: 8080, host: a.com, service: \"10.0.0.1:1\""));
  EXPECT_EQ(chains("plain.default:8080"), (Sent{"httphost-shared "}));
  EXPECT_EQ(about("t"), (Sent{"error spec.host: \"a.com\" is told by TLS o"}));
}

TEST_F(TcpTest, WhatMustBeEqualInAGroupIs) {
  apply(tcp("a", "port: 9000, service: \"10.0.0.1:1\"") + tcp("b", "port: 9000, service: \"10.0.0.2:1\", idle_timeout_ms: \"1\"") +
        tcp("c", "port: 9000, service: \"10.0.0.3:1\""));
  EXPECT_EQ(about("b"), (Sent{"error spec.idle_timeout_ms: differs from that of TCP"}));
  EXPECT_EQ(engine_.objectCounts()[Kind::TCPMapping].rejected, 1u);
  EXPECT_EQ(clustersOf("listener-0.0.0.0-9000"), (Sent{"cluster_10_0_0_1_1_default", "cluster_10_0_0_3_1_default"}));
  // Written again with a label, it is judged again.
  apply(
      "---\napiVersion: getambassador.io/v3alpha1\nkind: TCPMapping\nmetadata: {name: b, namespace: default, labels: {x: y}}\n"
      "spec: {port: 9000, service: \"10.0.0.2:1\", idle_timeout_ms: \"1\"}\n");
  EXPECT_EQ(engine_.objectCounts()[Kind::TCPMapping].rejected, 1u);
}

TEST_F(TcpTest, WeightsArePercentages) {
  apply(tcp("a", "port: 9000, service: \"10.0.0.1:1\", weight: 70") + tcp("b", "port: 9000, service: \"10.0.0.2:1\""));
  const auto targets = engine_.ir()["listeners"][0]["chains"][0]["tcp"];
  ASSERT_EQ(targets.size(), 2u);
  EXPECT_EQ(targets[0]["percent"], 70.0);
  EXPECT_EQ(targets[1]["percent"], 30.0);
}

}  // namespace
}  // namespace emissary::engine
