#include "diagnostics/overview.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "diagnostics/features.h"
#include "diagnostics/page.h"
#include "diagnostics/testing.h"

namespace emissary::diagnostics {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::ordered_json;

std::string only(const Json& groups) { return groups.begin().key(); }

TEST(Overview, HasAllKeys) {
  const testing::Stage stage(testing::kBasics);
  const Json json = overview(stage.scene);
  for (const char* key :
       {"system", "envoy_status", "loginfo", "notices", "errors", "route_info", "groups", "cluster_info", "cluster_stats",
        "ambassador_services", "ambassador_resolvers", "ambassador_elements", "envoy_elements", "source_map", "tlscontexts",
        "active_elements", "ambassador_resources", "envoy_resources", "banner_content"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  EXPECT_EQ(json["system"]["ambassador_id"], "blue");
  EXPECT_EQ(json["system"]["hr_uptime"], "1 hour, 1 minute");
  EXPECT_TRUE(json["banner_content"].is_null());
}

TEST(Overview, FilterGivesTheValueOfOneKey) {
  const testing::Stage stage(testing::kBasics);
  EXPECT_EQ(overview(stage.scene, "errors"), Json::array());
  EXPECT_TRUE(overview(stage.scene, "nonsense").is_null());
  EXPECT_TRUE(overview(stage.scene, "banner_content").is_null());
  const Json web = overview(stage.scene, "webui");
  EXPECT_EQ(web.size(), 9u);
  EXPECT_FALSE(web["route_info"][0].contains("_route"));
}

TEST(Overview, RoutesInTheOrderInWhichTheyAreTried) {
  testing::Stage stage(std::string(testing::kBasics) + R"(
---
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: long, namespace: default, labels: {ambassador_diag_class: private}}
spec: {hostname: "a.test", prefix: /quote/long/, service: other, method: GET, headers: {x-a: b}, precedence: 0}
)");
  stage.scene.scheme = "https";
  stage.scene.host = "gw.test";
  const Json routes = overview(stage.scene, "route_info");
  ASSERT_EQ(routes.size(), 2u);
  EXPECT_EQ(routes[0]["key"], "https://a.test/quote/long/");
  EXPECT_EQ(routes[0]["method"], "GET");
  EXPECT_EQ(routes[0]["headers"].dump(), R"([{"name":"x-a","value":"b","regex":false}])");
  EXPECT_EQ(routes[0]["diag_class"], "private");
  EXPECT_EQ(routes[1]["key"], "https://gw.test/quote/");
  EXPECT_EQ(routes[1]["method"], "*");
  EXPECT_EQ(routes[1]["rewrite"], "/");
  EXPECT_EQ(routes[1]["clusters"][0]["service"], "10.0.0.1:9001");
  EXPECT_EQ(routes[1]["clusters"][0]["weight"].dump(), "100");
  EXPECT_EQ(routes[1]["_source"], "quote.default.1");
}

TEST(Overview, GroupIdsAreOfTheMatchAlone) {
  const testing::Stage one(testing::kBasics);
  const testing::Stage two(std::string(testing::kBasics) + R"(
---
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: a-canary, namespace: edge}
spec: {hostname: "*", prefix: /quote/, service: other, weight: 20}
)");
  const Json a = overview(one.scene, "groups"), b = overview(two.scene, "groups");
  ASSERT_EQ(a.size(), 1u);
  ASSERT_EQ(b.size(), 1u);
  EXPECT_EQ(only(a), only(b));
  EXPECT_EQ(only(a).size(), 44u);
  const Json& mappings = b.begin().value()["mappings"];
  ASSERT_EQ(mappings.size(), 2u);
  EXPECT_EQ(mappings[0]["_rkey"], "a-canary.edge.1");
  EXPECT_EQ(mappings[0]["weight"], 20);
  EXPECT_EQ(mappings[1]["cluster_service"], "10.0.0.1:9001");
  EXPECT_NE(only(a), only(overview(testing::Stage(R"(
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: quote, namespace: default}
spec: {hostname: "*", prefix: /quote/, service: other, prefix_exact: true}
)")
                                       .scene,
                                   "groups")));
}

TEST(Overview, AMirrorIsInUse) {
  const testing::Stage stage(std::string(testing::kBasics) + R"(
---
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: mirror, namespace: default}
spec: {hostname: "*", prefix: /quote/, service: other, shadow: true}
)");
  const Json groups = overview(stage.scene, "groups");
  ASSERT_EQ(groups.begin().value()["mappings"].size(), 2u);
  for (const Json& mapping : groups.begin().value()["mappings"]) EXPECT_EQ(mapping["_active"], true) << mapping;
  EXPECT_EQ(overview(stage.scene, "ambassador_elements")["mirror.default.1"]["objects"]["Mapping mirror"]["active"], true);
}

