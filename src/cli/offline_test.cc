#include "cli/offline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace emissary::cli {
namespace {

using ::testing::HasSubstr;

class OfflineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/offline-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string put(const std::string& name, const std::string& text) const {
    const std::string path = folder_ + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
    return path;
  }
  Offline compiled(const std::vector<std::string>& paths) const {
    settings::Settings settings;
    settings.paths = paths;
    std::string error;
    auto result = compileOffline(settings, error);
    EXPECT_TRUE(result) << error;
    return std::move(*result);
  }
  static std::string mapping(const std::string& name, const std::string& prefix) {
    return "apiVersion: getambassador.io/v3alpha1\nkind: Mapping\nmetadata: {name: " + name +
           ", namespace: edge}\nspec: {hostname: '*', prefix: " + prefix + ", service: '10.0.0.1:80'}\n";
  }
  std::string folder_;
};

TEST_F(OfflineTest, ASecondDefinitionInAnotherPathIsToldWhereTheFirstIs) {
  const std::string a = put("a/x.yaml", mapping("m", "/a/")), b = put("b/x.yaml", "---\n" + mapping("m", "/b/"));
  const Offline offline = compiled({folder_ + "/a", b});
  ASSERT_EQ(offline.errors(), 1u);
  const auto found = std::find_if(offline.findings.begin(), offline.findings.end(),
                                  [](const Finding& f) { return f.severity == Severity::Error; });
  EXPECT_EQ(found->path, b);
  EXPECT_EQ(found->line, 2);
  EXPECT_THAT(line(*found), HasSubstr(b + ":2: error: Mapping edge/m: is already defined at " + a + ":1"));
}

TEST_F(OfflineTest, TheSameFileReachedTwiceIsOne) {
  const std::string a = put("a.yaml", mapping("m", "/a/"));
  put("broken.yaml", "a: [\n");
  const Offline once = compiled({folder_});
  const Offline twice = compiled({folder_, a, folder_ + "/./broken.yaml"});
  EXPECT_EQ(once.errors(), 1u);
  EXPECT_EQ(twice.errors(), 1u);
}

TEST_F(OfflineTest, APathThatDoesNotExistIsAnError) {
  settings::Settings settings;
  settings.paths = {folder_ + "/nothing"};
  std::string error;
  EXPECT_FALSE(compileOffline(settings, error));
  EXPECT_THAT(error, HasSubstr("/nothing"));
}

TEST(FindingLine, LeavesOutWhatIsNotThere) {
  EXPECT_EQ(line({Severity::Error, {Kind::Mapping, "edge", "cart"}, "spec.prefix", "is wrong", "a.yaml", 3}),
            "a.yaml:3: error: Mapping edge/cart: spec.prefix: is wrong");
  EXPECT_EQ(line({Severity::Warning, {}, "", "is odd", "a.yaml", 1}), "a.yaml:1: warning: is odd");
  EXPECT_EQ(line({Severity::Notice, {Kind::Host, "a", "b"}, "", "x\n\x1b[31my", "a.yaml", 1}),
            "a.yaml:1: notice: Host a/b: x  [31my");
}

}  // namespace
}  // namespace emissary::cli
