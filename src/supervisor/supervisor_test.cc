#include "supervisor/supervisor.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include "supervisor/run.h"

namespace emissary::supervisor {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Wait for a condition; generous, since the machine may be busy.
bool eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + 60s;
  while (std::chrono::steady_clock::now() < end) {
    if (condition()) return true;
    std::this_thread::sleep_for(2ms);
  }
  return false;
}

/// A supervisor in a process of its own, with shell scripts as its children, which write to files in a folder.
class SupervisorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/supervisor-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    options_.first_backoff = 1ms;
    options_.last_backoff = 4ms;
    options_.grace = 20s;
  }

  void TearDown() override {
    if (pid_ > 0) {
      ::kill(pid_, SIGTERM);  // killed, it would leave its children
      EXPECT_TRUE(eventually([&] { return waitpid(pid_, nullptr, WNOHANG) == pid_; }));
    }
    std::filesystem::remove_all(folder_);
  }

  Program script(const std::string& name, const std::string& text) const {
    return {name, "/bin/sh", {"sh", "-c", "cd " + folder_ + "; echo $$ >>" + name + ".pids; " + text}, {"PATH=/usr/bin:/bin"}};
  }

  void start() {
    pid_ = fork();
    ASSERT_GE(pid_, 0);
    if (pid_ == 0) _exit(supervise(options_));
  }

  int exitStatus() {
    int status = 0;
    EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }

  std::vector<pid_t> pids(const std::string& name) const {
    std::ifstream file(folder_ + "/" + name + ".pids");
    std::vector<pid_t> result;
    for (pid_t pid = 0; file >> pid;) result.push_back(pid);
    return result;
  }

  bool exists(const std::string& name) const { return std::filesystem::exists(folder_ + "/" + name); }
  std::string content(const std::string& name) const {
    std::ifstream file(folder_ + "/" + name);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  // A shell notices a signal only between commands, so they wait in short steps.
  static constexpr const char* kServe = "while :; do sleep 0.01; done";

  std::string folder_;
  Options options_;
  pid_t pid_ = 0;
};

TEST_F(SupervisorTest, DrainsTheControlPlaneFirstThenEndsEnvoy) {
  options_.control_plane = script("cp", std::string("trap 'echo cp >>order; exit 0' TERM; touch cp.up; ") + kServe);
  options_.envoy = script("envoy", std::string("trap 'echo envoy >>order; exit 0' TERM; touch envoy.up; ") + kServe);
  start();
  ASSERT_TRUE(eventually([&] { return exists("cp.up") && exists("envoy.up"); }));
  ::kill(pid_, SIGTERM);
  EXPECT_EQ(exitStatus(), 0);
  EXPECT_EQ(content("order"), "cp\nenvoy\n");
  for (const pid_t pid : {pids("cp").at(0), pids("envoy").at(0)}) EXPECT_EQ(::kill(pid, 0), -1);
}

TEST_F(SupervisorTest, RestartsEachAlone) {
  options_.control_plane = script("cp", kServe);
  options_.envoy = script("envoy", kServe);
  start();
  ASSERT_TRUE(eventually([&] { return pids("cp").size() == 1 && pids("envoy").size() == 1; }));
  ::kill(pids("cp")[0], SIGKILL);
  ASSERT_TRUE(eventually([&] { return pids("cp").size() == 2; }));
  EXPECT_EQ(pids("envoy").size(), 1u);
  ::kill(pids("envoy")[0], SIGKILL);
  ASSERT_TRUE(eventually([&] { return pids("envoy").size() == 2; }));
  EXPECT_EQ(pids("cp").size(), 2u);
}

TEST_F(SupervisorTest, GoesOnRestartingWhatEndsAtOnce) {
  options_.control_plane = script("cp", "exit 1");
  start();
  ASSERT_TRUE(eventually([&] { return pids("cp").size() >= 5; }));
  ::kill(pid_, SIGINT);
  const int status = exitStatus();
  EXPECT_TRUE(status == 0 || status == 3) << status;
}

TEST_F(SupervisorTest, AControlPlaneThatCanNeverRunEndsEverything) {
  options_.control_plane = script("cp", "exit 78");
  options_.envoy = script("envoy", std::string("trap '' TERM; ") + kServe);
  start();
  EXPECT_EQ(exitStatus(), 1);
  for (const pid_t pid : pids("envoy")) EXPECT_EQ(::kill(pid, 0), -1) << "left behind";
}

TEST_F(SupervisorTest, ButNotAfterItOnceRan) {
  options_.control_plane = script("cp", "if [ -e ran ]; then touch again; exit 78; fi; touch ran; exit 1");
  start();
  ASSERT_TRUE(eventually([&] { return pids("cp").size() >= 3 && exists("again"); }));
  ::kill(pid_, SIGTERM);
  exitStatus();
}

TEST_F(SupervisorTest, AMissingProgramIsStatus1) {
  options_.control_plane = script("cp", kServe);
  options_.envoy = Program{"Envoy", folder_ + "/no-such", {"envoy"}, {}};
  start();
  EXPECT_EQ(exitStatus(), 1);
}

