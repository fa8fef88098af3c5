#include "model/live_status.h"

#include <gtest/gtest.h>

#include "manifest/parse.h"

namespace emissary::model {
namespace {

LiveStatus statusOf(std::string_view yaml) {
  const manifest::ParseResult parsed = manifest::parse(yaml);
  EXPECT_FALSE(parsed.error) << yaml;
  return readLiveStatus(parsed.documents.empty() ? nullptr : &parsed.documents[0]);
}

TEST(LiveStatus, ReadsConditions) {
  const LiveStatus status = statusOf(
      "{state: Running, conditions: [{type: Accepted, status: 'True', reason: Accepted, lastTransitionTime: "
      "'2026-11-23T15:04:05Z'},"
      " {type: Programmed, status: Unknown, reason: Pending}, {type: Mood, status: 'False'}, 7, {type: ResolvedRefs, status: 3}]}");
  EXPECT_EQ(status[ConditionType::Accepted].status, ConditionStatus::True);
  EXPECT_EQ(status[ConditionType::Accepted].reason, hashBytes("Accepted").low);
  EXPECT_EQ(timeOf(status[ConditionType::Accepted].last_transition), "2026-11-23T15:04:05Z");
  EXPECT_EQ(status[ConditionType::Programmed].status, ConditionStatus::Unknown);
  EXPECT_EQ(status[ConditionType::Programmed].last_transition, 0);
  EXPECT_EQ(status[ConditionType::ResolvedRefs].status, ConditionStatus::Absent);
}

TEST(LiveStatus, TheHashIsOfWhatCounts) {
  const std::string one = "{type: Accepted, status: 'True', message: all is well, observedGeneration: 3";
  const std::string two = "{type: Programmed, status: 'True'}";
  const Hash128 hash = statusOf("{state: Running, conditions: [" + one + "}, " + two + "]}").hash;
  EXPECT_EQ(hash, statusOf("{conditions: [" + two + ", " + one + ", lastTransitionTime: x}, {type: Mood}], state: Running}").hash);
  EXPECT_NE(hash, statusOf("{state: Inactive, conditions: [" + one + "}, " + two + "]}").hash);
  EXPECT_NE(hash, statusOf("{state: Running, conditions: [" + one + "}]}").hash);
  EXPECT_NE(hash, statusOf("{state: Running, conditions: [" + one + ", reason: R}, " + two + "]}").hash);
}

TEST(LiveStatus, OfWhatIsNoStatus) {
  const Hash128 none = readLiveStatus(nullptr).hash;
  for (const char* yaml : {"{}", "[]", "text", "{conditions: []}", "{conditions: [{type: Mood}]}"}) {
    EXPECT_EQ(statusOf(yaml).hash, none) << yaml;
  }
  EXPECT_NE(statusOf("{conditions: 7}").hash, none);
}

TEST(LiveStatus, Times) {
  EXPECT_EQ(secondsOf("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(secondsOf("2000-02-29T12:00:01Z"), 951825601);
  EXPECT_EQ(secondsOf("2000-02-29T12:00:01.123456Z"), 951825601);
  EXPECT_EQ(timeOf(951825601), "2000-02-29T12:00:01Z");
  for (const char* text : {"", "yesterday", "2000-02-30T12:00:00Z", "2000-13-01T00:00:00Z", "2000-02-29T24:00:00Z",
                           "2000-02-29T12:00:01+01", "2000-02-29 12:00:01Z", "200x-02-29T12:00:01Z"}) {
    EXPECT_EQ(secondsOf(text), 0) << text;
  }
}

}  // namespace
}  // namespace emissary::model
