#include <set>

#include "model/testing.h"

namespace emissary::model {
namespace {

TEST(ModelParse, Envelope) {
  const ObjectPtr object = parsedObject(R"(
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: cart, namespace: edge, labels: {a: b, c: "1"}, annotations: {x: y}, uid: z}
spec: {prefix: /, service: a}
status: {state: Running}
)");
  EXPECT_EQ(all(*object), "");
  EXPECT_EQ(object->ref.text(), "Mapping edge/cart");
  EXPECT_EQ(object->labels, (Labels{{"a", "b"}, {"c", "1"}}));
  EXPECT_EQ(object->path, "dir/a.yaml");
  EXPECT_EQ(object->line, 2);
  EXPECT_TRUE(std::holds_alternative<Mapping>(object->spec));
}

TEST(ModelParse, Namespaces) {
  EXPECT_EQ(parsedObject("{apiVersion: v1, kind: Service, metadata: {name: a}}")->ref.ns, "own");
  EXPECT_EQ(parsedObject("{apiVersion: v1, kind: Service, metadata: {name: a, namespace: ''}}")->ref.ns, "own");
  EXPECT_EQ(parsedObject("{apiVersion: v1, kind: Service, metadata: {name: a, namespace: _automatic_}}")->ref.ns, "own");
  EXPECT_EQ(parsedObject("{apiVersion: v1, kind: Namespace, metadata: {name: a, namespace: b}}")->ref.ns, "");
  EXPECT_EQ(parsedObject("{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: a}}")->ref.ns, "");
}

TEST(ModelParse, Lists) {
  const ParsedDocument list = parsed(R"(
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Service, metadata: {name: a}}
- apiVersion: v1
  kind: ServiceList
  items:
  - {metadata: {name: b}}
- {apiVersion: v1, kind: Service}
- apiVersion: getambassador.io/v3alpha1
  kind: MappingList
  items: [{metadata: {name: c}, spec: {prefix: /, service: a}}]
)");
  ASSERT_EQ(list.objects.size(), 3u);
  EXPECT_EQ(list.objects[0]->ref.name, "a");
  EXPECT_EQ(list.objects[1]->ref.text(), "Service own/b");
  EXPECT_EQ(list.objects[2]->ref.text(), "Mapping own/c");
  EXPECT_EQ(told(list.findings), std::vector<std::string>{"error metadata.name: is missing; a Service needs a name"});
  EXPECT_EQ(list.findings[0].line, 10);
  EXPECT_TRUE(parsed("{kind: List, apiVersion: v1}").objects.empty());
  EXPECT_EQ(told(parsed("{kind: List, apiVersion: v1, items: 3}").findings),
            std::vector<std::string>{"error items: must be a list of objects, but is the number 3"});
}

TEST(ModelParse, NestedListsAreBounded) {
  std::string text = "{apiVersion: v1, kind: Service, metadata: {name: a}}";
  for (int i = 0; i < 20; ++i) text = "{apiVersion: v1, kind: List, items: [" + text + "]}";
  const ParsedDocument deep = parsed(text);
  EXPECT_TRUE(deep.objects.empty());
  ASSERT_EQ(deep.findings.size(), 1u);
  EXPECT_EQ(deep.findings[0].field, "items");
}

