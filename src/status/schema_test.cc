// What is written as status is what the CRDs have a place for; the API server would drop the rest.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/testing.h"
#include "status/document.h"

namespace emissary::status {
namespace {

Verdict wrongInAll() {
  Verdict out;
  for (Condition* condition : {&out.accepted, &out.resolved_refs, &out.programmed}) condition->message = "m";
  out.active = false;
  out.problem = "p";
  return out;
}

TEST(StatusAndSchema, HaveTheSameKinds) {
  std::vector<std::string> ours, api;
  for (const Kind kind : kKinds) {
    ours.emplace_back(kindName(kind));
    ASSERT_NE(schema::kindNamed(kindName(kind)), nullptr);
    EXPECT_EQ(pluralOf(kind), schema::kindNamed(kindName(kind))->plural);
  }
  for (const schema::Kind& kind : schema::kinds()) api.push_back(kind.name);
  EXPECT_THAT(ours, testing::UnorderedElementsAreArray(api));
}

TEST(StatusAndSchema, WhatIsWrittenHasAPlace) {
  for (const Kind kind : kKinds) {
    const schema::Field& shape = schema::kindNamed(kindName(kind))->shape.status;
    for (Verdict verdict : {Verdict(), wrongInAll()}) {
      if (kind == Kind::Host) verdict.certificate = CertificateSource::Other;
      for (const Shape how : {Shape::Full, Shape::Plain}) {
        const manifest::Value written = schema::yamlValue(documentOf({kind, "edge", "x"}, verdict, 7, how, {1, 2, 3}).body);
        const manifest::Value* status = written.find("status");
        ASSERT_NE(status, nullptr);
        std::vector<std::string> wrong;
        schema::misfits(shape, *status, "status", wrong);
        EXPECT_THAT(wrong, testing::IsEmpty()) << kindName(kind);
        for (const auto& [name, value] : status->map) EXPECT_EQ(shape.find(name)->effect, schema::Effect::Acts) << name;
        EXPECT_THAT(shape.find("state")->choices, testing::Contains(status->text("state")));
      }
    }
  }
}

}  // namespace
}  // namespace emissary::status
