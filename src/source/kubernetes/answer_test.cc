// JSON of an API server to documents: what is left out, and what hostile content does.

#include "source/kubernetes/answer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "manifest/parse.h"
#include "source/kubernetes/kind_watch.h"

namespace emissary::source {
namespace {

using Json = nlohmann::json;

Json mapping(Json spec = {{"prefix", "/"}, {"service", "s"}}) {
  return {{"metadata", {{"name", "a"}, {"namespace", "n"}, {"resourceVersion", "7"}}}, {"spec", std::move(spec)}};
}

std::string listOf(const std::vector<std::string>& items) {
  std::string out = R"({"kind":"XList","metadata":{"resourceVersion":"9"},"items":[)";
  for (size_t i = 0; i < items.size(); ++i) out += (i > 0 ? "," : "") + items[i];
  return out + "]}";
}

/// As canonical JSON, then " # problem".
std::string documentOf(const std::string& item, Kind kind, const manifest::Limits& limits = {}) {
  AnswerReader reader;
  ListHead head;
  std::string out = "unread", body = listOf({item});
  const Resource& resource = resourceOf(kind);
  const bool good = reader.readList(body, resource.namespaced, head, [&](const Item& read) {
    std::string problem;
    out = read.document(resource, resource.versions[0], limits, problem).canonical();
    if (!problem.empty()) out += " # " + problem;
  });
  return good ? out : "no list: " + out;
}

ObjectPtr objectIn(const std::string& item, Kind kind, const KubernetesOptions& options = {}) {
  AnswerReader reader;
  ListHead head;
  ObjectPtr out;
  std::string body = listOf({item});
  EXPECT_TRUE(
      reader.readList(body, true, head, [&](const Item& read) { out = objectOf(read, resourceOf(kind), "v3alpha1", options); }));
  return out;
}

TEST(KubernetesAnswer, OursAreTakenWhole) {
  Json object = mapping({{"prefix", "/"}, {"big", 18446744073709551615u}, {"x", {1, -2, 1.5, true, nullptr, {{"y", "z"}}}}});
  object["metadata"].update(
      {{"uid", "u"},
       {"generation", 3},
       {"labels", {{"l", "1"}}},
       {"managedFields", {{{"manager", "kubectl"}}}},
       {"annotations", {{"kubectl.kubernetes.io/last-applied-configuration", "…"}, {"getambassador.io/tls-passthrough", "true"}}}});
  object["status"] = {{"state", "Running"}};
  object["stray"] = 1;
  EXPECT_EQ(
      documentOf(object.dump(), Kind::Mapping),
      R"({"apiVersion":"getambassador.io/v3alpha1","kind":"Mapping","metadata":{"annotations":{"getambassador.io/tls-passthrough":"true"},)"
      R"("generation":3,"labels":{"l":"1"},"name":"a","namespace":"n","uid":"u"},)"
      R"("spec":{"big":1.8446744073709552e+19,"prefix":"/","x":[1,-2,1.5,true,null,{"y":"z"}]},"stray":1})");
}

TEST(KubernetesAnswer, OfOthersOnlyWhatIsUsed) {
  Json service = {
      {"metadata", {{"name", "s"}, {"namespace", "n"}, {"labels", {{"a", "b"}}}}},
      {"spec", {{"type", "ClusterIP"}, {"clusterIP", "10.0.0.1"}, {"clusterIPs", {"10.0.0.1"}}, {"selector", {{"a", "b"}}}}},
      {"status", {{"loadBalancer", Json::object()}}}};
  EXPECT_EQ(
      documentOf(service.dump(), Kind::Service),
      R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"s","namespace":"n"},"spec":{"clusterIP":"10.0.0.1","type":"ClusterIP"}})");
  service["metadata"]["annotations"] = {{"getambassador.io/config", "x"}, {"other", "y"}};
  EXPECT_EQ(
      documentOf(service.dump(), Kind::Service),
      R"({"apiVersion":"v1","kind":"Service","metadata":{"annotations":{"getambassador.io/config":"x"},"labels":{"a":"b"},"name":"s",)"
      R"("namespace":"n"},"spec":{"clusterIP":"10.0.0.1","type":"ClusterIP"}})");
  const Json slice = {
      {"metadata", {{"name", "s"}, {"namespace", "n"}, {"labels", {{"kubernetes.io/service-name", "s"}, {"a", "b"}}}}},
      {"addressType", "IPv4"},
      {"endpoints",
       {{{"addresses", {"10.0.0.1"}}, {"conditions", {{"ready", true}}}, {"targetRef", {{"kind", "Pod"}}}, {"zone", "z"}}}},
      {"ports", {{{"port", 80}}}}};
  EXPECT_EQ(
      documentOf(slice.dump(), Kind::EndpointSlice),
      R"({"addressType":"IPv4","apiVersion":"discovery.k8s.io/v1","endpoints":[{"addresses":["10.0.0.1"],"conditions":{"ready":true}}],)"
      R"("kind":"EndpointSlice","metadata":{"labels":{"kubernetes.io/service-name":"s"},"name":"s","namespace":"n"},"ports":[{"port":80}]})");
}

