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

}  // namespace
}  // namespace emissary::manifest
