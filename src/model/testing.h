#pragma once
// For the tests of this folder: manifests in, objects and findings as short texts out.

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "manifest/parse.h"
#include "model/parse.h"

namespace emissary::model {

inline ParsedDocument parsed(std::string_view yaml) {
  const manifest::ParseResult result = manifest::parse(yaml);
  EXPECT_FALSE(result.error) << yaml;
  EXPECT_EQ(result.documents.size(), 1u) << yaml;
  if (result.error || result.documents.empty()) return {};
  return parseDocument(result.documents[0], {"dir/a.yaml", "own"});
}

/// The one object in `yaml`; never null.
inline ObjectPtr parsedObject(std::string_view yaml) {
  const ParsedDocument document = parsed(yaml);
  EXPECT_EQ(document.objects.size(), 1u) << yaml;
  return document.objects.empty() ? std::make_shared<Object>() : document.objects[0];
}

/// "error spec.prefix: message"
inline std::vector<std::string> told(const std::vector<Finding>& findings) {
  std::vector<std::string> out;
  for (const Finding& f : findings) out.push_back(std::string(severityName(f.severity)) + " " + f.field + ": " + f.message);
  return out;
}
inline std::string all(const Object& object) {
  std::string out;
  for (const std::string& line : told(object.findings)) out += line + "\n";
  return out;
}

/// An object of ours with `spec`, one flow map.
inline ObjectPtr ours(std::string_view kind, std::string_view spec) {
  return parsedObject("apiVersion: getambassador.io/v3alpha1\nkind: " + std::string(kind) +
                      "\nmetadata: {name: x, namespace: edge}\nspec: " + std::string(spec) + "\n");
}

/// One spec and the one finding that it brings, by how the finding's text begins. "" for `finding`: there is none.
struct Case {
  std::string_view spec;
  std::string_view finding;
  bool usable;
};

inline void expectCase(std::string_view kind, const Case& c) {
  SCOPED_TRACE(c.spec);
  const ObjectPtr object = ours(kind, c.spec);
  EXPECT_EQ(object->usable, c.usable) << all(*object);
  if (c.finding.empty()) {
    EXPECT_EQ(all(*object), "");
    return;
  }
  ASSERT_EQ(object->findings.size(), 1u) << all(*object);
  EXPECT_TRUE(told(object->findings)[0].starts_with(c.finding)) << all(*object) << "expected: " << c.finding;
  EXPECT_EQ(object->findings[0].object, object->ref);
  EXPECT_EQ(object->findings[0].path, "dir/a.yaml");
  EXPECT_EQ(object->findings[0].line, 4);
  EXPECT_EQ(object->spec.index() == 0, !c.usable);
}

}  // namespace emissary::model
