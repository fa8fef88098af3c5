// A match tree's bytes are put together by hand: they must say what Envoy's messages say.

#include "generate/virtual_host.h"

#include <envoy/config/route/v3/route.pb.h>
#include <envoy/config/route/v3/route_components.pb.h>
#include <gtest/gtest.h>

#include "generate/any.h"
#include "generate/constraints.h"

namespace emissary::generate {
namespace {

namespace route_v3 = envoy::config::route::v3;

/// A piece of two routes: one short, one whose size takes three bytes to write.
std::string piece(const std::string& name) {
  route_v3::VirtualHost out;
  for (const size_t size : {0, 20000}) {
    auto* route = out.add_routes();
    route->set_name(name + std::string(size, 'x'));
    route->mutable_match()->set_prefix("/");
    route->mutable_direct_response()->set_status(200);
  }
  return serialize(out);
}

class VirtualHostTest : public ::testing::Test {
 protected:
  route_v3::VirtualHost parse(const compile::MatchTree& tree) {
    route_v3::RouteConfiguration out;
    EXPECT_TRUE(out.ParseFromString(virtualHost({{}, "a.com", ir::Treatment::Route}, {&a, &b, &c}, tree)));
    EXPECT_EQ(out.virtual_hosts_size(), 1);
    EXPECT_EQ(violation(out), "");
    return out.virtual_hosts(0);
  }

  std::string a = piece("a"), b = piece("b"), c = piece("c");
};

std::string names(const google::protobuf::Any& any) {
  route_v3::RouteList list;
  EXPECT_TRUE(any.UnpackTo(&list));
  EXPECT_EQ(violation(list), "");
  std::string out;
  for (const route_v3::Route& route : list.routes()) out += route.name().substr(0, 1) + (route.name().size() > 1 ? "+" : "");
  return out;
}

TEST_F(VirtualHostTest, AListAsItIs) {
  const route_v3::VirtualHost host = parse({});
  EXPECT_FALSE(host.has_matcher());
  ASSERT_EQ(host.routes_size(), 6);
  EXPECT_EQ(host.routes(4).name(), "c");
}

TEST_F(VirtualHostTest, EachKeyHasItsRoutesInOrder) {
  const route_v3::VirtualHost host = parse({{{"", {2}}, {"/a", {0, 2}}, {"/a/b", {0, 1, 2}}}});
  EXPECT_EQ(host.routes_size(), 0);
  EXPECT_EQ(host.domains(0), "a.com");
  const auto& tree = host.matcher().matcher_tree();
  const auto& map = tree.prefix_match_map().map();
  ASSERT_EQ(map.size(), 2u);
  EXPECT_EQ(names(map.at("/a").action().typed_config()), "aa+cc+");
  EXPECT_EQ(names(map.at("/a/b").action().typed_config()), "aa+bb+cc+");
  EXPECT_EQ(names(host.matcher().on_no_match().action().typed_config()), "cc+");
}

TEST_F(VirtualHostTest, NothingForPathsWithoutAKey) {
  EXPECT_FALSE(parse({{{"", {}}, {"/a", {0, 1, 2}}}}).matcher().has_on_no_match());
}

}  // namespace
}  // namespace emissary::generate
