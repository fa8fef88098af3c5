// Conversion and the schemas say the same of what v2 and v3alpha1 are called and made of: whatever field of one version is written,
// what it becomes fits the schema of the other.

#include <gtest/gtest.h>

#include "convert/convert.h"
#include "schema/testing.h"

namespace emissary::convert {
namespace {

using manifest::Value;
using schema::Field, schema::Kind, schema::Place, schema::walk;

Value document(const Kind& kind, Version version, Value spec) {
  Value out = manifest::emptyMap(1);
  manifest::put(out, "apiVersion", manifest::textValue(std::string(kGroup) + "/" + std::string(versionName(version)), 1));
  manifest::put(out, "kind", manifest::textValue(kind.name, 1));
  manifest::put(out, "spec", std::move(spec));
  return out;
}

void eachOf(const Field& from, const std::function<void(const Place&, Value spec)>& each) {
  walk({{&from}, {}}, [&](const Place& place) {
    // Of what is another spelling, or open, nothing can be said.
    if (!place.field().alias_of.empty() || place.names.empty()) return;
    Value spec = schema::sample(from);
    plant(spec, place, schema::sample(place.field()));
    each(place, std::move(spec));
  });
}

std::string listed(const Field& shape, const Value& object) {
  std::vector<std::string> wrong;
  const Value* spec = object.find("spec");
  if (spec == nullptr) return "no spec";
  schema::misfits(shape, *spec, "spec", wrong);
  std::string out;
  for (const std::string& line : wrong) out += line + "\n";
  return out;
}

TEST(ConversionAndSchema, WhatV3alpha1HasFitsV2) {
  for (const Kind& kind : schema::kinds()) {
    if (!kind.legacy) continue;
    eachOf(kind.shape.spec, [&](const Place& place, Value spec) {
      const Value there = document(kind, Version::V3alpha1, std::move(spec));
      const Value old = fromV3alpha1(there, kind.name, Version::V2);
      EXPECT_EQ(listed(kind.legacy->spec, old), "") << kind.name << " " << place.path();
      const Converted back = toV3alpha1(old, kind.name, Version::V2);
      EXPECT_EQ(listed(kind.shape.spec, back.object), "") << kind.name << " " << place.path();
      EXPECT_TRUE(back.remarks.empty()) << kind.name << " " << place.path() << ": " << back.remarks[0].field << " "
                                        << back.remarks[0].message;
    });
  }
}

TEST(ConversionAndSchema, WhatV2HasFitsV3alpha1) {
  for (const Kind& kind : schema::kinds()) {
    if (!kind.legacy) continue;
    eachOf(kind.legacy->spec, [&](const Place& place, Value spec) {
      if (place.path() == "spec.labels") return;  // of any form there; conversion's own tests have them
      const Converted now = toV3alpha1(document(kind, Version::V2, std::move(spec)), kind.name, Version::V2);
      EXPECT_EQ(listed(kind.shape.spec, now.object), "") << kind.name << " " << place.path();
      EXPECT_TRUE(now.remarks.empty()) << kind.name << " " << place.path() << ": " << now.remarks[0].field << " "
                                       << now.remarks[0].message;
    });
  }
}

}  // namespace
}  // namespace emissary::convert