TEST(ModelParse, DocumentsThatAreNoObject) {
  struct Row {
    std::string yaml;
    std::string finding;
  };
  const std::string mapping = "{apiVersion: getambassador.io/v3alpha1, kind: Mapping, ";
  for (const Row& row : std::vector<Row>{
           {"[1]", "error : a manifest is a map with apiVersion, kind and metadata, but this is a list"},
           {"{apiVersion: v1}", "error kind: is missing"},
           {"{kind: Mapping}", "error apiVersion: is missing"},
           {"{kind: 3, apiVersion: v1}", "error kind: must be text, but is the number 3"},
           {mapping + "metadata: {}}", "error metadata.name: is missing; a Mapping needs a name"},
           {mapping + "name: flat}", "error metadata.name: is missing"},
           {mapping + "metadata: x}", "error metadata: must be a map"},
           {mapping + "metadata: {name: 12}}",
            "error metadata.name: of a Mapping must be text, but is the number 12; write it in quotes"},
           {mapping + "metadata: {name: a, namespace: [x]}}", "error metadata.namespace: of a Mapping must be text"},
           {mapping + "metadata: {name: \"a\\nb\"}}", "error metadata.name: of a Mapping is no name: \"a?b\""},
           {mapping + "metadata: {name: " + std::string(1000, 'a') + "}}", "error metadata.name: of a Mapping is no name"},
           {"{kind: Deployment, apiVersion: apps/v1, metadata: {name: web}}",
            "warning kind: unknown kind Deployment (apps/v1) of the object \"web\"; it is ignored"},
           {"{kind: Mapping, apiVersion: example.com/v1, metadata: {name: web}}",
            "warning kind: unknown kind Mapping (example.com/v1) of the object \"web\"; it is ignored; Mapping is read as "
            "getambassador.io/v3alpha1"},
           {"{kind: Service, apiVersion: serving.knative.dev/v1, metadata: {name: web}}", "warning kind: unknown kind Service"},
           {"{kind: Service, apiVersion: v2, metadata: {name: web}}", "warning kind: unknown kind Service (v2)"},
           {"{kind: AllowList, apiVersion: x/v1, items: {}}", "warning kind: unknown kind AllowList"},
       }) {
    const ParsedDocument document = parsed(row.yaml);
    EXPECT_TRUE(document.objects.empty()) << row.yaml;
    ASSERT_EQ(document.findings.size(), 1u) << row.yaml;
    EXPECT_TRUE(told(document.findings)[0].starts_with(row.finding)) << told(document.findings)[0];
    EXPECT_EQ(document.findings[0].path, "dir/a.yaml");
    EXPECT_EQ(document.findings[0].line, 1);
  }
}

TEST(ModelParse, NamesAreChecked) {
  for (const char* name : {"A", "a_b", "-a", "a-", "a..b", ".a", "a.", "a/b", "a b"}) {
    const ObjectPtr object =
        parsedObject("{apiVersion: v1, kind: Service, metadata: {name: '" + std::string(name) + "', namespace: edge}}");
    EXPECT_FALSE(object->usable) << name;
    ASSERT_EQ(object->findings.size(), 1u);
    EXPECT_EQ(object->findings[0].field, "metadata.name");
  }
  for (const char* ns : {"A", "a.b", "-a", "a-"}) {
    const ObjectPtr object =
        parsedObject("{apiVersion: v1, kind: Service, metadata: {name: a, namespace: '" + std::string(ns) + "'}}");
    EXPECT_FALSE(object->usable) << ns;
    ASSERT_EQ(object->findings.size(), 1u);
    EXPECT_EQ(object->findings[0].field, "metadata.namespace");
  }
  EXPECT_TRUE(parsedObject("{apiVersion: v1, kind: Service, metadata: {name: a-1.b-2, namespace: a-1}}")->usable);
  EXPECT_FALSE(parsedObject("{apiVersion: v1, kind: Service, metadata: {name: a, labels: {x: true}}}")->usable);
}

TEST(ModelParse, UnknownVersions) {
  const ObjectPtr object =
      parsedObject("{apiVersion: getambassador.io/v4, kind: Mapping, metadata: {name: a}, spec: {ambassador_id: blue, prefix: 3}}");
  EXPECT_FALSE(object->usable);
  EXPECT_EQ(object->spec.index(), 0u);
  EXPECT_EQ(told(object->findings),
            std::vector<std::string>{"error apiVersion: \"v4\" is no version of Mapping; write it as getambassador.io/v3alpha1"});
  EXPECT_EQ(object->ambassador_id, std::vector<std::string>{"blue"});
  EXPECT_FALSE(parsedObject("{apiVersion: getambassador.io/v2, kind: Listener, metadata: {name: a}, spec: {}}")->usable);
  EXPECT_FALSE(parsedObject("{apiVersion: getambassador.io/v1, kind: Host, metadata: {name: a}, spec: {}}")->usable);
}

TEST(ModelParse, OlderVersions) {
  const ObjectPtr object = parsedObject(R"(
apiVersion: getambassador.io/v1
kind: Mapping
metadata: {name: a}
spec:
  ambassador_id: [--apiVersion-v3alpha1-only--blue]
  prefix: /
  service: cart
  tls: true
  host: shop.com
  headers: {x-a: true}
)");
  EXPECT_EQ(all(*object), "notice apiVersion: getambassador.io/v1 is deprecated; write the object as getambassador.io/v3alpha1\n");
  ASSERT_TRUE(std::holds_alternative<Mapping>(object->spec));
  const auto& mapping = std::get<Mapping>(object->spec);
  EXPECT_EQ(mapping.service, "https://cart");
  EXPECT_EQ(mapping.hostname, "shop.com");
  ASSERT_EQ(mapping.headers.size(), 1u);
  EXPECT_TRUE(mapping.headers[0].regex);
  EXPECT_EQ(object->ambassador_id, std::vector<std::string>{"blue"});
}

