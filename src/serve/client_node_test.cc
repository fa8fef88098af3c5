#include "serve/client_node.h"

#include <gtest/gtest.h>

namespace emissary::serve {
namespace {

namespace core_v3 = ::envoy::config::core::v3;

core_v3::Node node(uint32_t minor, uint32_t patch, const std::string& label = "") {
  core_v3::Node out;
  auto* build = out.mutable_user_agent_build_version();
  build->mutable_version()->set_major_number(1);
  build->mutable_version()->set_minor_number(minor);
  build->mutable_version()->set_patch(patch);
  if (!label.empty()) (*build->mutable_metadata()->mutable_fields())["build.label"].set_string_value(label);
  return out;
}

/// One that has everything but `missing`, which it does not list, and `disabled`, which it lists as such.
core_v3::Node without(ir::Extension missing, ir::Extension disabled) {
  core_v3::Node out = node(40, 0);
  for (size_t i = 0; i < ir::kExtensions; ++i) {
    const auto extension = static_cast<ir::Extension>(i);
    if (extension == missing) continue;
    const std::string name(ir::extensionName(extension));
    core_v3::Extension* entry = out.add_extensions();
    entry->set_category(name.substr(0, name.find('/')));
    entry->set_name(name.substr(name.find('/') + 1));
    entry->set_disabled(extension == disabled);
  }
  return out;
}

TEST(ClientNode, AnyVersionIsTaken) {
  EXPECT_EQ(versionOf(node(37, 0)), "1.37.0");
  EXPECT_EQ(versionOf(node(40, 1, "dev")), "1.40.1-dev");
  EXPECT_EQ(versionOf(node(40, 0, "acme.7")), "1.40.0-acme.7");
  core_v3::Node words;
  words.set_user_agent_version("some fork");
  EXPECT_EQ(versionOf(words), "some fork");
  EXPECT_EQ(versionOf(core_v3::Node()), "");
}

TEST(ClientNode, WhatIsNotListedOrDisabledIsMissing) {
  const ir::EnvoyBuild build = buildOf(without(ir::Extension::Lua, ir::Extension::Gzip));
  EXPECT_FALSE(build.has(ir::Extension::Lua));
  EXPECT_FALSE(build.has(ir::Extension::Gzip));
  EXPECT_TRUE(build.has(ir::Extension::Cors));
  EXPECT_EQ(build.version, "1.40.0");
  EXPECT_EQ(build.lacks(ir::Extension::Lua), "this Envoy (1.40.0) has no envoy.filters.http.lua");
}

TEST(ClientNode, WhoSaysNothingHasEverything) {
  EXPECT_EQ(buildOf(node(37, 0)), ir::EnvoyBuild());
  EXPECT_EQ(buildOf(core_v3::Node()), ir::EnvoyBuild());
}

TEST(ClientNode, TheVersionOfACompleteEnvoyMakesNoDifference) {
  std::vector<std::string> all;
  for (size_t i = 0; i < ir::kExtensions; ++i) all.emplace_back(ir::extensionName(static_cast<ir::Extension>(i)));
  EXPECT_EQ(ir::envoyBuild("1.41.2", all), ir::envoyBuild("1.40.0", all));
  EXPECT_EQ(ir::envoyBuild("some fork", all), ir::EnvoyBuild());
}

TEST(ClientNode, AnOldEnvoyTakesOneHealthCheck) {
  const ir::EnvoyBuild old = ir::envoyBuild("1.39.3-acme", {std::string(ir::extensionName(ir::Extension::Lua))});
  EXPECT_TRUE(old.one_health_check);
  EXPECT_EQ(old.called(), "this Envoy (1.39.3-acme)");
  const ir::EnvoyBuild one{"1.37.0", 0, true};
  EXPECT_FALSE(one.complete());
  EXPECT_TRUE(one.serves({}));
  EXPECT_FALSE(ir::EnvoyBuild().serves(one));
  EXPECT_EQ(ir::common({{}, one}), one);
}

TEST(ClientNode, OfSeveralWhatAllHaveCounts) {
  const ir::EnvoyBuild lua{"1.37.0", 1u << static_cast<unsigned>(ir::Extension::Lua)};
  const ir::EnvoyBuild gzip{"1.40.0-acme", 1u << static_cast<unsigned>(ir::Extension::Gzip)};
  const ir::EnvoyBuild all = ir::common({gzip, {}, lua});
  EXPECT_EQ(all, ir::common({lua, gzip, lua}));
  EXPECT_EQ(all.version, "1.37.0, 1.40.0-acme");
  EXPECT_TRUE(all.serves(lua));
  EXPECT_TRUE(all.serves(gzip));
  EXPECT_FALSE(lua.serves(gzip));
  EXPECT_TRUE(lua.serves({}));
}

TEST(ClientNode, IndispensableExtensionsAreMissed) {
  EXPECT_TRUE(ir::indispensable({}).empty());
  EXPECT_EQ(ir::indispensable({"envoy.filters.http/envoy.filters.http.lua"}).size(), 10u);
}

}  // namespace
}  // namespace emissary::serve
