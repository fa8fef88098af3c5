#include "model/testing.h"

namespace emissary::model {
namespace {

/// A Service with an annotation, whose text begins on line 8.
ObjectPtr annotated(const std::string& text, const std::string& kind = "apiVersion: v1\nkind: Service") {
  std::string yaml = kind + "\nmetadata:\n  name: cart\n  labels: {app: shop}\n  annotations:\n    getambassador.io/config: |\n";
  std::string line;
  for (const char c : text + "\n") {
    line += c;
    if (c != '\n') continue;
    yaml += "      " + line;
    line.clear();
  }
  return parsedObject(yaml + "spec: {}\n");
}

const std::string kMapping = "---\napiVersion: getambassador.io/v3alpha1\nkind: Mapping\n";

TEST(ModelAnnotation, FlatAndInTheFormOfManifests) {
  const ObjectPtr service =
      annotated(kMapping +
                "name: flat\nhostname: '*'\nprefix: /cart/\nservice: cart:8080\nambassador_id: [blue]\n"
                "---\napiVersion: ambassador/v2\nkind: Mapping\nmetadata: {name: shaped, namespace: edge, labels: {a: b}}\n"
                "spec: {prefix: /old/, service: cart:8080}");
  EXPECT_EQ(all(*service), "");
  EXPECT_TRUE(std::holds_alternative<Service>(service->spec));
  ASSERT_EQ(service->annotated.size(), 2u);
  const Object& flat = *service->annotated[0];
  EXPECT_EQ(flat.ref.text(), "Mapping own/flat");
  EXPECT_EQ(flat.origin.text(), "Service own/cart");
  EXPECT_EQ(flat.labels, (Labels{{"app", "shop"}}));
  EXPECT_EQ(flat.ambassador_id, std::vector<std::string>{"blue"});
  EXPECT_EQ(flat.path, "dir/a.yaml");
  EXPECT_EQ(flat.line, 9);
  EXPECT_EQ(all(flat), "");
  EXPECT_EQ(std::get<Mapping>(flat.spec).prefix, "/cart/");
  const Object& shaped = *service->annotated[1];
  EXPECT_EQ(shaped.ref.text(), "Mapping edge/shaped");
  EXPECT_EQ(shaped.labels, (Labels{{"a", "b"}}));
  EXPECT_EQ(std::get<Mapping>(shaped.spec).hostname, "*");
  EXPECT_EQ(all(shaped), "notice apiVersion: getambassador.io/v2 is deprecated; write the object as getambassador.io/v3alpha1\n");
}

TEST(ModelAnnotation, FlatFieldsOfTheMetadata) {
  const ObjectPtr service = annotated(
      kMapping + "name: a\nnamespace: edge\ngeneration: 3\nmetadata_labels: {x: z}\nspec: {prefix: /, service: s}\nhostname: '*'");
  ASSERT_EQ(service->annotated.size(), 1u);
  const Object& object = *service->annotated[0];
  EXPECT_EQ(all(object), "");
  EXPECT_EQ(object.ref.ns, "edge");
  EXPECT_EQ(object.labels, (Labels{{"x", "z"}}));
  EXPECT_EQ(std::get<Mapping>(object.spec).hostname, "*");
  EXPECT_EQ(std::get<Mapping>(object.spec).prefix, "/");
}

TEST(ModelAnnotation, IngressesHaveThemToo) {
  const ObjectPtr ingress =
      annotated(kMapping + "name: a\nprefix: /\nservice: s\nhostname: '*'", "apiVersion: networking.k8s.io/v1\nkind: Ingress");
  ASSERT_EQ(ingress->annotated.size(), 1u);
  EXPECT_EQ(ingress->annotated[0]->origin.text(), "Ingress own/cart");
  EXPECT_TRUE(annotated(kMapping + "name: a", "apiVersion: v1\nkind: ConfigMap")->annotated.empty());
}

TEST(ModelAnnotation, LinesOfFindings) {
  const ObjectPtr service = annotated(kMapping + "name: a\nhostname: '*'\nprefix: /\nservice: 3");
  ASSERT_EQ(service->annotated.size(), 1u);
  EXPECT_EQ(all(*service->annotated[0]), "error spec.service: must be text, but is the number 3; write it in quotes\n");
  EXPECT_EQ(service->annotated[0]->findings[0].line, 14);
  // Where lines cannot be told apart, that of the annotation counts.
  const ObjectPtr quoted = parsedObject(
      "apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n  annotations:\n    getambassador.io/config: "
      "\"apiVersion: getambassador.io/v3alpha1\\nkind: Mapping\\nname: a\\nprefix: 3\\nservice: s\"");
  ASSERT_EQ(quoted->annotated.size(), 1u);
  EXPECT_EQ(quoted->annotated[0]->line, 6);
  EXPECT_EQ(quoted->annotated[0]->findings.at(0).line, 6);
}

struct Row {
  std::string text;
  std::string finding;
  int line;
  size_t made;
};

TEST(ModelAnnotation, Mistakes) {
  const std::string good = kMapping + "name: a\nprefix: /\nservice: s\n";
  const std::string field = "error metadata.annotations.getambassador.io/config: ";
  for (const Row& row : {
           Row{good + "---\na: [", "not valid YAML", 16, 0},
           Row{good + "---\napiVersion: getambassador.io/v2\nname: b", "each document needs a kind", 15, 0},
           Row{good + "---\n- a", "each document needs a kind", 15, 0},
           Row{good + "---\nkind: 3", "each document needs a kind", 15, 0},
           Row{good + "---\napiVersion: getambassador.io/v2\nkind: Maping\nname: b",
               "unknown kind Maping (getambassador.io/v2); the document is ignored", 15, 1},
           Row{good + "---\nkind: Mapping\nname: b", "unknown kind Mapping ()", 15, 1},
           Row{good + "---\napiVersion: v1\nkind: Secret\nname: b", "unknown kind Secret (v1)", 15, 1},
           Row{good + "---\napiVersion: v1\nkind: List\nitems: []", "unknown kind List (v1)", 15, 1},
           Row{"---\napiVersion: getambassador.io/v2\nkind: Mapping\nprefix: /\n" + good,
               "metadata.name is missing; a Mapping needs a name", 9, 1},
           Row{good + "---\napiVersion: getambassador.io/v2\nkind: Mapping\nmetadata: 3", "metadata must be a map of fields", 17,
               1},
       }) {
    const ObjectPtr service = annotated(row.text);
    EXPECT_TRUE(service->usable) << row.text;
    EXPECT_EQ(service->annotated.size(), row.made) << row.text;
    ASSERT_EQ(service->findings.size(), 1u) << row.text << all(*service);
    EXPECT_TRUE(all(*service).starts_with(field + row.finding)) << all(*service);
    EXPECT_EQ(service->findings[0].line, row.line) << row.text;
    EXPECT_EQ(service->findings[0].object, service->ref);
  }
  EXPECT_EQ(all(*parsedObject("{apiVersion: v1, kind: Service, metadata: {name: a, annotations: {getambassador.io/config: 3}}}")),
            field + "must be text that holds YAML, but is the number 3\n");
  EXPECT_TRUE(annotated("")->findings.empty());
  // What is unusable as an object is one all the same, with its finding.
  const ObjectPtr unknown = annotated("apiVersion: ambassador/v0\nkind: Mapping\nname: b");
  ASSERT_EQ(unknown->annotated.size(), 1u);
  EXPECT_FALSE(unknown->annotated[0]->usable);
}

TEST(ModelAnnotation, BoundedAndNotReadOfWhatIsWrong) {
  const ObjectPtr big = annotated(kMapping + "name: " + std::string(2 << 20, 'x'));
  ASSERT_EQ(big->findings.size(), 1u);
  EXPECT_TRUE(big->annotated.empty());
  EXPECT_TRUE(
      parsedObject("{apiVersion: v1, kind: Service, metadata: {name: a, annotations: {getambassador.io/config: \"apiVersion: "
                   "getambassador.io/v2\\nkind: Mapping\\nname: b\"}}, spec: []}")
          ->annotated.empty());
  // An annotation in an annotation is none.
  EXPECT_TRUE(
      annotated(kMapping + "metadata: {name: a, annotations: {getambassador.io/config: x}}")->annotated.at(0)->annotated.empty());
}

TEST(ModelAnnotation, ChangesTheHashOfWhatIsAnnotated) {
  const std::string good = kMapping + "name: a\nprefix: /\nservice: ";
  EXPECT_EQ(annotated(good + "s")->hash, annotated(good + "s")->hash);
  EXPECT_NE(annotated(good + "s")->hash, annotated(good + "t")->hash);
}

}  // namespace
}  // namespace emissary::model