TEST(ModelParse, FindingsNameFieldsAsTheyWereWritten) {
  const ObjectPtr object = parsedObject(R"(
apiVersion: getambassador.io/v2
kind: Mapping
metadata: {name: a}
spec:
  prefix: /
  service: cart
  host: "a.*.com"
  hostname: b
  v3StatsName: 3
)");
  EXPECT_EQ(all(*object),
            "notice apiVersion: getambassador.io/v2 is deprecated; write the object as getambassador.io/v3alpha1\n"
            "warning spec.hostname: is no field of getambassador.io/v2 and is ignored; write host, or the object as "
            "getambassador.io/v3alpha1\n"
            "warning spec.host: \"a.*.com\" matches no host name; one '*' may stand at the beginning or at the end\n"
            "error spec.v3StatsName: must be text, but is the number 3; write it in quotes\n");
  EXPECT_EQ(object->findings[2].line, 8);
}

TEST(ModelParse, Ids) {
  using Ids = std::vector<std::string>;
  const auto ids = [](std::string_view kind, std::string_view spec) { return ours(kind, spec)->ambassador_id; };
  EXPECT_EQ(ids("Module", "{config: {}}"), Ids{"default"});
  EXPECT_EQ(ids("Module", "{ambassador_id: []}"), Ids{"default"});
  EXPECT_EQ(ids("Module", "{ambassador_id: null}"), Ids{"default"});
  EXPECT_EQ(ids("Module", "{ambassador_id: blue}"), Ids{"blue"});
  EXPECT_EQ(ids("Module", "{ambassador_id: [_automatic_]}"), Ids{"_automatic_"});
  EXPECT_EQ(ids("Host", "{ambassador_id: [a], ambassadorId: [b]}"), Ids{"b"});
  EXPECT_EQ(ids("Host", "{ambassadorId: b}"), Ids{"b"});
  // Known even of an object that is wrong: it may be for others.
  EXPECT_EQ(ids("Mapping", "{ambassador_id: [a]}"), Ids{"a"});
}

TEST(ModelParse, KubernetesObjectsAreForEverybody) {
  EXPECT_EQ(parsedObject("{apiVersion: v1, kind: Service, metadata: {name: a}}")->ambassador_id,
            std::vector<std::string>{"_automatic_"});
}

TEST(ModelParse, KindsWithoutEffect) {
  for (const char* kind : {"AuthService", "ConsulResolver", "LogService", "RateLimitService", "TracingService"}) {
    const ObjectPtr object = ours(kind, "{service: x}");
    EXPECT_TRUE(object->usable);
    EXPECT_EQ(object->spec.index(), 0u);
    EXPECT_EQ(all(*object), std::string("warning : ") + kind + " is not acted on in this version\n");
  }
  EXPECT_EQ(all(*ours("DevPortal", "{default: true}")), "");
  for (const char* kind : {"KubernetesServiceResolver", "KubernetesEndpointResolver"}) {
    EXPECT_EQ(all(*ours(kind, "{ambassador_id: [a]}")), "");
    EXPECT_TRUE(std::holds_alternative<Resolver>(ours(kind, "{}")->spec));
    EXPECT_EQ(all(*ours(kind, "{address: x}")), "warning spec.address: is not a known field and is ignored\n");
  }
  for (const char* text :
       {"apiVersion: v1, kind: ConfigMap", "apiVersion: v1, kind: Namespace", "apiVersion: networking.k8s.io/v1, kind: Ingress",
        "apiVersion: networking.k8s.io/v1beta1, kind: Ingress", "apiVersion: networking.k8s.io/v1, kind: IngressClass"}) {
    EXPECT_EQ(all(*parsedObject(std::string("{") + text + ", metadata: {name: a}}")), "");
  }
}

TEST(ModelParse, FieldsBesideSpec) {
  const ObjectPtr object = parsedObject(
      "{apiVersion: getambassador.io/v3alpha1, kind: Mapping, metadata: {name: a}, prefix: /, spec: {prefix: /, service: a}}");
  EXPECT_TRUE(object->usable);
  EXPECT_EQ(all(*object), "warning prefix: is ignored here; fields of a Mapping belong under spec\n");
}

std::string hashOf(std::string_view yaml) { return parsedObject(yaml)->hash.hex(); }

