// The CRDs by the rules that an API server has for them ("structural schema"), as far as they can be seen in a text.

#include "schema/crds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "manifest/parse.h"

namespace emissary::schema {
namespace {

using Json = nlohmann::ordered_json;
using testing::ElementsAre;

void visit(const std::string& where, const Json& node, const std::function<void(const std::string&, const Json&)>& each) {
  each(where, node);
  for (const char* inner : {"items", "additionalProperties"}) {
    if (node.contains(inner)) visit(where + "." + inner, node[inner], each);
  }
  if (!node.contains("properties")) return;
  for (const auto& [name, below] : node["properties"].items()) visit(where + "." + name, below, each);
}

void expectStructural(const std::string& where, const Json& node) {
  SCOPED_TRACE(where);
  static const std::set<std::string> kKnown = {"description",
                                               "type",
                                               "format",
                                               "enum",
                                               "pattern",
                                               "minimum",
                                               "maximum",
                                               "maxLength",
                                               "minItems",
                                               "minProperties",
                                               "maxProperties",
                                               "items",
                                               "properties",
                                               "required",
                                               "additionalProperties",
                                               "x-kubernetes-preserve-unknown-fields",
                                               "x-kubernetes-list-type",
                                               "x-kubernetes-list-map-keys"};
  for (const auto& [key, value] : node.items()) EXPECT_TRUE(kKnown.contains(key)) << key;  // no $ref, default, oneOf, CEL …
  const bool unchecked = node.contains("x-kubernetes-preserve-unknown-fields");
  EXPECT_TRUE(node.contains("type") || unchecked);
  if (node.contains("required")) {
    for (const Json& name : node["required"]) EXPECT_TRUE(node["properties"].contains(name.get<std::string>())) << name;
  }
  EXPECT_EQ(node.value("type", "") == "array", node.contains("items"));
  EXPECT_FALSE(node.contains("properties") && node.contains("additionalProperties"));
}

TEST(Crds, AreStructural) {
  for (const Kind& kind : kinds()) {
    const Json whole = crd(kind, true);
    for (const Json& version : whole["spec"]["versions"]) {
      const Json& root = version["schema"]["openAPIV3Schema"];
      EXPECT_EQ(root["properties"]["metadata"], Json({{"type", "object"}}));
      visit(kind.name + " " + version["name"].get<std::string>(), root, expectStructural);
    }
  }
}

TEST(Crds, OneVersionIsStoredAndAllAreServed) {
  for (const Kind& kind : kinds()) {
    for (const bool legacy : {false, true}) {
      const Json spec = crd(kind, legacy)["spec"];
      std::vector<std::string> names;
      for (const Json& version : spec["versions"]) {
        names.push_back(version["name"]);
        EXPECT_EQ(version["storage"], names.back() == "v3alpha1");
        EXPECT_EQ(version["served"], true);
        EXPECT_EQ(version["subresources"], Json({{"status", Json::object()}}));
      }
      EXPECT_EQ(names, legacy ? kind.versions : std::vector<std::string>{"v3alpha1"});
      EXPECT_EQ(spec["conversion"]["strategy"], names.size() > 1 ? "Webhook" : "None");
      EXPECT_EQ(spec["names"]["categories"], Json::array({"ambassador-crds"}));
    }
  }
  const Json conversion = crd(*kindNamed("Mapping"), true)["spec"]["conversion"]["webhook"];
  EXPECT_EQ(conversion, Json::parse(R"({"clientConfig":{"service":{"name":"emissary-apiext","namespace":"emissary-system",
    "path":"/webhooks/crd-convert","port":443}},"conversionReviewVersions":["v1"]})"));
}

TEST(Crds, KeepUntypedWhatAlwaysWas) {
  const auto spec = [](std::string_view kind, size_t version) {
    return crd(*kindNamed(kind),
               true)["spec"]["versions"][version]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"];
  };
  const auto withoutText = [](Json json) {
    json.erase("description");
    return json;
  };
  const Json any = {{"x-kubernetes-preserve-unknown-fields", true}};
  EXPECT_EQ(withoutText(spec("Module", 2)["config"]),
            Json::parse(R"({"type":"object","x-kubernetes-preserve-unknown-fields":true})"));
  EXPECT_EQ(withoutText(spec("Mapping", 2)["modules"]),
            Json::parse(R"({"type":"array","items":{"x-kubernetes-preserve-unknown-fields":true}})"));
  EXPECT_EQ(withoutText(spec("Mapping", 2)["envoy_override"]), any);
  EXPECT_FALSE(spec("Mapping", 2)["outlier_detection"].contains("type"));
  EXPECT_EQ(withoutText(spec("Mapping", 0)["tls"]), any);
  EXPECT_EQ(withoutText(spec("Mapping", 0)["ambassador_id"]), any);
  EXPECT_EQ(withoutText(spec("Mapping", 2)["ambassador_id"]), Json::parse(R"({"type":"array","items":{"type":"string"}})"));
}

TEST(Crds, AreTheSameTextAtEveryCallAndReadBack) {
  for (const bool legacy : {false, true}) {
    const std::string text = crds(legacy);
    EXPECT_EQ(text, crds(legacy));
    const auto read = manifest::parse(text);
    ASSERT_FALSE(read.error);
    ASSERT_EQ(read.documents.size(), kinds().size());
    for (size_t i = 0; i < kinds().size(); ++i) {
      EXPECT_EQ(read.documents[i].canonical(), manifest::parse(crd(kinds()[i], legacy).dump()).documents[0].canonical());
    }
  }
}

TEST(Crds, ColumnsOfMappings) {
  std::vector<std::string> columns;
  const Json whole = crd(*kindNamed("Mapping"), false);
  for (const Json& column : whole["spec"]["versions"][0]["additionalPrinterColumns"]) columns.push_back(column["name"]);
  EXPECT_THAT(columns, ElementsAre("Host", "Prefix", "Service", "State", "Reason", "Age"));
}

}  // namespace
}  // namespace emissary::schema
