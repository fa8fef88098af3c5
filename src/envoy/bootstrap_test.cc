#include "envoy/bootstrap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace emissary::envoy {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Folder : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/bootstrap-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    path_ = pattern + "/";
  }
  void TearDown() override { std::filesystem::remove_all(path_); }
  void put(const std::string& name, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(path_ + name).parent_path());
    std::ofstream(path_ + name) << text;
  }
  std::string path_;
};

TEST(Bootstrap, AsksForEverythingByDeltaAdsOverTheSocket) {
  BootstrapOptions options;
  options.ads_address = "unix:/run/x/ads.sock";
  options.node_cluster = "blue-edge";
  const auto json = nlohmann::json::parse(bootstrap(options));
  EXPECT_EQ(json["node"]["cluster"], "blue-edge");
  const auto& ads = json["dynamic_resources"]["ads_config"];
  EXPECT_EQ(ads["api_type"], "DELTA_GRPC");
  EXPECT_EQ(ads["grpc_services"][0]["envoy_grpc"]["retry_policy"]["retry_back_off"]["max_interval"], "1s");
  for (const char* kind : {"cds_config", "lds_config"}) {
    EXPECT_EQ(json["dynamic_resources"][kind]["resource_api_version"], "V3");
    EXPECT_EQ(json["dynamic_resources"][kind]["initial_fetch_timeout"], "0s");
  }
  const auto& cluster = json["static_resources"]["clusters"][0];
  EXPECT_EQ(cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]["pipe"]["path"],
            "/run/x/ads.sock");
  EXPECT_EQ(json["stats_flush_on_admin"], true);
  EXPECT_EQ(json["deferred_stat_options"]["enable_deferred_creation_stats"], true);
  EXPECT_FALSE(json["admin"].contains("access_log"));
  EXPECT_EQ(json["admin"]["address"]["socket_address"]["address"], "127.0.0.1");
}