TEST(ModelParse, WhatAnApiServerCounts) {
  const manifest::Value document =
      manifest::parse(
          "{apiVersion: getambassador.io/v3alpha1, kind: Mapping, metadata: {name: a, generation: 7, uid: u-1},"
          " spec: {prefix: /, service: a}}")
          .documents.at(0);
  const ObjectPtr served = parseDocument(document, {}).objects.at(0), filed = parseDocument(document, {"a.yaml"}).objects.at(0);
  EXPECT_EQ(served->generation, 7);
  EXPECT_EQ(served->uid, "u-1");
  EXPECT_EQ(filed->generation, 0);
  EXPECT_EQ(filed->uid, "");
  EXPECT_EQ(served->hash, filed->hash);
}

TEST(ModelHash, SameContentSameHash) {
  const std::string base = hashOf(
      "{apiVersion: getambassador.io/v3alpha1, kind: Mapping, metadata: {name: a, labels: {x: '1', y: '2'}}, spec: {prefix: /, "
      "service: a, "
      "timeout_ms: 5}}");
  EXPECT_EQ(base, hashOf("spec: {timeout_ms: 5.0, service: a,\n\n prefix: /, weight: null}\nkind: Mapping\n"
                         "metadata: {labels: {y: '2', x: '1'}, name: a, namespace: own, resourceVersion: '7', generation: 3,\n"
                         "  managedFields: [{a: b}], annotations: {a: b}, uid: u}\nstatus: {state: Running}\n"
                         "apiVersion: getambassador.io/v3alpha1"));
}

TEST(ModelHash, OtherContentOtherHash) {
  std::set<std::string> hashes;
  const std::string head = "{apiVersion: getambassador.io/v3alpha1, kind: Mapping, metadata: ";
  for (const std::string& text : {
           head + "{name: a}, spec: {prefix: /, service: a}}",
           head + "{name: b}, spec: {prefix: /, service: a}}",
           head + "{name: a, namespace: b}, spec: {prefix: /, service: a}}",
           head + "{name: a, labels: {x: v}}, spec: {prefix: /, service: a}}",
           head + "{name: a, labels: {x: v, z: ''}}, spec: {prefix: /, service: a}}",
           head + "{name: a}, spec: {prefix: /, service: b}}",
           head + "{name: a}, spec: {prefix: /a, service: ''}}",
           head + "{name: a}, spec: {prefix: /, service: a, rewrite: ''}}",
           head + "{name: a}, spec: {prefix: /, service: a, weight: 1}}",
           head + "{name: a}, spec: {prefix: /, service: a, weight: 1.5}}",
           head + "{name: a}, spec: {prefix: /, service: a, grpc: true}}",
           head + "{name: a}, spec: {prefix: /, service: a, grpc: false}}",
           head + "{name: a}, spec: {prefix: /, service: a}, stray: 1}",
           std::string("{apiVersion: getambassador.io/v2, kind: Mapping, metadata: {name: a}, spec: {prefix: /, service: a}}"),
       }) {
    EXPECT_TRUE(hashes.insert(hashOf(text)).second) << text;
  }
}

TEST(ModelHash, OfKubernetesObjectsOnlyWhatIsRead) {
  const std::string service = "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80}]";
  EXPECT_EQ(hashOf(service + "}}"), hashOf(service + ", selector: {a: b}, sessionAffinity: None}, status: {loadBalancer: {}}}"));
  EXPECT_NE(hashOf(service + "}}"), hashOf(service + ", clusterIP: 10.0.0.1}}"));
  EXPECT_NE(hashOf(service + "}}"), hashOf("{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 81}]}}"));
  const std::string endpoints = "{apiVersion: v1, kind: Endpoints, metadata: {name: a}, subsets: [{addresses: [{ip: 10.0.0.1";
  EXPECT_EQ(hashOf(endpoints + "}]}]}"), hashOf(endpoints + ", targetRef: {kind: Pod}}], notReadyAddresses: [{ip: 10.0.0.2}]}]}"));
  EXPECT_NE(hashOf(endpoints + "}]}]}"), hashOf(endpoints + "}, {ip: 10.0.0.2}]}]}"));
  const std::string secret = "{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {tls.crt: x";
  EXPECT_EQ(hashOf(secret + "}}"), hashOf(secret + ", password: y}}"));
  EXPECT_NE(hashOf(secret + "}}"), hashOf(secret + ", tls.key: y}}"));
  EXPECT_EQ(hashOf("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a: b}}"),
            hashOf("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a: c}}"));
}

}  // namespace
}  // namespace emissary::model
