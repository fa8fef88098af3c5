#include "serve/refusal_detail.h"

#include <gtest/gtest.h>

namespace emissary::serve {
namespace {

TEST(RefusalDetailTest, QuotationsAreCutOut) {
  EXPECT_EQ(publicDetail("goo.gle/debugproto   \nname: \"s\" private_key { inline_string: \"KEY\" }\n: Proto constraint validation "
                         "failed (SecretValidationError.Name: too short (1))"),
            "Proto constraint validation failed (SecretValidationError.Name: too short (1))");
  EXPECT_EQ(publicDetail("Error adding cluster(s) b: goo.gle/debugonly name: \"KEY\" : Proto constraint validation failed (X)"),
            "Error adding cluster(s) b: Proto constraint validation failed (X)");
  EXPECT_EQ(publicDetail("Proto constraint validation failed (X): name: \"KEY\""), "Proto constraint validation failed (X)");
  EXPECT_EQ(publicDetail("Proto constraint validation failed KEY"), "Proto constraint validation failed");
  EXPECT_EQ(publicDetail("Error while parsing:\ngoo.gle/debugproto   \nkey: \"KEY\""), "Error while parsing");
  EXPECT_EQ(publicDetail("Failed to load -----BEGIN PRIVATE KEY-----KEY"), "Failed to load");
}

TEST(RefusalDetailTest, OtherWordsStayAndAreBounded) {
  EXPECT_EQ(publicDetail("Didn't find a registered implementation for 'x'"), "Didn't find a registered implementation for 'x'");
  EXPECT_EQ(publicDetail(std::string(5000, 'x')).size(), 1000u);
  EXPECT_EQ(publicDetail(""), "");
}

}  // namespace
}  // namespace emissary::serve
