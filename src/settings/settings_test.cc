#include "settings/settings.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "settings/variables.h"

namespace emissary::settings {
namespace {

using ::testing::HasSubstr;

Settings good(const std::vector<std::string>& arguments, const Environment& env = {}) {
  const Parsed parsed = parse(arguments, env);
  if (const Exit* exit = std::get_if<Exit>(&parsed)) {
    ADD_FAILURE() << exit->err << exit->out;
    return {};
  }
  return std::get<Settings>(parsed);
}

Exit stopped(const std::vector<std::string>& arguments, const Environment& env = {}) {
  const Parsed parsed = parse(arguments, env);
  if (const Exit* exit = std::get_if<Exit>(&parsed)) return *exit;
  ADD_FAILURE() << "was accepted";
  return {};
}

TEST(Settings, EveryVariableIsInTheReference) {
  const Exit page = stopped({"reference"});
  EXPECT_EQ(page.code, 0);
  EXPECT_THAT(page.out, HasSubstr("### emissary run\n"));
  EXPECT_EQ(page.out.find("control-plane"), std::string::npos);
  for (const auto& rows : {variables(), idleVariables()}) {
    for (const Variable& one : rows) EXPECT_THAT(page.out, HasSubstr(fmt::format("| `{}` | ", one.name)));
  }
}

TEST(Settings, VariablesForObjects) {
  const Environment env = {{"CART", "cart"}, {"PORT", "80"}, {"API_TOKEN", "hush"}, {"dbPassword", "hush"}};
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"check", "x"},
                                                    {"compile", "x"},
                                                    {"run", "--config-dir", "x"},
                                                    {"control-plane", "--config-dir", "x"}}) {
    EXPECT_EQ(*good(arguments, env).variables, (model::Variables{{"CART", "cart"}, {"PORT", "80"}})) << arguments[0];
  }
  Environment narrowed = env;
  narrowed["EMISSARY_EXPAND_VARIABLES"] = "PORT, NOBODY ,API_TOKEN,";
  const Settings s = good({"check", "x"}, narrowed);
  EXPECT_EQ(*s.variables, (model::Variables{{"PORT", "80"}}));
  ASSERT_EQ(s.notes.size(), 1u);
  EXPECT_THAT(s.notes[0], HasSubstr("API_TOKEN is not used"));
}

TEST(Settings, DefaultsOfRun) {
  const Settings s = good({"run", "--config-dir", "/x"});
  EXPECT_EQ(s.command, Command::Run);
  EXPECT_EQ(s.config_dir, "/x");
  EXPECT_EQ(s.admin.text(), "127.0.0.1:8877");
  EXPECT_EQ(s.ready.text(), "127.0.0.1:8006");
  EXPECT_EQ(s.envoy_admin_port, 8001);
  EXPECT_EQ(s.ambassador_id, "default");
  EXPECT_EQ(clusterId(s, ""), "07eb43c8-1166-5145-a060-45e4dd907e10");
  EXPECT_EQ(s.ns, "default");
  EXPECT_FALSE(s.single_namespace);
  EXPECT_EQ(s.drain_time_s, 600u);
  EXPECT_EQ(s.grace_s, 30u);
  EXPECT_EQ(s.route_list_limit, 64u);
  EXPECT_FALSE(s.drain_delay_s);
  EXPECT_FALSE(s.envoy_base_id);
  EXPECT_FALSE(s.reconfig_max_delay_s);
  EXPECT_EQ(s.run_arguments, (std::vector<std::string>{"--config-dir", "/x"}));
}

