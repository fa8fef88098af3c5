#include "compile/listener.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <list>

#include "compile/association.h"
#include "compile/partners.h"

namespace emissary::compile {
namespace {

using Layer = model::Listener::Layer;
using From = model::Listener::From;
using Security = model::Listener::SecurityModel;

class CompileListener : public ::testing::Test {
 protected:
  model::Listener& listener(const std::string& name, uint32_t port, bool tls, const std::string& ns = "default") {
    auto object = std::make_shared<Object>();
    object->ref = {Kind::Listener, ns, name};
    model::Listener spec;
    spec.port = port;
    spec.from = From::ALL;
    spec.stack = {Layer::HTTP, Layer::TCP};
    if (tls) spec.stack.insert(spec.stack.begin(), Layer::TLS);
    object->spec = spec;
    listeners_.push_back(object);
    return std::get<model::Listener>(object->spec);
  }

  ir::Host& host(const std::string& name, const std::string& hostname, bool tls = false, const std::string& ns = "default") {
    ir::Host& host = hosts_.emplace_back();
    host.ref = {Kind::Host, ns, name};
    host.hostname = hostname;
    if (tls) {
      host.tls.emplace();
      host.tls->secret_namespace = ns;
      host.tls->secret_name = "cert";
    }
    return host;
  }

  Topology run() {
    TopologyInput input;
    input.listeners = listeners_;
    for (const ir::Host& host : hosts_) input.hosts.push_back(&host);
    input.namespace_labels = [](const std::string& ns) { return Labels{{"kubernetes.io/metadata.name", ns}}; };
    return compileTopology(input, installation_);
  }

  const ir::VirtualHost& virtualHost(const Topology& topology, const std::string& table, const std::string& hostname) {
    static const ir::VirtualHost kNone;
    const auto it = topology.tables.find(table);
    if (it == topology.tables.end()) {
      ADD_FAILURE() << "no table " << table;
      return kNone;
    }
    for (const ir::VirtualHost& host : it->second.virtual_hosts) {
      if (host.hostname == hostname) return host;
    }
    ADD_FAILURE() << "no virtual host " << hostname;
    return kNone;
  }

  std::string told(const std::string& name) {
    const Topology topology = run();
    std::string out;
    for (const Finding& finding : topology.findings) {
      if (finding.object.name == name) out += finding.message;
    }
    return out;
  }

