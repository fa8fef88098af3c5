#include "envoy/log_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

namespace emissary::envoy {
namespace {

TEST(LogFile, WhatCannotBeOpened) {
  std::string folder = ::testing::TempDir() + "log-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  ASSERT_EQ(mkfifo((folder + "/pipe").c_str(), 0600), 0);
  EXPECT_EQ(logProblem(folder + "/new.log"), "");
  EXPECT_EQ(logProblem(folder + "/new.log"), "") << "again";
  EXPECT_EQ(logProblem("/dev/null"), "");
  EXPECT_EQ(logProblem("/dev/stdout"), "");
  EXPECT_EQ(logProblem(folder + "/nope/new.log"), "No such file or directory");
  EXPECT_EQ(logProblem(folder), "Is a directory");
  EXPECT_NE(logProblem(folder + "/pipe"), "") << "nobody reads it";
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace emissary::envoy