TEST(Settings, VariablesCount) {
  const Settings s = good({"run", "--config-dir", "/x"}, {{"AMBASSADOR_ID", "blue"},
                                                          {"AMBASSADOR_NAMESPACE", "edge"},
                                                          {"AMBASSADOR_SINGLE_NAMESPACE", "false"},
                                                          {"AMBASSADOR_CERTS_SINGLE_NAMESPACE", "0"},
                                                          {"AMBASSADOR_HEALTHCHECK_BIND_ADDRESS", "0.0.0.0"},
                                                          {"AMBASSADOR_HEALTHCHECK_BIND_PORT", "9000"},
                                                          {"AMBASSADOR_READY_PORT", "65000"},
                                                          {"AMBASSADOR_READY_LOG", "Yes"},
                                                          {"AMBASSADOR_ENVOY_BIND_ADDRESS", "10.0.0.1"},
                                                          {"AMBASSADOR_DRAIN_TIME", "20"},
                                                          {"AMBASSADOR_ENVOY_BASE_ID", "0"},
                                                          {"ENVOY_CONCURRENCY", "3"},
                                                          {"AES_LOG_LEVEL", "Debug"},
                                                          {"AMBASSADOR_DEBUG", "diagd,envoy"},
                                                          {"AMBASSADOR_JSON_LOGGING", "t"},
                                                          {"AMBASSADOR_DISABLE_ENDPOINTS", "1"},
                                                          {"AMBASSADOR_METRICS", "all"},
                                                          {"AMBASSADOR_RECONFIG_MAX_DELAY", "4"},
                                                          {"EMISSARY_DRAIN_DELAY_SECONDS", "0"},
                                                          {"EMISSARY_GRACE_SECONDS", "12"},
                                                          {"EMISSARY_ROUTE_LIST_LIMIT", "9"},
                                                          {"DISABLE_STRICT_LABEL_SELECTORS", "True"},
                                                          {"EMISSARY_ENVOY", "/opt/envoy"}});
  EXPECT_FALSE(s.strict_labels);
  EXPECT_EQ(s.ambassador_id, "blue");
  EXPECT_EQ(s.ns, "edge");
  EXPECT_TRUE(s.single_namespace) << "any text turns it on";
  EXPECT_TRUE(s.secrets_single_namespace) << "likewise";
  EXPECT_EQ(s.admin.text(), "0.0.0.0:9000");
  EXPECT_EQ(s.ready.port, 65000);
  EXPECT_TRUE(s.ready_log);
  EXPECT_EQ(s.bind_address, "10.0.0.1");
  EXPECT_EQ(s.drain_time_s, 20u);
  EXPECT_EQ(s.envoy_base_id, 0u);
  EXPECT_EQ(s.envoy_concurrency, 3u);
  EXPECT_EQ(s.log_level, log::Level::Debug);
  EXPECT_TRUE(s.envoy_debug);
  EXPECT_TRUE(s.json_logging);
  EXPECT_FALSE(s.load_balancers);
  EXPECT_TRUE(s.all_envoy_metrics);
  EXPECT_EQ(s.reconfig_max_delay_s, 4u);
  EXPECT_EQ(s.drain_delay_s, 0u);
  EXPECT_EQ(s.grace_s, 12u);
  EXPECT_EQ(s.route_list_limit, 9u);
  EXPECT_EQ(s.envoy, "/opt/envoy");
}

TEST(Settings, Statsd) {
  const auto with = [](Environment env) { return good({"run", "--config-dir", "/x"}, env).statsd; };
  EXPECT_FALSE(with({{"STATSD_HOST", "a"}, {"DOGSTATSD", "true"}}));
  EXPECT_FALSE(with({{"STATSD_ENABLED", "1"}})) << "only the word";
  EXPECT_EQ(with({{"STATSD_ENABLED", "True"}})->host, "statsd-sink");
  const auto all = with({{"STATSD_ENABLED", "true"},
                         {"DOGSTATSD", "TRUE"},
                         {"STATSD_HOST", "a"},
                         {"STATSD_FLUSH_INTERVAL", "9"},
                         {"DD_ENTITY_ID", "e"}});
  EXPECT_TRUE(all->with_tags);
  EXPECT_EQ(all->host, "a");
  EXPECT_EQ(all->interval_s, 9u);
  EXPECT_EQ(all->entity, "e");
}

TEST(Settings, AFlagWinsOverItsVariable) {
  const Settings s = good({"run", "--config-dir=/x", "--namespace=a", "--ambassador-id=b", "--envoy=/e", "--envoy-concurrency=2",
                           "--admin-address=[::1]:7000", "--grace=9", "--drain-delay=3"},
                          {{"AMBASSADOR_NAMESPACE", "z"},
                           {"AMBASSADOR_ID", "z"},
                           {"EMISSARY_ENVOY", "/z"},
                           {"ENVOY_CONCURRENCY", "7"},
                           {"AMBASSADOR_HEALTHCHECK_BIND_ADDRESS", "0.0.0.0"},
                           {"AMBASSADOR_HEALTHCHECK_BIND_PORT", "1"},
                           {"EMISSARY_GRACE_SECONDS", "1"},
                           {"EMISSARY_DRAIN_DELAY_SECONDS", "1"}});
  EXPECT_EQ(s.ns, "a");
  EXPECT_EQ(s.ambassador_id, "b");
  EXPECT_EQ(s.envoy, "/e");
  EXPECT_EQ(s.envoy_concurrency, 2u);
  EXPECT_EQ(s.admin.text(), "[::1]:7000");
  EXPECT_EQ(s.grace_s, 9u);
  EXPECT_EQ(s.drain_delay_s, 3u);
}

