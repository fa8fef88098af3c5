#include "webhook/review.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace emissary::webhook {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::HasSubstr;

Json review(const std::string& desired, Json objects) {
  return {{"kind", "ConversionReview"},
          {"apiVersion", "apiextensions.k8s.io/v1"},
          {"request", {{"uid", "u-1"}, {"desiredAPIVersion", desired}, {"objects", std::move(objects)}}}};
}

Json mapping(const std::string& version, Json spec) {
  return {{"apiVersion", "getambassador.io/" + version},
          {"kind", "Mapping"},
          {"metadata", {{"name", "m"}, {"namespace", "shop"}, {"uid", "x"}, {"resourceVersion", "7"}}},
          {"spec", std::move(spec)}};
}

Json asked(const Json& review) { return Json::parse(answer(review.dump()).body); }

TEST(Review, ObjectsComeBackInOrder) {
  const Json old = mapping("v2", {{"prefix", "/"}, {"service", "a"}, {"host", "a.com"}, {"odd", {{"x", {1, 1.0, nullptr}}}}});
  const Json current = mapping("v3alpha1", {{"hostname", "b.com"}});
  const Json answered = asked(review("getambassador.io/v3alpha1", {old, current, old}));
  EXPECT_EQ(answered["apiVersion"], "apiextensions.k8s.io/v1");
  EXPECT_EQ(answered["kind"], "ConversionReview");
  EXPECT_EQ(answered["response"]["uid"], "u-1");
  EXPECT_EQ(answered["response"]["result"]["status"], "Success");
  const Json& converted = answered["response"]["convertedObjects"];
  ASSERT_EQ(converted.size(), 3u);
  EXPECT_EQ(converted[0]["spec"]["hostname"], "a.com");
  EXPECT_EQ(converted[0]["apiVersion"], "getambassador.io/v3alpha1");
  EXPECT_EQ(converted[0]["metadata"], old["metadata"]);
  EXPECT_EQ(converted[0]["spec"]["odd"].dump(), R"({"x":[1,1.0,null]})");
  EXPECT_EQ(converted[1], current);
  EXPECT_EQ(converted[2], converted[0]);
}

TEST(Review, NumbersAndTextStayWhatTheyAre) {
  const std::string spec = R"({"config":{"a":1,"b":1.0,"c":-9223372036854775808,"d":1e300,"e":"\u0000\u001f\"\\ü","f":0.1}})";
  const std::string object = R"({"apiVersion":"getambassador.io/v1","kind":"Module","metadata":{"name":"a"},"spec":)" + spec + "}";
  const Answer out =
      answer(R"({"kind":"ConversionReview","apiVersion":"apiextensions.k8s.io/v1","request":{"uid":"\"","desiredAPIVersion":)"
             R"("getambassador.io/v2","objects":[)" +
             object + "]}}");
  EXPECT_EQ(out.problem, "");
  EXPECT_EQ(out.objects, 1u);
  const Json back = Json::parse(out.body)["response"];
  EXPECT_EQ(back["uid"], "\"");
  EXPECT_EQ(back["convertedObjects"][0]["spec"].dump(), Json::parse(spec).dump());
}

TEST(Review, NoObjectsIsFine) {
  EXPECT_EQ(asked(review("getambassador.io/v2", Json::array()))["response"]["convertedObjects"], Json::array());
}

struct Refused {
  Json review;
  std::string why;
};

TEST(Review, WhatIsRefused) {
  const Json good = mapping("v2", {{"prefix", "/"}});
  Json no_kind = good, other_group = good, other_version = good;
  no_kind.erase("kind");
  other_group["apiVersion"] = "example.com/v2";
  other_version["apiVersion"] = "getambassador.io/v9";
  Json deep = 1;
  for (int i = 0; i < 1100; ++i) deep = Json::array({std::move(deep)});
  const Json listener = {{"apiVersion", "getambassador.io/v3alpha1"}, {"kind", "Listener"}, {"metadata", {{"name", "l"}}}};
  const std::string v3 = "getambassador.io/v3alpha1", v1 = "getambassador.io/v1";
  for (const Refused& refused : {
           Refused{review("example.com/v1", {good}), "desiredAPIVersion: \"example.com/v1\""},
           Refused{review(v3, {good, no_kind}), "objects[1]:  shop/m"},
           Refused{review(v3, {other_group}), "objects[0]: Mapping shop/m: \"example.com/v2\" is no version"},
           Refused{review(v3, {other_version}), "\"getambassador.io/v9\" is no version"},
           Refused{review(v3, {good, "text"}), "objects[1]: is no object"},
           Refused{review(v1, {listener}), "objects[0]: Listener /l: there is no getambassador.io/v1 of it"},
           Refused{review(v3, {mapping("v2", {{"deep", deep}})}), "Mapping shop/m: is nested more than 1000 levels deep"},
           Refused{review(v3, nullptr), "objects: must be a list"},
       }) {
    const Json response = asked(refused.review)["response"];
    EXPECT_EQ(response["uid"], "u-1");
    EXPECT_EQ(response["result"]["status"], "Failure");
    EXPECT_THAT(response["result"]["message"].get<std::string>(), HasSubstr(refused.why));
    EXPECT_FALSE(response.contains("convertedObjects"));
  }
}

TEST(Review, WhatIsNone) {
  const std::string endless(200'000, '[');
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("null"), std::string("\xff\xfe"), endless,
        std::string(R"({"kind":"ConversionReview"})"), std::string(R"({"kind":"ConversionReview","apiVersion":3})"),
        std::string(R"({"kind":"ConversionReview","apiVersion":"apiextensions.k8s.io/v1","request":[]})"),
        std::string(R"({"kind":"ConversionReview","apiVersion":"apiextensions.k8s.io/v1beta1","request":{}})")}) {
    const Answer out = answer(text);
    EXPECT_NE(out.problem, "") << text.substr(0, 80);
    const Json response = Json::parse(out.body)["response"];
    EXPECT_EQ(response["result"]["status"], "Failure");
    EXPECT_EQ(response["result"]["message"], out.problem);
  }
}

}  // namespace
}  // namespace emissary::webhook
