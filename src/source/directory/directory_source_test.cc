#include "source/directory/directory_source.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "source/directory/test_support.h"

namespace emissary::source {
namespace {

namespace fs = std::filesystem;

std::string realMapping(const std::string& name, const std::string& prefix) {
  return "---\napiVersion: getambassador.io/v3alpha1\nkind: Mapping\nmetadata: {name: " + name +
         "}\nspec:\n  hostname: '*'\n  prefix: " + prefix + "\n  service: quote\n";
}

std::string prefixOf(const State& state, const std::string& name) {
  const auto found = state.objects.find(mapping(name));
  if (found == state.objects.end()) return "absent";
  const auto* spec = std::get_if<model::Mapping>(&found->second->spec);
  return spec == nullptr ? "unusable" : spec->prefix;
}

TEST(DirectorySource, FollowsRealManifests) {
  ScratchFolder scratch;
  const std::string root = scratch / "conf";
  fs::create_directory(root);
  writeFile(root + "/a.yaml", realMapping("cart", "/cart/") + "---\nkind: Nonsense\nmetadata: {name: x}\n");
  DirectoryOptions options;
  options.path = root;
  Collector collector;
  DirectorySource source(options, collector.sink());
  std::string error;
  ASSERT_TRUE(source.start(error)) << error;
  ASSERT_TRUE(collector.waitForSync());
  State state = collector.state();
  EXPECT_EQ(prefixOf(state, "cart"), "/cart/");
  EXPECT_EQ(state.place("cart"), root + "/a.yaml:2");
  EXPECT_FALSE(state.findings[root + "/a.yaml"].empty());

  replaceFile(root + "/a.yaml", realMapping("cart", "/basket/"));
  EXPECT_TRUE(collector.waitFor([](const State& now) { return prefixOf(now, "cart") == "/basket/" && now.findings.empty(); }));
  collector.takeBatches();
  replaceFile(root + "/a.yaml", realMapping("cart", "/basket/") + realMapping("tea", "/tea/"));
  EXPECT_TRUE(collector.waitFor([](const State& now) { return prefixOf(now, "tea") == "/tea/"; }));
  size_t events = 0;
  for (const Batch& batch : collector.takeBatches()) events += batch.events.size();
  EXPECT_EQ(events, 1u);  // cart is as it was
  source.stop();

  State once;
  once.apply(DirectorySource::readOnce(options));
  EXPECT_EQ(once.text(), collector.state().text());
}

}  // namespace
}  // namespace emissary::source