TEST(Settings, IpFamilyMovesReadinessAndAdmin) {
  const Settings s = good({"run", "--config-dir", "/x"},
                          {{"AMBASSADOR_HEALTHCHECK_IP_FAMILY", "IPV6_ONLY"}, {"AMBASSADOR_HEALTHCHECK_BIND_ADDRESS", "0.0.0.0"}});
  EXPECT_EQ(s.ready.host, "::1");
  EXPECT_EQ(s.admin.host, "::");
  EXPECT_EQ(good({"run", "--config-dir", "/x"}, {{"AMBASSADOR_HEALTHCHECK_IP_FAMILY", "ipv6_only"}}).notes.size(), 1u);
}

TEST(Settings, AReadyPortOutOfRangeFallsBack) {
  const Settings s = good({"run", "--config-dir", "/x"}, {{"AMBASSADOR_READY_PORT", "70000"}});
  EXPECT_EQ(s.ready.port, 8006);
  EXPECT_EQ(s.notes.size(), 1u);
}

TEST(Settings, LaterOccurrenceWinsForTheControlPlane) {
  const Settings s = good({"control-plane", "--config-dir", "/x", "--drain-delay", "1", "--drain-delay", "5", "--run-dir", "/r"});
  EXPECT_EQ(s.command, Command::ControlPlane);
  EXPECT_EQ(s.drain_delay_s, 5u);
  EXPECT_EQ(s.run_dir, "/r");
}

struct Bad {
  std::vector<std::string> flags;
  Environment env;
  std::string names;
  std::string value;
};

class BadValues : public ::testing::TestWithParam<Bad> {};

TEST_P(BadValues, AreNamedWithTheirCure) {
  std::vector<std::string> arguments{"run", "--config-dir", "/x"};
  arguments.insert(arguments.end(), GetParam().flags.begin(), GetParam().flags.end());
  const Exit exit = stopped(arguments, GetParam().env);
  EXPECT_EQ(exit.code, 2);
  EXPECT_THAT(exit.err, HasSubstr(GetParam().names + ": \"" + GetParam().value + "\""));
  EXPECT_THAT(exit.err, HasSubstr("write "));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadValues,
    ::testing::Values(Bad{{"--admin-address", "localhost:1"}, {}, "--admin-address", "localhost:1"},
                      Bad{{"--admin-address", "::1:80"}, {}, "--admin-address", "::1:80"},
                      Bad{{"--admin-address", "1.2.3.4:70000"}, {}, "--admin-address", "1.2.3.4:70000"},
                      Bad{{"--envoy-admin-port", "0"}, {}, "--envoy-admin-port", "0"},
                      Bad{{"--ads-address", "unix:relative"}, {}, "--ads-address", "unix:relative"},
                      Bad{{"--grace", "soon"}, {}, "--grace", "soon"},
                      Bad{{}, {{"ENVOY_CONCURRENCY", "-1"}}, "ENVOY_CONCURRENCY", "-1"},
                      Bad{{}, {{"AMBASSADOR_READY_PORT", "x"}}, "AMBASSADOR_READY_PORT", "x"},
                      Bad{{}, {{"AMBASSADOR_HEALTHCHECK_BIND_ADDRESS", "host"}}, "AMBASSADOR_HEALTHCHECK_BIND_ADDRESS", "host"},
                      Bad{{}, {{"AMBASSADOR_HEALTHCHECK_BIND_PORT", "1e3"}}, "AMBASSADOR_HEALTHCHECK_BIND_PORT", "1e3"},
                      Bad{{}, {{"EMISSARY_ROUTE_LIST_LIMIT", "none"}}, "EMISSARY_ROUTE_LIST_LIMIT", "none"},
                      Bad{{}, {{"AMBASSADOR_RECONFIG_MAX_DELAY", "0"}}, "AMBASSADOR_RECONFIG_MAX_DELAY", "0"},
                      Bad{{}, {{"AMBASSADOR_ENVOY_BIND_ADDRESS", "eth0"}}, "AMBASSADOR_ENVOY_BIND_ADDRESS", "eth0"},
                      Bad{{}, {{"AMBASSADOR_ENVOY_BASE_ID", "4294967296"}}, "AMBASSADOR_ENVOY_BASE_ID", "4294967296"},
                      Bad{{}, {{"AES_LOG_LEVEL", "loud"}}, "AES_LOG_LEVEL", "loud"}));

TEST(Settings, WhatIsNotInThisVersionSaysSo) {
  for (const std::string name : {"explain", "diff"}) {
    const Exit exit = stopped({name, "--whatever", "x"});
    EXPECT_EQ(exit.code, 2);
    EXPECT_EQ(exit.err, "emissary " + name + ": not in this version\n");
  }
}

