#include <gtest/gtest.h>

#include "engine/testing.h"
#include "manifest/parse.h"
#include "model/parse.h"

namespace emissary::engine::testing {

std::vector<ObjectPtr> objects(std::string_view text) {
  const manifest::ParseResult parsed = manifest::parse(text);
  EXPECT_FALSE(parsed.error) << parsed.error->message << " in\n" << text;
  std::vector<ObjectPtr> out;
  for (const manifest::Value& document : parsed.documents) {
    const model::ParsedDocument read = model::parseDocument(document, {"test.yaml", "default"});
    EXPECT_TRUE(read.findings.empty()) << read.findings.front().message;
    out.insert(out.end(), read.objects.begin(), read.objects.end());
  }
  return out;
}

std::vector<Change> changes(std::string_view text) {
  std::vector<Change> out;
  for (const ObjectPtr& object : objects(text)) out.push_back({object->ref, object});
  return out;
}

}  // namespace emissary::engine::testing