TEST(Overview, ErrorsAndNoticesNameTheObject) {
  const testing::Stage stage(R"(
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: pay, namespace: edge}
spec: {hostname: "*", prefix: /pay/, service: pay, resolver: nope, nosuch: 1}
)",
                             {{Severity::Error, {}, "", "does not parse", "b.yaml", 3}});
  const Json errors = overview(stage.scene, "errors");
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[0][0], "");
  EXPECT_EQ(errors[0][1], "b.yaml:3: does not parse");
  EXPECT_EQ(errors[1][0], "pay.edge.1");
  EXPECT_THAT(errors[1][1].get<std::string>(), HasSubstr("Mapping spec.resolver: \"nope\" is unknown"));
  const Json notices = overview(stage.scene, "notices");
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_EQ(notices[0]["level"], "WARNING");
  EXPECT_THAT(notices[0]["message"].get<std::string>(), ::testing::StartsWith("pay.edge.1: Mapping spec.nosuch: "));
  const Json system = overview(stage.scene, "system");
  EXPECT_EQ(system["env_good"], false);
  EXPECT_EQ(system["env_failures"].dump(), R"(["no Mappings","no TLS contexts"])");
  EXPECT_EQ(system["env_status"]["Error check"].dump(), R"({"status":false,"specifics":[[false,"2 total errors logged"]]})");
}

TEST(Overview, HealthByTheStatisticsOfEnvoy) {
  testing::Stage stage(testing::kBasics);
  const auto color = [&] { return overview(stage.scene, "cluster_stats").begin().value()["hcolor"].get<std::string>(); };
  const auto with = [&](uint64_t completed, uint64_t bad) {
    EnvoyState envoy;
    envoy.updated = std::chrono::steady_clock::time_point{};
    envoy.clusters["10_0_0_1_9001"] = {.completed = completed, .answers_5xx = bad, .healthy_members = 1, .total_members = 1};
    stage.scene.envoy = std::make_shared<EnvoyState>(envoy);
  };
  EXPECT_EQ(color(), "grey");
  EXPECT_EQ(overview(stage.scene, "route_info")[0]["clusters"][0]["_hmetric"], "startup");
  with(0, 0);
  EXPECT_EQ(overview(stage.scene, "route_info")[0]["clusters"][0]["_hmetric"], "waiting");
  with(1000, 104);
  EXPECT_EQ(color(), "green") << "89.6 % is 90 %";
  with(1000, 106);
  EXPECT_EQ(color(), "yellow");
  with(10, 4);
  EXPECT_EQ(color(), "red");
  EXPECT_EQ(overview(stage.scene, "route_info")[0]["clusters"][0]["_hmetric"], 60);
  const Json stats = overview(stage.scene, "cluster_stats").begin().value();
  EXPECT_EQ(stats["upstream_ok"], 6);
  EXPECT_EQ(stats["upstream_bad"], 4);
  EnvoyState strange;
  strange.updated = std::chrono::steady_clock::time_point{};
  stage.scene.envoy = std::make_shared<EnvoyState>(strange);
  EXPECT_EQ(color(), "orange");
}

TEST(Overview, SourceAndEnvoysPiecesOfEachObject) {
  const testing::Stage stage(testing::kBasics);
  const Json json = overview(stage.scene);
  EXPECT_THAT(json["ambassador_resources"]["quote.default.1"].get<std::string>(), HasSubstr("  prefix: /quote/\n"));
  EXPECT_EQ(json["ambassador_elements"]["quote.default.1"]["objects"]["Mapping quote"]["active"], true);
  EXPECT_EQ(json["envoy_elements"]["quote.default.1"]["routes"][0]["match"]["prefix"], "/quote/");
  EXPECT_EQ(json["envoy_elements"]["quote.default.1"]["clusters"].size(), 1u);
  EXPECT_EQ(json["envoy_elements"]["http.default.1"]["listeners"].size(), 1u);
  EXPECT_THAT(json["active_elements"].get<std::vector<std::string>>(),
              ElementsAre("ambassador.default.1", "any.default.1", "http.default.1", "quote.default.1"));
  EXPECT_EQ(json["ambassador_resolvers"][0]["_source"], "--internal--");
}

