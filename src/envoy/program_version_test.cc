#include "envoy/program_version.h"

#include <gtest/gtest.h>

namespace emissary::envoy {
namespace {

TEST(ProgramVersion, AnyVersionIsTaken) {
  EXPECT_EQ(versionIn("\n/opt/envoy  version: 9e55/1.40.0/Clean/RELEASE/BoringSSL\n\n"), "1.40.0");
  EXPECT_EQ(versionIn("envoy  version: 9e55/1.40.1-dev/Modified/DEBUG/BoringSSL"), "1.40.1-dev");
  EXPECT_EQ(versionIn("envoy  version: 9e55/1.40.0-acme.2/Clean/RELEASE/BoringSSL\n"), "1.40.0-acme.2");
  EXPECT_EQ(versionIn("our Envoy, the seventh\nmore"), "our Envoy, the seventh");
  EXPECT_EQ(versionIn("version: half"), "version: half");
  EXPECT_EQ(versionIn("\x1b[1m" + std::string(200, 'x')), " [1m" + std::string(76, 'x'));
  EXPECT_EQ(versionIn(""), "");
}

TEST(ProgramVersion, IsWhatTheProgramSays) {
  EXPECT_EQ(programVersion("/bin/echo", std::chrono::minutes(1)).rfind("echo ", 0), 0u);
  EXPECT_EQ(programVersion("/does/not/exist", std::chrono::minutes(1)), "");
  EXPECT_EQ(programVersion("/bin/cat", std::chrono::milliseconds(0)), "");
}

}  // namespace
}  // namespace emissary::envoy
