#include "engine/view.h"

#include <gtest/gtest.h>

#include "engine/testing.h"

namespace emissary::engine {
namespace {

const std::string kObjects = testing::kListenerAndHost + R"(
apiVersion: getambassador.io/v3alpha1
kind: Module
metadata: {name: ambassador, namespace: default}
spec: {config: {liveness_probe: {enabled: false}, readiness_probe: {enabled: false}, diagnostics: {enabled: false}}}
---
apiVersion: getambassador.io/v3alpha1
kind: KubernetesEndpointResolver
metadata: {name: mine, namespace: default}
---
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: main, namespace: default}
spec: {hostname: "*", prefix: /a/, service: one}
---
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: test, namespace: default}
spec: {hostname: "*", prefix: /a/, service: two, weight: 10, resolver: mine}
---
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: first, namespace: default, annotations: {a: b}}
spec: {hostname: "*", prefix: /longer/, service: "no port:x"}
)";

TEST(View, BuiltInMappingsAreAmongTheObjects) {
  Engine engine({});
  engine.apply({});
  const auto view = engine.view();
  EXPECT_EQ(view->groups.size(), 3u);
  ASSERT_EQ(view->objects.size(), 3u);
  EXPECT_EQ(view->objects[0]->ref.name, "internal_diagnostics_probe_mapping");
  EXPECT_TRUE(view->diagnostics.enabled);
}

TEST(View, GroupsInTheOrderOfTheRoutes) {
  Engine engine({});
  engine.apply(testing::changes(kObjects));
  const auto view = engine.view();
  ASSERT_EQ(view->groups.size(), 2u);
  EXPECT_EQ(view->groups[0].match.path, "/longer/");
  EXPECT_EQ(view->groups[0].hosts, 1u);
  ASSERT_EQ(view->groups[0].members.size(), 1u);
  EXPECT_EQ(view->groups[0].members[0].cluster, "") << "its service is no service";
  const View::Group& canary = view->groups[1];
  ASSERT_EQ(canary.members.size(), 2u);
  EXPECT_EQ(canary.members[0].mapping->ref.name, "main");
  EXPECT_EQ(canary.members[0].percent, 90);
  EXPECT_EQ(canary.members[1].percent, 10);
  EXPECT_FALSE(canary.routes.empty());
  ASSERT_EQ(view->clusters.size(), 2u);
  EXPECT_EQ(view->clusters[0].name, canary.members[0].cluster);
  EXPECT_EQ(view->clusters[0].mappings, (std::vector<ObjectRef>{{Kind::Mapping, "default", "main"}}));
}

TEST(View, ResolversInUse) {
  Engine engine({});
  engine.apply(testing::changes(kObjects));
  const auto view = engine.view();
  ASSERT_EQ(view->resolvers.size(), 2u);
  EXPECT_EQ(view->resolvers[0].name, "kubernetes-service");
  EXPECT_EQ(view->resolvers[0].object, ObjectRef{});
  EXPECT_EQ(view->resolvers[1].kind, Kind::KubernetesEndpointResolver);
  EXPECT_EQ(view->resolvers[1].object, (ObjectRef{Kind::KubernetesEndpointResolver, "default", "mine"}));
}

TEST(View, ResolversByNameAndNamespaceAndByEitherNameOfAPair) {
  const auto mapping = [](const std::string& name, const std::string& resolver) {
    return "apiVersion: getambassador.io/v3alpha1\nkind: Mapping\nmetadata: {name: " + name +
           ", namespace: default}\nspec: {hostname: '*', prefix: /, service: a, resolver: " + resolver + "}\n---\n";
  };
  const auto resolver = [](const std::string& kind, const std::string& name) {
    return "apiVersion: getambassador.io/v3alpha1\nkind: " + kind + "\nmetadata: {name: " + name + ", namespace: edge}\n---\n";
  };
  Engine engine({});
  const auto meant = [&](const std::string& name) {
    const auto view = engine.view();
    for (const View::Resolver& one : view->resolvers) {
      if (one.name == name) return one.object.text();
    }
    return std::string("nothing");
  };
  engine.apply(testing::changes(testing::kListenerAndHost + mapping("a", "other.edge") + mapping("b", "kubernetes-endpoint")));
  EXPECT_EQ(meant("other.edge"), "nothing");
  EXPECT_EQ(meant("kubernetes-endpoint"), ObjectRef().text()) << "one that is always there";
  engine.apply(
      testing::changes(resolver("KubernetesEndpointResolver", "other") + resolver("KubernetesServiceResolver", "endpoint")));
  EXPECT_EQ(meant("other.edge"), "KubernetesEndpointResolver edge/other");
  EXPECT_EQ(meant("kubernetes-endpoint"), "KubernetesServiceResolver edge/endpoint");
}

TEST(View, HoldsNoSecretAndNoEndpoints) {
  Engine engine({});
  engine.apply(testing::changes(kObjects));
  engine.apply(testing::changes(testing::secretManifest("default", "fallback-self-signed-cert", "a.test")));
  const auto view = engine.view();
  EXPECT_FALSE(view->resources.empty());
  for (const auto& resource : view->resources) {
    EXPECT_NE(resource->type, serve::Type::Secret);
    EXPECT_NE(resource->type, serve::Type::Endpoints);
  }
  for (const auto& object : view->objects) EXPECT_NE(object->ref.kind, Kind::Secret);
}

TEST(View, WhatWasWrittenWithoutItsAnnotations) {
  const auto objects = testing::objects(kObjects);
  EXPECT_EQ(objects.back()->source,
            R"({"apiVersion":"getambassador.io/v3alpha1","kind":"Mapping","metadata":{"name":"first","namespace":"default"},)"
            R"("spec":{"hostname":"*","prefix":"/longer/","service":"no port:x"}})");
  EXPECT_EQ(testing::objects(testing::secretManifest("default", "s", "a.test"))[0]->source, "");
}

}  // namespace
}  // namespace emissary::engine
