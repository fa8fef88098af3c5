#include "manifest/yaml_writer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "manifest/parse.h"

namespace emissary::manifest {
namespace {

using Json = nlohmann::ordered_json;

TEST(Yaml, Blocks) {
  EXPECT_EQ(yaml(Json::parse(R"({"a":{"b":[1,{"c":"text","d":[]},["x"]]},"e":"10:30"})")),
            "a:\n  b:\n    - 1\n    - c: text\n      d: []\n    - - x\ne: \"10:30\"\n");
}

TEST(Yaml, ReadsBackAsTheSame) {
  const char* text =
      R"({"a":"yes","b":"1.0","c":"a: b","d":"- x","e":"line\nbreak","f":[{"g":null,"h":true},[[1],[]]],"i":{},"no":1.5})";
  const auto read = manifest::parse(yaml(Json::parse(text)));
  ASSERT_EQ(read.documents.size(), 1u);
  EXPECT_EQ(read.documents[0].canonical(), manifest::parse(text).documents[0].canonical());
}

TEST(Yaml, TextOfSeveralLines) {
  EXPECT_EQ(yaml({{"a", "one\n  two\n"}, {"b", {"x\ny"}}}), "a: |\n  one\n    two\nb:\n  - |-\n    x\n    y\n");
  // However it begins and ends, and whatever is in it.
  for (const char* text : {"a\n",      "a\nb",   "a\n\n",     "a\n\n\nb\n\n\n", "\na",    "\n",           " a\nb",
                           "  \nb",    "a\n \n", "a \nb ",    "a\n\tb",         "a\r\nb", "a\nb\xc3\xa9", "- a\n- b",
                           "# a\n# b", "---\na", "a\n---\nb", "a: [\n'",        "%a\n%b", "...\n...\n"}) {
    const Json document = {{"k", text}, {"list", {text, {{"k", text}, {"last", 1}}}}};
    const auto read = manifest::parse(yaml(document));
    ASSERT_FALSE(read.error) << document;
    ASSERT_EQ(read.documents.size(), 1u) << document;
    EXPECT_EQ(read.documents[0].canonical(), manifest::parse(document.dump()).documents[0].canonical());
  }
}

}  // namespace
}  // namespace emissary::manifest
