// Objects in annotations: they come and go with what is annotated, and yield to objects of their own.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "engine/engine.h"
#include "engine/testing.h"

namespace emissary::engine {
namespace {

constexpr std::string_view kBase =
    "---\napiVersion: getambassador.io/v3alpha1\nkind: Listener\nmetadata: {name: web, namespace: default}\n"
    "spec: {port: 8080, protocol: HTTP, securityModel: XFP, hostBinding: {namespace: {from: ALL}}}\n"
    "---\napiVersion: getambassador.io/v3alpha1\nkind: Host\nmetadata: {name: any, namespace: default}\n"
    "spec: {hostname: '*', requestPolicy: {insecure: {action: Route}}}\n";

std::string annotated(const std::string& name, const std::string& prefix, const std::string& mapping = "m") {
  return fmt::format(
      "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: {}\n  namespace: default\n  annotations:\n    "
      "getambassador.io/config: |\n"
      "      apiVersion: ambassador/v2\n      kind: Mapping\n      name: {}\n      prefix: {}\n      service: 10.0.0.1\n"
      "spec: {{clusterIP: 10.0.0.9, ports: [{{port: 80}}]}}\n",
      name, mapping, prefix);
}

class EngineAnnotation : public ::testing::Test {
 protected:
  void apply(const std::string& text) { engine_.apply(testing::changes(text)); }
  void remove(Kind kind, const std::string& name) { engine_.apply({{{kind, "default", name}, nullptr}}); }
  /// The paths of the routes there are.
  std::string paths() const {
    std::string out;
    const nlohmann::ordered_json ir = engine_.ir();
    for (const auto& route : ir.at("hosts").at(0).at("routes")) {
      const std::string prefix = route.at("match").at("prefix");
      if (!prefix.starts_with("/ambassador/v0/")) out += prefix + " ";  // the built-in Mappings'
    }
    return out;
  }
  std::string errors() const {
    std::string out;
    for (const Finding& finding : engine_.findings()) {
      if (finding.severity == Severity::Error) out += finding.object.text() + ": " + finding.message + "\n";
    }
    return out;
  }

  Engine engine_{Options{}};
};

TEST_F(EngineAnnotation, ItsObjectsComeChangeAndGoWithIt) {
  apply(std::string(kBase) + annotated("a", "/a/"));
  EXPECT_EQ(paths(), "/a/ ");
  apply(annotated("a", "/b/"));
  EXPECT_EQ(paths(), "/b/ ");
  apply(annotated("a", "/b/", "renamed"));
  EXPECT_EQ(paths(), "/b/ ");
  EXPECT_EQ(engine_.objectCounts().at(Kind::Mapping).accepted, 1u);
  apply("---\napiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: default}\nspec: {}\n");
  EXPECT_EQ(paths(), "");
  apply(annotated("a", "/a/"));
  remove(Kind::Service, "a");
  EXPECT_EQ(paths(), "");
  EXPECT_EQ(errors(), "");
}

TEST_F(EngineAnnotation, AnObjectOfItsOwnWinsThenTheFirstService) {
  const auto unused = [](std::string_view service, std::string_view where) {
    return fmt::format(
        "Mapping default/m: the one in the annotation of Service default/{} is not used, for Mapping default/m is defined at {}; "
        "remove one of the two\n",
        service, where);
  };
  apply(std::string(kBase) + annotated("b", "/b/"));
  apply(annotated("a", "/a/"));
  EXPECT_EQ(paths(), "/a/ ");
  EXPECT_EQ(errors(), unused("b", "test.yaml:9 in the annotation of Service default/a"));
  apply(
      "---\napiVersion: getambassador.io/v3alpha1\nkind: Mapping\nmetadata: {name: m, namespace: default}\n"
      "spec: {hostname: '*', prefix: /own/, service: 10.0.0.1}\n");
  EXPECT_EQ(paths(), "/own/ ");
  EXPECT_EQ(errors(), unused("a", "test.yaml:2") + unused("b", "test.yaml:2"));
  remove(Kind::Service, "a");
  EXPECT_EQ(paths(), "/own/ ");
  remove(Kind::Mapping, "m");
  EXPECT_EQ(paths(), "/b/ ");
  EXPECT_EQ(errors(), "");
}

}  // namespace
}  // namespace emissary::engine
