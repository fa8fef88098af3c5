#include "base/rfc3339.h"

#include <gtest/gtest.h>

namespace emissary {
namespace {

int64_t seconds(std::string_view text) {
  const auto time = parseTime(text);
  return time ? std::chrono::duration_cast<std::chrono::seconds>(time->time_since_epoch()).count() : -1;
}

TEST(Rfc3339, ReadsWhatKubernetesWrites) {
  EXPECT_EQ(seconds("1970-01-02T00:00:01Z"), 86401);
  EXPECT_EQ(seconds("2026-11-23T14:50:05.123456Z"), 1795445405);
  EXPECT_EQ(seconds("2026-11-23T16:20:05+01:30"), 1795445405);
  EXPECT_EQ(seconds("2026-11-23T13:50:05-01:00"), 1795445405);
}

TEST(Rfc3339, WritesWhatItReads) {
  const auto time = parseTime("2026-02-28T23:59:59Z");
  ASSERT_TRUE(time);
  EXPECT_EQ(formatTime(*time), "2026-02-28T23:59:59Z");
}

TEST(Rfc3339, KnowsWhatIsNoTime) {
  for (const char* text :
       {"", "2026", "2026-11-23", "2026-11-23T14:50:05", "2026-13-23T14:50:05Z", "2026-02-30T14:50:05Z", "2026-11-23 14:50:05Z",
        "2026-11-23T14:50:05.", "2026-11-23T14:50:05+1", "2026-11-23T-1:50:05Z", "2026-11-23T14:50:05Zz"}) {
    EXPECT_FALSE(parseTime(text)) << text;
  }
}

}  // namespace
}  // namespace emissary