TEST(Settings, WhereObjectsComeFrom) {
  EXPECT_THAT(stopped({"run", "--kubeconfig", "x", "--config-dir", "y"}).err, HasSubstr("choose one"));
  EXPECT_EQ(stopped({"run"}).code, 2);
  EXPECT_THAT(stopped({"run"}).err, HasSubstr("not in a cluster"));
  EXPECT_EQ(good({"run", "--kubeconfig", "x"}, {{"KUBECONFIG", "y"}}).kubeconfig, "x");
  EXPECT_EQ(good({"run"}, {{"KUBECONFIG", "y"}, {"KUBERNETES_SERVICE_HOST", "10.0.0.1"}}).kubeconfig, "y");
  EXPECT_EQ(good({"run", "--config-dir", "x"}, {{"KUBECONFIG", "y"}}).kubeconfig, "");
  const Settings s = good({"run"}, {{"KUBERNETES_SERVICE_HOST", "10.0.0.1"},
                                    {"KUBERNETES_SERVICE_PORT", "443"},
                                    {"AMBASSADOR_LABEL_SELECTOR", "a=b"},
                                    {"AMBASSADOR_FIELD_SELECTOR", "metadata.name=c"}});
  EXPECT_EQ(s.kubernetes_host + ":" + s.kubernetes_port, "10.0.0.1:443");
  EXPECT_EQ(s.label_selector, "a=b");
  EXPECT_EQ(s.field_selector, "metadata.name=c");
  EXPECT_EQ(clusterId(s, "9e1f1b5c-0000-4000-8000-000000000001").size(), 36u);
  EXPECT_NE(clusterId(s, "9e1f1b5c-0000-4000-8000-000000000001"), clusterId(s, ""));
}

TEST(Settings, UsageErrors) {
  EXPECT_EQ(stopped({}).code, 2);
  EXPECT_EQ(stopped({"frobnicate"}).code, 2);
  EXPECT_EQ(stopped({"run", "--config-dir", "/x", "--nope"}).code, 2);
  EXPECT_EQ(stopped({"check"}).code, 2);
  EXPECT_EQ(stopped({"check", "x", "--output", "xml"}).code, 2);
}

TEST(Settings, HelpGoesToStandardOutput) {
  EXPECT_EQ(stopped({"--help"}).code, 0);
  const Exit exit = stopped({"run", "--help"});
  EXPECT_EQ(exit.code, 0);
  EXPECT_THAT(exit.out, HasSubstr("--admin-address"));
  EXPECT_THAT(stopped({"--help"}).out, ::testing::Not(HasSubstr("control-plane")));
}

TEST(Settings, OwnAddressesAreThoseOfRun) {
  using ::testing::Contains;
  const Settings check = good({"check", "a"}, {{"AMBASSADOR_HEALTHCHECK_BIND_PORT", "9000"}});
  EXPECT_TRUE(check.strict_labels);
  EXPECT_THAT(ownAddresses(check), Contains("127.0.0.1:9000"));
  EXPECT_THAT(ownAddresses(check), Contains("[::1]:8001"));
  // A mistake in what only `run` uses is no reason not to check.
  EXPECT_THAT(ownAddresses(good({"check", "a"}, {{"AMBASSADOR_HEALTHCHECK_BIND_PORT", "x"}})), Contains("127.0.0.1:8877"));
  Settings run = good({"run", "--config-dir", "/x", "--ads-address", "10.0.0.1:8003", "--admin-address", "0.0.0.0:1"});
  EXPECT_THAT(ownAddresses(run), Contains("10.0.0.1:8003"));
  EXPECT_THAT(ownAddresses(run), Contains("0.0.0.0:1"));
  EXPECT_THAT(ownAddresses(run), Contains("127.0.0.1:1"));
}

TEST(Settings, CheckAndCompile) {
  const Settings check = good({"check", "a", "b", "--output", "json"}, {{"AMBASSADOR_ID", "blue"}});
  EXPECT_EQ(check.command, Command::Check);
  EXPECT_EQ(check.paths, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(check.output, "json");
  EXPECT_EQ(check.ambassador_id, "blue");
  EXPECT_EQ(good({"check", "a"}).output, "text");
  EXPECT_EQ(good({"compile", "a"}).output, "envoy");
  EXPECT_EQ(good({"compile", "--output", "ir", "a"}).output, "ir");
}

TEST(Settings, ExecChild) {
  const Settings s = good({"exec-child", "12", "--", "/bin/true", "-x"});
  EXPECT_EQ(s.command, Command::ExecChild);
  EXPECT_EQ(s.parent, 12);
  EXPECT_EQ(s.child, (std::vector<std::string>{"/bin/true", "-x"}));
  EXPECT_EQ(stopped({"exec-child", "0", "--", "x"}).code, 2);
  EXPECT_EQ(stopped({"exec-child"}).code, 2);
}

}  // namespace
}  // namespace emissary::settings
