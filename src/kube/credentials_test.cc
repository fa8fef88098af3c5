#include "kube/credentials.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "kube/testing.h"

namespace emissary::kube {
namespace {

using namespace std::chrono_literals;

class CredentialsTest : public testing::Test {
 protected:
  CredentialsTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "credentials-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    config_.ca.file = folder_ / "ca.crt";
    config_.token_file = folder_ / "token";
    write("ca.crt", "authority 1");
    write("token", "token 1\n");
  }
  ~CredentialsTest() override { std::filesystem::remove_all(folder_); }

  void write(const char* name, const std::string& text) { std::ofstream(folder_ / name) << text; }
  static Credentials::Now now(Credentials& credentials) {
    Credentials::Now got;
    credentials.get([&](const Credentials::Now& now) { got = now; });
    return got;
  }

  std::filesystem::path folder_;
  Config config_;
  FakeLoop loop_;
};

TEST_F(CredentialsTest, FilesAreReadAgainAfterAMinute) {
  Credentials credentials(config_, loop_);
  EXPECT_EQ(now(credentials).authorization, "Bearer token 1");
  write("token", "token 2");
  write("ca.crt", "authority 2");
  EXPECT_EQ(now(credentials).authorization, "Bearer token 1");
  loop_.advance(60s);
  EXPECT_EQ(now(credentials).authorization, "Bearer token 2");
  EXPECT_EQ(now(credentials).ca, "authority 2");
}

TEST_F(CredentialsTest, AServerThatIsNotBelievedMayHaveAnotherAuthority) {
  Credentials credentials(config_, loop_);
  EXPECT_EQ(now(credentials).ca, "authority 1");
  write("ca.crt", "authority 2");
  EXPECT_EQ(now(credentials).ca, "authority 1");
  credentials.distrusted();
  EXPECT_EQ(now(credentials).ca, "authority 2");
  std::filesystem::remove(folder_ / "ca.crt");
  credentials.distrusted();
  EXPECT_EQ(now(credentials).ca, "authority 2") << "a file that is gone costs nothing";
}

}  // namespace
}  // namespace emissary::kube