TEST_F(SupervisorTest, ASecondSignalEndsAtOnce) {
  options_.control_plane = script("cp", std::string("trap 'touch draining' TERM; touch cp.up; ") + kServe);
  options_.envoy = script("envoy", std::string("trap '' TERM; touch envoy.up; ") + kServe);
  start();
  ASSERT_TRUE(eventually([&] { return exists("cp.up") && exists("envoy.up"); }));
  ::kill(pid_, SIGTERM);
  ASSERT_TRUE(eventually([&] { return exists("draining"); }));
  ::kill(pid_, SIGTERM);
  EXPECT_EQ(exitStatus(), 3);
  for (const pid_t pid : {pids("cp").at(0), pids("envoy").at(0)}) EXPECT_EQ(::kill(pid, 0), -1);
}

TEST_F(SupervisorTest, TheGraceEndsWhatDoesNotEnd) {
  options_.grace = 300ms;
  options_.control_plane = script("cp", std::string("trap '' TERM; touch cp.up; ") + kServe);
  options_.envoy = script("envoy", std::string("trap '' TERM; touch envoy.up; ") + kServe);
  start();
  ASSERT_TRUE(eventually([&] { return exists("cp.up") && exists("envoy.up"); }));
  ::kill(pid_, SIGTERM);
  EXPECT_EQ(exitStatus(), 3);
  for (const pid_t pid : {pids("cp").at(0), pids("envoy").at(0)}) EXPECT_EQ(::kill(pid, 0), -1);
}

TEST_F(SupervisorTest, OutlivesTheReaderOfItsLog) {
  options_.control_plane = script("cp", kServe);
  int log[2];
  ASSERT_EQ(pipe2(log, O_CLOEXEC), 0);
  pid_ = fork();
  ASSERT_GE(pid_, 0);
  if (pid_ == 0) {
    dup2(log[1], STDERR_FILENO);
    dup2(log[1], STDOUT_FILENO);
    close(log[0]);
    _exit(supervise(options_));
  }
  close(log[1]);
  ASSERT_TRUE(eventually([&] { return pids("cp").size() == 1; }));
  close(log[0]);
  ::kill(pids("cp")[0], SIGKILL);
  ASSERT_TRUE(eventually([&] { return pids("cp").size() == 2; }));
  ::kill(pid_, SIGTERM);
  EXPECT_LT(exitStatus(), 1000) << "killed by a signal";
}

TEST_F(SupervisorTest, ADeadControlPlaneDoesNotHoldTheStop) {
  options_.first_backoff = options_.last_backoff = 3600s;
  options_.control_plane = script("cp", "exit 1");
  options_.envoy = script("envoy", std::string("trap 'touch ended; exit 0' TERM; touch envoy.up; ") + kServe);
  start();
  ASSERT_TRUE(eventually([&] { return pids("cp").size() == 1 && ::kill(pids("cp")[0], 0) != 0 && exists("envoy.up"); }));
  ::kill(pid_, SIGTERM);
  EXPECT_EQ(exitStatus(), 0);
  EXPECT_TRUE(exists("ended"));
}

TEST(Backoff, DoublesAndIsForgottenAfterAHealthyTime) {
  const Options options;
  EXPECT_EQ(nextBackoff(options, 0ms, 5ms), 100ms);
  EXPECT_EQ(nextBackoff(options, 100ms, 5ms), 200ms);
  EXPECT_EQ(nextBackoff(options, 6400ms, 29s), 10s);
  EXPECT_EQ(nextBackoff(options, 10s, 30s), 100ms);
}

TEST(Deadlines, FitTheGrace) {
  for (const auto grace : {1000ms, 6000ms, 30'000ms, 600'000ms}) {
    const Deadlines d = deadlines(grace);
    EXPECT_GT(d.drain, 0ms);
    EXPECT_LT(d.drain, d.control_plane);
    EXPECT_LT(d.control_plane, d.envoy);
    EXPECT_LT(d.envoy, grace);
  }
  EXPECT_EQ(deadlines(30s).drain, 27s);
}

TEST(PrivateFolderTest, IsOursAloneAndGoesAway) {
  std::string path;
  {
    const PrivateFolder folder(settings::Environment{{"TMPDIR", ::testing::TempDir().substr(0, ::testing::TempDir().size() - 1)}});
    path = folder.path();
    ASSERT_TRUE(std::filesystem::is_directory(path)) << folder.error();
    EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms::owner_all);
    std::ofstream(path + "/file") << "x";
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(PrivateFolderTest, LeavesATooLongTmpdir) {
  const PrivateFolder folder(settings::Environment{{"TMPDIR", "/" + std::string(100, 'x')}});
  EXPECT_THAT(folder.path(), StartsWith("/tmp/emissary-"));
}

TEST(PrivateFolderTest, SaysWhatIsWrong) {
  const PrivateFolder folder(settings::Environment{{"TMPDIR", "/no/such/folder"}});
  EXPECT_EQ(folder.path(), "");
  EXPECT_THAT(folder.error(), HasSubstr("/no/such/folder"));
}

TEST(AdsAddress, OursUnlessSet) {
  settings::Settings settings;
  EXPECT_EQ(adsAddress(settings, "/tmp/x"), "unix:/tmp/x/ads.sock");
  settings.ads_address = "127.0.0.1:8003";
  EXPECT_EQ(adsAddress(settings, "/tmp/x"), "127.0.0.1:8003");
}

TEST(ExecChild, RefusesWhenItsParentIsGone) { EXPECT_EQ(execChild(getpid(), {"/bin/true"}), 1) << "we are not our own parent"; }

}  // namespace
}  // namespace emissary::supervisor