  std::vector<ObjectPtr> listeners_;
  std::list<ir::Host> hosts_;
  Installation installation_;
};

TEST_F(CompileListener, PortsCountOnlyWhereAHostNamesOne) {
  listener("web", 8080, false);
  host("a", "a.com");
  EXPECT_TRUE(run().tables.at("listener/default/web").any_port);
  host("b", "b.com:8500");
  host("c", "*.c.com");
  host("all", "*");
  const Topology topology = run();
  EXPECT_FALSE(topology.tables.at("listener/default/web").any_port);
  EXPECT_EQ(virtualHost(topology, "listener/default/web", "a.com").with_ports, (std::vector<std::string>{"a.com:8080", "a.com:*"}));
  EXPECT_EQ(virtualHost(topology, "listener/default/web", "b.com:8500").with_ports, std::vector<std::string>());
  EXPECT_EQ(virtualHost(topology, "listener/default/web", "*.c.com").with_ports, std::vector<std::string>{"*.c.com:8080"});
  EXPECT_EQ(virtualHost(topology, "listener/default/web", "*").with_ports, std::vector<std::string>());
}

TEST_F(CompileListener, ManyHostsOfWhichOneNamesAPortShareATable) {
  listener("web", 8080, false);
  for (int i = 0; i < 6; ++i)
    host("h" + std::to_string(i), "h" + std::to_string(i) + ".com").insecure_action = model::Host::InsecureAction::Route;
  EXPECT_FALSE(run().listeners.at(0).chains.at(0).scopes.empty());
  host("p", "p.com:81");
  EXPECT_TRUE(run().listeners.at(0).chains.at(0).scopes.empty());
}

TEST_F(CompileListener, RedirectsGoToTheOneTlsListener) {
  listener("web", 8080, false);
  listener("tls", 8443, true);
  host("a", "a.com", true);
  host("plain", "plain.com");
  host("ported", "a.com:8080", true);
  const Topology one = run();
  EXPECT_EQ(virtualHost(one, "listener/default/web", "a.com").redirect_from, 8080u);
  EXPECT_EQ(virtualHost(one, "listener/default/web", "a.com").redirect_to, 8443u);
  EXPECT_EQ(virtualHost(one, "listener/default/web", "plain.com").redirect_to, 0u);
  EXPECT_EQ(virtualHost(one, "listener/default/web", "a.com:8080").redirect_to, 0u);
  EXPECT_EQ(virtualHost(one, "listener/default/tls", "a.com").redirect_to, 0u) << "the cleartext chain of the same port";
  listener("tls2", 8444, true);
  EXPECT_EQ(virtualHost(run(), "listener/default/web", "a.com").redirect_to, 0u) << "which of the two?";
}

TEST_F(CompileListener, AWildcardsChainAnswers421ForNamesWithAChainOfTheirOwn) {
  listener("tls", 8443, true);
  host("all", "*", true);
  host("wild", "*.w.com", true);
  const auto misdirected = [this](const std::string& table) { return run().tables.at(table).misdirected; };
  using Names = std::vector<std::string>;
  const std::string all = "listener/default/tls/sni/*", wild = "listener/default/tls/sni/*.w.com";
  EXPECT_EQ(misdirected(all), (Names{"*.w.com"}));
  EXPECT_EQ(misdirected(wild), (Names{"*"}));
  host("below", "a.b.w.com", true);
  host("plain", "c.w.com");
  EXPECT_EQ(misdirected(all), (Names{"*.w.com", "a.b.w.com"}));
  EXPECT_EQ(misdirected(wild), (Names{"a.b.w.com", "*"})) << "and not the one without a chain";
  EXPECT_EQ(misdirected("host/default/below/route"), (Names{"*"}));
  host("ported", "*.w.com:8500", true);
  EXPECT_EQ(misdirected(wild), (Names{"a.b.w.com", "*", "a.b.w.com:8443", "a.b.w.com:*"}));
  host("odd", "a.b.w.com:8443:1", true);
  host("all-ported", "*:8443", true);
  Names names = misdirected(all);
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end()) << "Envoy takes no name twice";
  EXPECT_EQ(std::count(names.begin(), names.end(), "a.b.w.com:8443"), 1);
}

TEST_F(CompileListener, OurOwnPorts) {
  host("a", "a.com");
  listener("web", 8877, false);
  EXPECT_EQ(told("web"), "");
  installation_.forbidden_upstreams = {"127.0.0.1:8877", "[::1]:8877", "0.0.0.0:8006"};
  EXPECT_EQ(told("web"), "8877 is a port of the gateway's own administration; choose another");
  EXPECT_TRUE(run().listeners.empty());
  EXPECT_EQ(ownPortProblem(installation_, "10.0.0.1", 8877), "") << "an address of its own";
  EXPECT_NE(ownPortProblem(installation_, "127.0.0.1", 8877), "");
  EXPECT_NE(ownPortProblem(installation_, "::1", 8877), "");
  EXPECT_NE(ownPortProblem(installation_, "10.0.0.1", 8006), "");
  EXPECT_EQ(ownPortProblem(installation_, "::", 8006), "");
  EXPECT_EQ(ownPortProblem(installation_, "0.0.0.0", 877), "");
}

TEST_F(CompileListener, OneOverUdpTakesNoPortOverTcp) {
  host("a", "a.com");
  listener("a-first", 8080, true).stack = {Layer::TLS, Layer::HTTP, Layer::UDP};
  listener("web", 8080, false);
  const Topology topology = run();
  ASSERT_EQ(topology.listeners.size(), 1u);
  EXPECT_EQ(topology.listeners[0].name, "web.default:8080");
  EXPECT_EQ(told("web"), "");
}

TEST_F(CompileListener, AHostThatNoListenerTakes) {
  host("shop", "shop.com", false, "edge");
  EXPECT_NE(told("shop").find("there is no Listener, so nothing is served; add one"), std::string::npos) << told("shop");
  listener("far", 8080, false).from = From::SELF;
  model::Listener& near = listener("near", 8081, false);
  near.host_selector.emplace();
  near.host_selector->match_labels = {{"tier", "public"}};
  EXPECT_EQ(told("shop"),
            "no Listener takes this Host. Nearest is Listener default/near: its hostBinding.selector asks for labels that the Host "
            "lacks; write metadata: {labels: {tier: public}} in the Host");
  EXPECT_EQ(labelsYaml({{{"n", "2"}, {"on-call", "true"}, {"empty", ""}, {"v", "v2"}}, {}}),
            R"({empty: "", "n": "2", on-call: "true", v: v2})");
  listeners_.pop_back();
  EXPECT_EQ(told("shop"),
            "no Listener takes this Host. Nearest is Listener default/far: it takes Hosts of its own namespace default only; write "
            "hostBinding: {namespace: {from: ALL}} in it");
  EXPECT_NE(
      told("far").find("No matching Hosts found, so the Listener is not opened. Nearest is Host edge/shop: it takes Hosts of"),
      std::string::npos)
      << told("far");
  auto& spec = listener("other", 8082, false);
  spec.from = From::SELECTOR;
  spec.namespace_selector.match_labels = {{"zone", "x"}};
  EXPECT_NE(told("other").find("label the Namespace with labels: {zone: x}"), std::string::npos) << told("other");
}

TEST_F(CompileListener, AListenerThatCanServeNoneOfItsHosts) {
  listener("tls", 8443, true).security_model = Security::SECURE;
  EXPECT_NE(told("tls").find("metadata: {name: all, namespace: default}"), std::string::npos) << told("tls");
  host("a", "a.com").insecure_action = model::Host::InsecureAction::Reject;
  EXPECT_NE(told("tls").find("none terminates TLS"), std::string::npos) << told("tls");
  listener("plain", 8080, false).security_model = Security::INSECURE;
  EXPECT_NE(told("plain").find("reject insecure requests"), std::string::npos) << told("plain");
}

TEST_F(CompileListener, LooseSelectors) {
  model::Listener& web = listener("web", 8080, false);
  web.host_selector.emplace();
  web.host_selector->match_labels = {{"tier", "public"}, {"zone", "x"}};
  host("a", "a.com").labels = {{"tier", "public"}};
  EXPECT_TRUE(run().listeners.empty());
  installation_.strict_labels = false;
  EXPECT_EQ(run().listeners.size(), 1u);

  ir::Host shop;
  shop.hostname = "a.com";
  shop.mapping_selector.emplace();
  shop.mapping_selector->match_labels = {{"app", "shop"}, {"tier", "gold"}};
  const ir::HostMatch same{ir::HostMatch::Kind::Glob, "a.com"}, other{ir::HostMatch::Kind::Glob, "b.com"};
  EXPECT_FALSE(takes(shop, same, {}));
  EXPECT_TRUE(takes(shop, same, {}, false)) << "the name alone";
  EXPECT_TRUE(takes(shop, other, {{"app", "shop"}}, false)) << "one label alone";
  EXPECT_FALSE(takes(shop, other, {{"app", "pay"}}, false));
}

}  // namespace
}  // namespace emissary::compile
