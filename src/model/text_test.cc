#include "model/text.h"

#include <gtest/gtest.h>

namespace emissary::model {
namespace {

TEST(ModelText, Problems) {
  EXPECT_EQ(textProblem("/größe/→/😀"), "");
  EXPECT_EQ(textProblem(""), "");
  EXPECT_EQ(textProblem(std::string(kMaxText, 'a')), "");
  EXPECT_EQ(textProblem(std::string(kMaxText + 1, 'a')), "is 65537 bytes long; the limit is 65536");
  EXPECT_EQ(textProblem("a\tb"), "holds the control character 0x09; remove it");
  EXPECT_EQ(textProblem("a\x7f"), "holds the control character 0x7f; remove it");
  EXPECT_EQ(textProblem(std::string_view("a\0b", 3)), "holds the control character 0x00; remove it");
  for (const char* bad : {"\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "\xf0\x9f\x98"}) {
    EXPECT_EQ(textProblem(bad), "is not valid UTF-8");
  }
}

TEST(ModelText, Printable) {
  EXPECT_EQ(printable("a\x1b[31mb\nc\xff"), "a?[31mb?c?");
  EXPECT_EQ(printable("a\xc2\x9b"
                      "31m"),
            "a?31m");
  EXPECT_EQ(printable("größe", 3), "gr…");
  EXPECT_EQ(quoted("abc"), "\"abc\"");
}

TEST(ModelText, Names) {
  for (const char* good : {"a", "0", "a-b", "a.b-c.d"}) EXPECT_TRUE(isDnsSubdomain(good)) << good;
  for (const char* bad : {"", ".", "-", "a-.b", "a.-b", "A", "a..b", "a_b", "ä"}) EXPECT_FALSE(isDnsSubdomain(bad)) << bad;
  EXPECT_TRUE(isDnsLabel(std::string(63, 'a')));
  EXPECT_FALSE(isDnsLabel(std::string(64, 'a')));
  EXPECT_FALSE(isDnsLabel("a.b"));
  EXPECT_FALSE(isDnsSubdomain(std::string(254, 'a')));
  EXPECT_TRUE(isHeaderName(":authority"));
  EXPECT_TRUE(isHeaderName("x-A_1!"));
  for (const char* bad : {"", ":", "a b", "a:b", "ä", "a\n"}) EXPECT_FALSE(isHeaderName(bad)) << bad;
}

TEST(ModelText, EditDistance) {
  EXPECT_EQ(editDistance("prefix", "prefix", 2), 0u);
  EXPECT_EQ(editDistance("prefx", "prefix", 2), 1u);
  EXPECT_EQ(editDistance("prefxi", "prefix", 2), 2u);
  EXPECT_EQ(editDistance("a", "prefix", 2), 3u);
  EXPECT_EQ(editDistance("abcdef", "prefix", 2), 3u);
}

TEST(ModelText, Durations) {
  EXPECT_EQ(durationMs("3s"), 3000);
  EXPECT_EQ(durationMs("250ms"), 250);
  EXPECT_EQ(durationMs("1.5m"), 90'000);
  EXPECT_EQ(durationMs("2h"), 7'200'000);
  EXPECT_EQ(durationMs("1h2m3.5s"), 3'723'500);
  EXPECT_EQ(durationMs("1500us"), 2);
  EXPECT_EQ(durationMs("2000\xc2\xb5s"), 2);
  EXPECT_EQ(durationMs("3000000ns"), 3);
  EXPECT_EQ(durationMs(".5s"), 500);
  EXPECT_EQ(durationMs("0"), 0);
  EXPECT_EQ(durationMs("0s"), 0);
  for (const char* bad :
       {"", "s", "3", "3d", "-3s", "3 s", "nans", "1e300h", "infs", "1e5s", "0x1s", "1s2", "1s-2s", "+-1s", ".", ".s"})
    EXPECT_EQ(durationMs(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace emissary::model
