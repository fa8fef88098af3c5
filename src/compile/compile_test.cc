// The small pure functions: globs, service texts, order, canary shares, association, endpoints.

#include <gtest/gtest.h>

#include "compile/association.h"
#include "compile/canary.h"
#include "compile/endpoints.h"
#include "compile/glob.h"
#include "compile/order.h"
#include "compile/service_text.h"
#include "compile/upstream.h"

namespace emissary::compile {
namespace {

TEST(Glob, Overlap) {
  struct Row {
    const char* a;
    const char* b;
    bool overlap;
  };
  for (const Row& row : {
           Row{"a.com", "a.com", true},
           Row{"a.com", "b.com", false},
           Row{"*", "a.com", true},
           Row{"*.com", "a.com", true},
           Row{"*.com", "com", false},
           Row{"*.com", ".com", false},
           Row{"*example.com", "*.example.com", true},
           Row{"*example.com", "example.com", false},
           Row{"*.a.com", "*.com", true},
           Row{"*.a.com", "*.b.com", false},
           Row{"a.*", "a.b.*", true},
           Row{"a.*", "b.*", false},
           Row{"a.*", "*.com", true},
           Row{"a.*", "a.com", true},
           Row{"a.*", "a.", false},
           Row{"*.local:8500", "quote.local", false},
           Row{"*.local:8500", "quote.local:8500", true},
           Row{"*a*", "*.com", false},
           Row{".a.com", "*.com", false},
       }) {
    EXPECT_EQ(globsOverlap(row.a, row.b), row.overlap) << row.a << " " << row.b;
    EXPECT_EQ(globsOverlap(row.b, row.a), row.overlap) << row.b << " " << row.a;
  }
}

TEST(ServiceText, GoodOnes) {
  struct Row {
    const char* text;
    const char* scheme;
    const char* host;
    int port;  // 0: none
    bool ip;
  };
  for (const Row& row :
       {Row{"svc", "", "svc", 0, false}, Row{"svc:80", "", "svc", 80, false}, Row{"http://Svc.NS", "http", "svc.ns", 0, false},
        Row{"HTTPS://UP.Case:8443", "https", "up.case", 8443, false}, Row{"[::1]:80", "", "::1", 80, true},
        Row{"10.0.0.1:65535", "", "10.0.0.1", 65535, true}, Row{"::1", "", "::1", 0, true}, Row{"a%2Fb", "", "a%2fb", 0, false},
        Row{"svc/", "", "svc", 0, false}}) {
    const ServiceTextResult result = parseServiceText(row.text);
    EXPECT_EQ(result.error, "") << row.text;
    EXPECT_EQ(result.value.scheme, row.scheme) << row.text;
    EXPECT_EQ(result.value.host, row.host) << row.text;
    EXPECT_EQ(result.value.port.value_or(0), row.port) << row.text;
    EXPECT_EQ(result.value.ip, row.ip) << row.text;
    EXPECT_EQ(result.value.remark, "") << row.text;
  }
  EXPECT_NE(parseServiceText("b:80/path").value.remark, "");
}

TEST(ServiceText, BadOnesSayWhatToWrite) {
  for (const char* text : {"", "b:99999", "b.other:http", "ftp://b", "b:0", "b:", "b:-1", ":80", "a b", "u@b", "[::1", "[b]:80",
                           "b:80:90", "a%zz", "a..b", "b:80x", "http://"}) {
    const ServiceTextResult result = parseServiceText(text);
    EXPECT_NE(result.error.find("; write [http://|https://]name"), std::string::npos) << text << ": " << result.error;
  }
}

TEST(ClusterName, IsUpstreams) {
  EXPECT_EQ(clusterName("cluster_a.edge_edge"), "cluster_a_edge_edge");
  EXPECT_EQ(clusterName("cluster_[::1]:80_edge"), "cluster____1__80_edge");
  const std::string name = clusterName("cluster_" + std::string(60, 'a') + "_edge");
  EXPECT_EQ(name.size(), 57u);
  EXPECT_EQ(name.substr(0, 41), "cluster_" + std::string(32, 'a') + "-");
  EXPECT_NE(name, clusterName("cluster_" + std::string(60, 'a') + "_edgf"));
}

ir::Match matching(const std::string& path, const std::string& host) {
  ir::Match match;
  match.path = path;
  if (!host.empty()) match.host = {ir::HostMatch::Kind::Glob, host};
  return match;
}

TEST(Order, TheWorkedExample) {
  using Kind = ir::StringMatch::Kind;
  std::vector<ir::Match> expected;
  expected.push_back(matching("/p/", "*"));
  expected.back().precedence = 1;
  expected.push_back(matching("/p/.*", "*"));
  expected.back().path_kind = ir::PathMatch::Regex;
  expected.push_back(matching("/p/", "*"));
  expected.back().method = ir::StringMatch{Kind::Exact, "GET"};
  expected.push_back(matching("/p/", "*.foo.com"));
  expected.push_back(matching("/p/", "foo.com"));
  expected.push_back(matching("/p/", "*"));
  expected.back().headers.push_back({"x-a", {Kind::Exact, "b"}});
  expected.push_back(matching("/p/", "*"));
  expected.back().query.push_back({"q", {Kind::Exact, "z"}});
  expected.push_back(matching("/r/", "*"));
  expected.push_back(matching("/q/", "*"));
  expected.push_back(matching("/p/", "*"));
  expected.push_back(matching("/p/", ""));
  for (size_t i = 0; i + 1 < expected.size(); ++i) {
    EXPECT_GT(sortKey(expected[i]), sortKey(expected[i + 1])) << "position " << i + 1;
  }
  const SortKey key = sortKey(matching("/cart/", "shop.example.net"));
  EXPECT_EQ(key.path_length, 6u);
  EXPECT_EQ(key.header_weight, 26u);
  EXPECT_EQ(key.keys, (std::vector<std::string>{"GET", ":authority-shop.example.net"}));
  EXPECT_EQ(sortKey(matching("/ü/", "")).path_length, 3u) << "characters, not bytes";
  ir::Match empty = matching("/p/", "");
  empty.headers.push_back({"x-a", {Kind::Exact, ""}});
  EXPECT_EQ(sortKey(empty).header_weight, 4u) << "no value counts as *";
  EXPECT_EQ(sortKey(empty).keys.back(), "x-a-*");
}

TEST(Order, BuiltInRoutesComeAfterUsersOfTheSamePath) {
  ir::Match built_in = matching("/ambassador/v0/", "");
  built_in.host.kind = ir::HostMatch::Kind::Every;
  for (const char* host : {"", "*", "a.com"}) EXPECT_GT(sortKey(matching("/ambassador/v0/", host)), sortKey(built_in)) << host;
  EXPECT_GT(sortKey(built_in), sortKey(matching("/ambassador/", "a.com")));
}

std::vector<std::pair<size_t, uint32_t>> sharesOf(const std::vector<std::optional<int64_t>>& weights, size_t* problems = nullptr) {
  std::vector<ir::Leg> legs;
  for (const auto& weight : weights) {
    legs.emplace_back();
    legs.back().weight = weight;
  }
  const SharesResult result = shares(legs);
  if (problems) *problems = result.problems.size();
  std::vector<std::pair<size_t, uint32_t>> out;
  for (const Share& share : result.shares) out.emplace_back(share.leg, share.cumulative);
  return out;
}

TEST(Canary, Shares) {
  using Shares = std::vector<std::pair<size_t, uint32_t>>;
  EXPECT_EQ(sharesOf({10}), (Shares{{0, 1'000'000}})) << "a single leg takes all";
  EXPECT_EQ(sharesOf({10, 40, std::nullopt}), (Shares{{0, 100'000}, {1, 500'000}, {2, 1'000'000}}));
  EXPECT_EQ(sharesOf({std::nullopt, 20}), (Shares{{1, 200'000}, {0, 1'000'000}}));
  EXPECT_EQ(sharesOf({std::nullopt, std::nullopt, std::nullopt}), (Shares{{0, 333'333}, {1, 666'666}, {2, 1'000'000}}));
  EXPECT_EQ(sharesOf({100, std::nullopt}), (Shares{{0, 1'000'000}})) << "nothing is left for the other";
  EXPECT_EQ(sharesOf({0, 100}), (Shares{{1, 1'000'000}}));
  size_t problems = 0;
  EXPECT_EQ(sharesOf({20, 30}, &problems), (Shares{{0, 400'000}, {1, 1'000'000}})) << "scaled up";
  EXPECT_EQ(problems, 2u);
  EXPECT_EQ(sharesOf({60, 60}, &problems), (Shares{{0, 1'000'000}})) << "the second is left out, the first scaled up";
  EXPECT_EQ(problems, 2u);
  EXPECT_EQ(sharesOf({0, 0}, &problems), (Shares{}));
  EXPECT_EQ(problems, 2u);
  EXPECT_EQ(sharesOf({INT64_MAX, 50, std::nullopt}, &problems), (Shares{{1, 500'000}, {2, 1'000'000}}));
  EXPECT_EQ(problems, 1u);
}

std::vector<ir::Leg> legsOf(std::string_view roles) {
  std::vector<ir::Leg> legs;
  for (const char role : roles) {
    legs.emplace_back();
    if (role == 's') legs.back().policy.edit().shadow = true;
    if (role == '>') legs.back().policy.edit().redirect.emplace();
  }
  return legs;
}

TEST(Canary, ShadowsAndRedirects) {
  struct Case {
    std::string_view legs;  // s: shadow, >: redirects, r: routes
    std::vector<size_t> takers;
    std::optional<size_t> shadow;
    std::vector<size_t> told;
  };
  const Case cases[] = {{"rs", {0}, 1, {}},
                        {"sr", {1}, 0, {}},
                        {"rsrs", {0, 2}, 1, {3}},
                        {"s", {}, std::nullopt, {0}},
                        {"ss", {}, std::nullopt, {1, 0}},
                        {">", {0}, std::nullopt, {}},
                        {">>", {0}, std::nullopt, {1}},
                        {"r>r", {0, 2}, std::nullopt, {1}},
                        {">rr", {0}, std::nullopt, {1, 2}},
                        {"s>", {1}, std::nullopt, {0}},
                        {"", {}, std::nullopt, {}}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.legs);
    const SharesResult result = shares(legsOf(c.legs));
    std::vector<size_t> takers, told;
    for (const Share& share : result.shares) takers.push_back(share.leg);
    for (const auto& problem : result.problems) told.push_back(problem.leg);
    EXPECT_EQ(takers, c.takers);
    EXPECT_EQ(result.shadow, c.shadow);
    EXPECT_EQ(told, c.told);
  }
}

TEST(Association, HostNamesAndSelectors) {
  ir::Host host;
  host.hostname = "a.com";
  const ir::HostMatch none, same{ir::HostMatch::Kind::Glob, "a.com"}, other{ir::HostMatch::Kind::Glob, "b.com"},
      regex{ir::HostMatch::Kind::Regex, "x"};
  const std::vector<std::pair<std::string, std::string>> shop{{"app", "shop"}};
  EXPECT_TRUE(takes(host, same, {}));
  EXPECT_FALSE(takes(host, other, {}));
  EXPECT_FALSE(takes(host, none, shop));
  EXPECT_TRUE(takes(host, regex, {}));
  host.mapping_selector.emplace();
  EXPECT_FALSE(takes(host, none, shop)) << "an empty selector takes nothing by itself";
  EXPECT_TRUE(takes(host, same, {}));
  host.mapping_selector->match_labels = {{"app", "shop"}};
  EXPECT_TRUE(takes(host, none, shop));
  EXPECT_TRUE(takes(host, same, shop));
  EXPECT_FALSE(takes(host, same, {})) << "both must agree";
  EXPECT_TRUE(takes(host, {ir::HostMatch::Kind::Every, ""}, {}));
  EXPECT_FALSE(takes(host, other, shop));
}

TEST(Endpoints, ServicePortsAreFoundByNumberAndName) {
  model::Service service;
  service.ports = {{"web", 80, "http", "TCP"}, {"adm", 9000, "9000", "TCP"}};
  model::Endpoints endpoints;
  endpoints.subsets = {{{"10.1.0.2", "10.1.0.1"}, {{"web", 8080, "TCP"}, {"adm", 9000, "TCP"}}}};
  const ServiceObjects objects{&service, &endpoints, {}};
  EXPECT_EQ(addressesOf({false, "edge", "cart", 80}, objects), (std::vector<Address>{{"10.1.0.1", 8080}, {"10.1.0.2", 8080}}));
  EXPECT_EQ(addressesOf({false, "edge", "cart", 9000}, objects), (std::vector<Address>{{"10.1.0.1", 9000}, {"10.1.0.2", 9000}}));
  EXPECT_TRUE(addressesOf({false, "edge", "cart", 81}, objects).empty());
  EXPECT_TRUE(addressesOf({false, "edge", "cart", 80}, {nullptr, &endpoints, {}}).empty());
}

// From a Service's ports and an endpoint's to the Service ports that it answers for.
TEST(Endpoints, PortsAreTranslatedAsTheyShould) {
  struct Row {
    const char* what;
    std::vector<model::ServicePort> service;
    model::EndpointPort endpoint;
    std::vector<uint16_t> wanted;
  };
  for (const Row& row : {
           Row{"by number", {{"", 80, "8080", "TCP"}}, {"", 8080, "TCP"}, {80}},
           Row{"the only port, another number", {{"", 80, "8080", "TCP"}}, {"", 9999, "TCP"}, {80}},
           Row{"the only port, a name", {{"web", 80, "http", "TCP"}}, {"web", 8080, "TCP"}, {80}},
           Row{"by name, of several", {{"web", 80, "http", "TCP"}, {"adm", 81, "adm", "TCP"}}, {"web", 8080, "TCP"}, {80}},
           Row{"by number, of several", {{"web", 80, "8080", "TCP"}, {"adm", 81, "8081", "TCP"}}, {"x", 8081, "TCP"}, {81}},
           Row{"two with one target", {{"web", 80, "8080", "TCP"}, {"alt", 81, "8080", "TCP"}}, {"", 8080, "TCP"}, {80, 81}},
           Row{"neither name nor number", {{"web", 80, "8080", "TCP"}, {"adm", 81, "8081", "TCP"}}, {"x", 9, "TCP"}, {}},
           Row{"UDP counts", {{"dns", 53, "53", "UDP"}, {"x", 1, "1", "TCP"}}, {"dns", 53, "UDP"}, {53}},
           Row{"SCTP does not", {{"a", 53, "53", "SCTP"}, {"x", 1, "1", "TCP"}}, {"a", 53, "SCTP"}, {}},
       }) {
    model::Service service;
    service.ports = row.service;
    model::Endpoints endpoints;
    endpoints.subsets = {{{"10.1.0.1"}, {row.endpoint}}};
    std::vector<uint16_t> found;
    for (const uint16_t port : {1, 53, 80, 81}) {
      const auto addresses = addressesOf({false, "edge", "cart", port}, {&service, &endpoints, {}});
      if (!addresses.empty()) found.push_back(port);
      for (const Address& address : addresses) EXPECT_EQ(address.port, row.endpoint.port) << row.what;
    }
    EXPECT_EQ(found, row.wanted) << row.what;
  }
}

ir::Discovery discovered(const model::Service* service, ir::Upstream::Resolver resolver, bool dns_type = false) {
  ir::Upstream upstream;
  upstream.host = "cart.edge";
  upstream.service_namespace = "edge";
  upstream.service_name = "cart";
  upstream.resolver = resolver;
  if (dns_type) upstream.policy.edit().dns_type_given = true;
  return discover(upstream, shapeOf(service));
}

TEST(Endpoints, HowAddressesAreFound) {
  using Kind = ir::Discovery::Kind;
  using Resolver = ir::Upstream::Resolver;
  model::Service service;
  service.cluster_ip = "10.9.0.1";
  EXPECT_EQ(discovered(&service, Resolver::Service), (ir::Discovery{Kind::Endpoints, "clusterip/edge/cart/80", ""}));
  EXPECT_EQ(discovered(&service, Resolver::Service, true), (ir::Discovery{Kind::Dns, "", ""})) << "asked for by dns_type";
  EXPECT_EQ(discovered(&service, Resolver::Endpoint), (ir::Discovery{Kind::Endpoints, "k8s/edge/cart/80", ""}));
  EXPECT_EQ(discovered(nullptr, Resolver::Service), (ir::Discovery{Kind::Dns, "", ""}));
  EXPECT_EQ(discovered(nullptr, Resolver::Endpoint), (ir::Discovery{Kind::Endpoints, "k8s/edge/cart/80", ""}));
  service.cluster_ip = "None";
  EXPECT_EQ(discovered(&service, Resolver::Service), (ir::Discovery{Kind::Dns, "", ""})) << "headless";
  EXPECT_EQ(discovered(&service, Resolver::Endpoint), (ir::Discovery{Kind::Endpoints, "k8s/edge/cart/80", ""}));
  service.type = "ExternalName";
  service.external_name = "DB.example.com";
  for (const Resolver resolver : {Resolver::Service, Resolver::Endpoint}) {
    EXPECT_EQ(discovered(&service, resolver), (ir::Discovery{Kind::Dns, "", "db.example.com"}));
  }
  for (const char* ours : {"localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "::1", "169.254.169.254"}) {
    service.external_name = ours;
    const ir::Discovery found = discovered(&service, Resolver::Service);
    EXPECT_EQ(found.kind, Kind::Endpoints) << ours;
    EXPECT_TRUE(addressesOf({true, "edge", "cart", 80}, {&service, nullptr, {}}).empty()) << ours;
  }
}

TEST(Endpoints, SlicesCountFirstAndTerminatingOnesOnlyWhenNoneIsReady) {
  model::Service service;
  service.ports = {{"", 80, "8080", "TCP"}};
  model::Endpoints endpoints;
  endpoints.subsets = {{{"10.1.0.1"}, {{"", 8080, "TCP"}}}};
  model::EndpointSlice slice;
  slice.ports = {{"", 8080, "TCP"}};
  slice.endpoints = {{{"10.2.0.1"}, true, true, false}, {{"10.2.0.2"}, false, true, true}, {{"10.2.0.3"}, false, false, false}};
  const Assignment assignment{false, "edge", "cart", 80};
  EXPECT_EQ(addressesOf(assignment, {&service, &endpoints, {&slice}}), (std::vector<Address>{{"10.2.0.1", 8080}}));
  slice.endpoints[0].ready = false;
  EXPECT_EQ(addressesOf(assignment, {&service, &endpoints, {&slice}}), (std::vector<Address>{{"10.2.0.2", 8080}}));
}

}  // namespace
}  // namespace emissary::compile