TEST(Bootstrap, AdsOverTcp) {
  BootstrapOptions options;
  options.ads_address = "[::1]:8003";
  const auto json = nlohmann::json::parse(bootstrap(options));
  const auto& address = json["static_resources"]["clusters"][0]["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
                            ["address"]["socket_address"];
  EXPECT_EQ(address["address"], "::1");
  EXPECT_EQ(address["port_value"], 8003);
}

TEST(Bootstrap, ReadinessListener) {
  BootstrapOptions options;
  options.ready = {"::1", 9006};
  auto listener = nlohmann::json::parse(bootstrap(options))["static_resources"]["listeners"][0];
  EXPECT_EQ(listener["name"], "ambassador-listener-ready-::1-9006");
  const auto& manager = listener["filter_chains"][0]["filters"][0]["typed_config"];
  EXPECT_EQ(manager["stat_prefix"], "ready_http");
  EXPECT_FALSE(manager.contains("access_log"));
  options.ready_log = true;
  listener = nlohmann::json::parse(bootstrap(options))["static_resources"]["listeners"][0];
  EXPECT_EQ(listener["filter_chains"][0]["filters"][0]["typed_config"]["access_log"].size(), 1u);
}

TEST(Bootstrap, FiguresForStatsd) {
  BootstrapOptions options;
  auto json = nlohmann::json::parse(bootstrap(options));
  EXPECT_FALSE(json.contains("stats_sinks") || json.contains("stats_flush_interval"));
  options.statsd = settings::Statsd{.host = "10.0.0.9", .interval_s = 7, .entity = "pod-7"};
  json = nlohmann::json::parse(bootstrap(options));
  EXPECT_EQ(json["stats_sinks"][0]["name"], "envoy.stat_sinks.statsd");
  EXPECT_EQ(json["stats_sinks"][0]["typed_config"]["address"]["socket_address"],
            nlohmann::json::parse(R"({"address": "10.0.0.9", "port_value": 8125, "protocol": "UDP"})"));
  EXPECT_EQ(json["stats_flush_interval"], "7s");
  EXPECT_FALSE(json.contains("stats_flush_on_admin") || json.contains("stats_config"));
  options.statsd->with_tags = true;
  json = nlohmann::json::parse(bootstrap(options));
  EXPECT_EQ(json["stats_sinks"][0]["name"], "envoy.stat_sinks.dog_statsd");
  EXPECT_EQ(json["stats_config"]["stats_tags"][0]["fixed_value"], "pod-7");
}

TEST(Bootstrap, HeapOnlyWithAMemoryLimit) {
  BootstrapOptions options;
  options.max_connections = 77;
  auto overload = nlohmann::json::parse(bootstrap(options))["overload_manager"];
  EXPECT_EQ(overload["resource_monitors"].size(), 1u);
  EXPECT_EQ(overload["resource_monitors"][0]["typed_config"]["max_active_downstream_connections"], 77);
  EXPECT_FALSE(overload.contains("actions"));
  options.memory_limit = 1000;
  overload = nlohmann::json::parse(bootstrap(options))["overload_manager"];
  EXPECT_EQ(overload["resource_monitors"][1]["typed_config"]["max_heap_size_bytes"], 800);
  EXPECT_EQ(overload["actions"].size(), 2u);
}

using MemoryLimit = Folder;

TEST_F(MemoryLimit, OfVersion2IsTheSmallestOnTheWayUp) {
  put("proc/self/cgroup", "0::/kube/pod\n");
  put("sys/fs/cgroup/kube/pod/memory.max", "max\n");
  put("sys/fs/cgroup/kube/memory.max", "2000\n");
  EXPECT_EQ(memoryLimit(path_), 2000u);
  put("sys/fs/cgroup/kube/pod/memory.max", "1000\n");
  EXPECT_EQ(memoryLimit(path_), 1000u);
}

TEST_F(MemoryLimit, OfVersion1) {
  put("proc/self/cgroup", "5:devices:/\n4:cpu,memory:/docker/abc\n0::/\n");
  put("sys/fs/cgroup/memory/memory.limit_in_bytes", "4096\n");  // a container's mount shows its own group as the root
  EXPECT_EQ(memoryLimit(path_), 4096u);
  put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_FALSE(memoryLimit(path_));
}

TEST_F(MemoryLimit, NoneWithoutControlGroups) { EXPECT_FALSE(memoryLimit(path_)); }

TEST(MaxConnections, FitsTheOpenFiles) {
  EXPECT_EQ(maxConnections(21'000), 10'000u);
  EXPECT_EQ(maxConnections(10), 100u);
  EXPECT_EQ(maxConnections(~uint64_t{0}), 1'000'000u);
}

TEST(Arguments, WithoutHotRestartUnlessABaseIdIsAsked) {
  settings::Settings settings;
  auto arguments = envoy::arguments(settings, "/e", "/b.json", false);
  EXPECT_THAT(arguments, AllOf(Contains("--disable-hot-restart"), Not(Contains("--base-id")), Not(Contains("--concurrency")),
                               Contains("warn")));
  settings.envoy_base_id = 7;
  settings.envoy_concurrency = 2;
  settings.envoy_debug = true;
  arguments = envoy::arguments(settings, "/e", "/b.json", true);
  EXPECT_THAT(arguments, AllOf(Not(Contains("--disable-hot-restart")), Contains("--base-id"), Contains("7"),
                               Contains("--concurrency"), Contains("trace")));
}

TEST(EnvoyEnvironment, HoldsNothingThatAMappingCouldLeak) {
  EXPECT_THAT(environment({{"PATH", "/bin"},
                           {"TZ", "UTC"},
                           {"LC_ALL", "C"},
                           {"AWS_SECRET_ACCESS_KEY", "x"},
                           {"HOME", "/root"},
                           {"EMISSARY_X", "y"}}),
              ElementsAre("LC_ALL=C", "PATH=/bin", "TZ=UTC"));
}

using FindEnvoy = Folder;

TEST_F(FindEnvoy, TheOneAskedForThenPathThenBesideTheProgram) {
  std::string error;
  EXPECT_EQ(find("", {{"PATH", path_ + "bin"}}, path_ + "own/emissary", error), "");
  EXPECT_THAT(error, HasSubstr("--envoy"));
  put("own/envoy", "");
  EXPECT_EQ(find("", {{"PATH", path_ + "bin"}}, path_ + "own/emissary", error), "") << "not executable";
  chmod((path_ + "own/envoy").c_str(), 0755);
  EXPECT_EQ(find("", {{"PATH", path_ + "bin"}}, path_ + "own/emissary", error), path_ + "own/envoy");
  put("bin/envoy", "");
  chmod((path_ + "bin/envoy").c_str(), 0755);
  EXPECT_EQ(find("", {{"PATH", "/nowhere:" + path_ + "bin"}}, path_ + "own/emissary", error), path_ + "bin/envoy");
  EXPECT_EQ(find(path_ + "own/envoy", {{"PATH", path_ + "bin"}}, "", error), path_ + "own/envoy");
  EXPECT_EQ(find(path_ + "missing", {{"PATH", path_ + "bin"}}, "", error), "");
  EXPECT_THAT(error, HasSubstr(path_ + "missing"));
}

using WriteFile = Folder;

TEST_F(WriteFile, ReadableByUsOnly) {
  std::string error;
  ASSERT_TRUE(writeFile(path_ + "b", "text", error)) << error;
  struct stat info{};
  ASSERT_EQ(stat((path_ + "b").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_FALSE(writeFile(path_ + "no/such", "text", error));
  EXPECT_THAT(error, HasSubstr("no/such"));
}

}  // namespace
}  // namespace emissary::envoy