TEST(Detail, OfAGroupAClusterAndAKey) {
  const testing::Stage stage(std::string(testing::kBasics) + R"(
---
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: other, namespace: edge}
spec: {hostname: "*", prefix: /other/, service: other}
)");
  const Json all = overview(stage.scene);
  const std::string cluster = all["route_info"][0]["clusters"][0]["name"].get<std::string>();
  for (const std::string& source : {"grp-" + all["route_info"][0]["_group_id"].get<std::string>(), cluster,
                                    all["route_info"][0]["_source"].get<std::string>()}) {
    const auto found = detail(stage.scene, source);
    ASSERT_TRUE(found) << source;
    EXPECT_EQ((*found)["source"], source);
    EXPECT_EQ((*found)["groups"].size(), 1u);
    EXPECT_EQ((*found)["cluster_info"].size(), 1u);
    EXPECT_TRUE((*found)["cluster_info"].contains(cluster));
    EXPECT_EQ((*found)["ambassador_resources"].size(), 1u);
    EXPECT_EQ(detail(stage.scene, source, "errors"), Json::array());
  }
  for (const char* unknown : {"grp-", "grp-0", "x.y.1", "..", ""}) EXPECT_FALSE(detail(stage.scene, unknown)) << unknown;
}

TEST(Page, EscapesWhatUsersWroteAndNotTheBanner) {
  testing::Stage stage(R"(
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: evil, namespace: default, labels: {"<b>": "'\""}}
spec: {hostname: "*", prefix: "/\"><script>alert(1)</script>/", service: "<img src=x onerror=alert(2)>", headers: {x-h: "</td><script>"}}
)",
                       {{Severity::Error, {}, "", "</pre><script>alert(3)</script>", "b.yaml", 3}});
  stage.scene.host = "<script>host</script>";
  stage.scene.banner = "<marquee>our own</marquee>";
  const std::string page = overviewPage(overviewForPage(stage.scene));
  EXPECT_THAT(page, HasSubstr("Emissary Diagnostic Overview"));
  EXPECT_THAT(page, HasSubstr("<marquee>our own</marquee>"));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)"));
  for (const char* bad : {"<script", "<img", "<b>"}) EXPECT_THAT(page, Not(HasSubstr(bad)));
  const std::string one = detailPage(*detail(stage.scene, "evil.default.1"));
  EXPECT_THAT(one, HasSubstr("&lt;img src=x"));
  for (const char* bad : {"<script", "<img", "<b>"}) EXPECT_THAT(one, Not(HasSubstr(bad)));
}

TEST(Overview, TcpMappings) {
  const testing::Stage stage(R"(
apiVersion: getambassador.io/v3alpha1
kind: TCPMapping
metadata: {name: blue, namespace: default}
spec: {port: 9000, service: "10.0.0.1:9001"}
---
apiVersion: getambassador.io/v3alpha1
kind: TCPMapping
metadata: {name: green, namespace: default}
spec: {port: 9000, service: "10.0.0.2:9001", weight: 30}
)");
  const Json groups = overview(stage.scene, "groups");
  const auto tcp =
      std::find_if(groups.begin(), groups.end(), [](const Json& group) { return group["kind"] == "IRTCPMappingGroup"; });
  ASSERT_NE(tcp, groups.end());
  EXPECT_EQ((*tcp)["port"], 9000);
  EXPECT_EQ((*tcp)["host"], "*");
  EXPECT_EQ((*tcp)["mappings"][0]["weight"], 70);
  EXPECT_EQ((*tcp)["mappings"][1]["weight"], 30);
  EXPECT_EQ((*tcp)["mappings"][1]["cluster_service"], "10.0.0.2:9001");
  const std::string page = overviewPage(overviewForPage(stage.scene));
  EXPECT_THAT(page, HasSubstr("green.default.1"));
}

TEST(Page, DebugModeIsInTheTitle) {
  const testing::Stage stage(testing::kBasics);
  Json json = overviewForPage(stage.scene);
  EXPECT_THAT(overviewPage(json), Not(HasSubstr("DEBUG MODE")));
  json["system"]["debug_mode"] = true;
  EXPECT_THAT(overviewPage(json), HasSubstr("DEBUG MODE"));
}

TEST(Features, Counts) {
  const testing::Stage stage(testing::kBasics);
  const Json json = features(stage.scene);
  EXPECT_EQ(json["mapping_count"], 1);
  EXPECT_EQ(json["host_count"], 1);
  EXPECT_EQ(json["cluster_count"], 1);
  EXPECT_EQ(json["custom_ambassador_id"], true);
  EXPECT_EQ(json["diagnostics"], false);
  EXPECT_EQ(json["server_name"], false);
  EXPECT_TRUE(json["max_request_headers_kb"].is_null());
  EXPECT_EQ(json["invalid_counts"], Json::object());
}

}  // namespace
}  // namespace emissary::diagnostics