TEST(KubernetesAnswer, WhatBreaksALimitIsRefusedAlone) {
  std::string deep, closing;
  for (int i = 0; i < 9000; ++i) {
    deep += "[";
    closing += "]";
  }
  const std::string nested =
      R"({"metadata":{"name":"a","namespace":"n"},"spec":{"ambassador_id":["x"],"modules":)" + deep + closing + "}}";
  EXPECT_EQ(
      documentOf(nested, Kind::Mapping),
      R"({"apiVersion":"getambassador.io/v3alpha1","kind":"Mapping","metadata":{"name":"a","namespace":"n"},"spec":{"ambassador_id":["x"]}})"
      " # it is nested more than 64 levels deep");
  KubernetesOptions options;
  EXPECT_EQ(objectIn(nested, Kind::Mapping, options), nullptr);  // another installation's
  options.ambassador_id = "x";
  const ObjectPtr object = objectIn(nested, Kind::Mapping, options);
  ASSERT_NE(object, nullptr);
  EXPECT_FALSE(object->usable);
  ASSERT_EQ(object->findings.size(), 1u);
  EXPECT_EQ(object->findings[0].message, "it is nested more than 64 levels deep; nothing of it is used");
  EXPECT_EQ(object->findings[0].object, object->ref);

  manifest::Limits limits;
  limits.max_nodes = 100;
  limits.max_bytes = 1000;
  EXPECT_NE(
      documentOf(mapping({{"a", std::vector<int>(200)}}).dump(), Kind::Mapping, limits).find("# it holds more than 100 values"),
      std::string::npos);
  EXPECT_NE(
      documentOf(mapping({{"a", std::string(2000, 'x')}}).dump(), Kind::Mapping, limits).find("# it is longer than 1000 bytes"),
      std::string::npos);
}

TEST(KubernetesAnswer, ALongTextIsNoTrouble) {
  const ObjectPtr object = objectIn(mapping({{"prefix", std::string(10 << 20, 'x')}, {"service", "s"}}).dump(), Kind::Mapping);
  ASSERT_NE(object, nullptr);
}

TEST(KubernetesAnswer, OfKeysThatComeTwiceTheLastCounts) {
  EXPECT_NE(documentOf(R"({"metadata":{"name":"a","namespace":"n"},"spec":{"x":1,"y":2,"x":3}})", Kind::Mapping)
                .find(R"("spec":{"x":3,"y":2})"),
            std::string::npos);
  std::string many;
  for (int i = 0; i < 40; ++i) many += "\"k" + std::to_string(i % 20) + "\":" + std::to_string(i) + ",";
  const std::string out = documentOf(R"({"metadata":{"name":"a","namespace":"n"},"spec":{)" + many + R"("z":0}})", Kind::Mapping);
  EXPECT_NE(out.find("\"k7\":27"), std::string::npos) << out;
  EXPECT_EQ(out.find("\"k7\":7"), std::string::npos) << out;
}

TEST(KubernetesAnswer, AnObjectReadHereIsTheObjectOfAFile) {
  const std::string text =
      R"({"apiVersion":"getambassador.io/v3alpha1","kind":"Mapping","metadata":{"name":"a","namespace":"n","labels":{"l":"1"}},)"
      R"("spec":{"prefix":"/","service":"s","timeout_ms":3.0,"weight":10,"headers":{"x":true}}})";
  const manifest::ParseResult file = manifest::parse(text);
  const ObjectPtr filed = model::parseDocument(file.documents.at(0), {}).objects.at(0), read = objectIn(text, Kind::Mapping);
  EXPECT_EQ(read->hash, filed->hash);
  EXPECT_EQ(read->source, filed->source);
}

TEST(KubernetesAnswer, WhatIsNoList) {
  AnswerReader reader;
  for (std::string text :
       {"", "{", "[]", "7", "{}", R"({"kind":"Status","metadata":{}})", R"({"kind":"XList","metadata":{},"items":[]})",
        R"({"kind":"XList","metadata":{"resourceVersion":"1"}})",
        R"({"kind":"XList","metadata":{"resourceVersion":"1"},"items":{}})",
        R"({"kind":"XList","metadata":{"resourceVersion":"1"},"items":[7]})",
        R"({"kind":"XList","metadata":{"resourceVersion":"1"},"items":[{"metadata":{"namespace":"n"}}]})",
        R"({"kind":"XList","metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"n"}}]})",
        R"({"kind":"XList","metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":7,"namespace":"n"}}]})"}) {
    ListHead head;
    const std::string shown = text;
    EXPECT_FALSE(reader.readList(text, true, head, [](const Item&) {})) << shown;
  }
  std::string none = R"({"kind":"XList","metadata":{"resourceVersion":"1","continue":"x"},"items":null})";
  ListHead head;
  EXPECT_TRUE(reader.readList(none, true, head, [](const Item&) {}));
  EXPECT_EQ(head.more, "x");
}

TEST(KubernetesAnswer, Resources) {
  AnswerReader reader;
  std::string text = R"({"kind":"APIResourceList","resources":[{"name":"hosts"},{"name":"hosts/status"},{"name":"mappings"}]})";
  EXPECT_EQ(reader.readResources(text), (std::set<std::string>{"hosts", "mappings"}));
  for (std::string bad :
       {"{}", "", R"({"kind":"Status"})", R"({"kind":"APIResourceList"})", R"({"kind":"APIResourceList","resources":[7]})"}) {
    EXPECT_FALSE(reader.readResources(bad));
  }
}

}  // namespace
}  // namespace emissary::source
