// api/*.yaml as a whole: what every file, field and shape has to keep to.

#include "schema/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "convert/convert.h"
#include "manifest/parse.h"
#include "model/ref.h"
#include "schema/api_files.h"

namespace emissary::schema {
namespace {

using Visit = std::function<void(const std::string& where, const Field& field)>;

void visit(const std::string& where, const Field& field, const Visit& each) {
  each(where, field);
  if (field.items) visit(where + "[]", *field.items, each);
  if (field.values) visit(where + ".*", *field.values, each);
  for (const Field& below : field.fields) visit(where + "." + below.name, below, each);
}

void visitAll(const Visit& each) {
  for (const Kind& kind : kinds()) {
    visit(kind.name + " spec", kind.shape.spec, each);
    visit(kind.name + " status", kind.shape.status, each);
    if (kind.legacy) visit(kind.name + " legacy spec", kind.legacy->spec, each);
  }
}

TEST(Schema, HasAllKindsOfTheGroupInAllTheirVersions) {
  std::vector<std::string> names;
  for (const Kind& kind : kinds()) {
    names.push_back(kind.name);
    EXPECT_EQ(kindGroup(emissary::kindNamed(kind.name)), "getambassador.io") << kind.name;
    for (const auto version : {convert::Version::V1, convert::Version::V2, convert::Version::V3alpha1}) {
      const bool listed =
          std::find(kind.versions.begin(), kind.versions.end(), convert::versionName(version)) != kind.versions.end();
      EXPECT_EQ(listed, convert::exists(kind.name, version)) << kind.name;
    }
    EXPECT_EQ(kind.legacy.has_value(), kind.versions.size() > 1) << kind.name;
    EXPECT_EQ(kindNamed(kind.name), &kind);
  }
  EXPECT_THAT(names, testing::ElementsAre("AuthService", "ConsulResolver", "DevPortal", "Host", "KubernetesEndpointResolver",
                                          "KubernetesServiceResolver", "Listener", "LogService", "Mapping", "Module",
                                          "RateLimitService", "TCPMapping", "TLSContext", "TracingService"));
  EXPECT_EQ(kindNamed("Gateway"), nullptr);
}

TEST(Schema, NoTwoKindsAnswerToOneName) {
  // What `kubectl get` knows besides: plurals, singulars and short names of Kubernetes' own and of kinds often installed.
  std::set<std::string> taken = {"cm",     "cs",      "csr", "cr",  "crd",  "crds",   "cj",     "deploy", "ds",   "ep", "ev",
                                 "gc",     "gtw",     "hpa", "ing", "ksvc", "limits", "netpol", "no",     "node", "ns", "pc",
                                 "pdb",    "po",      "pod", "pv",  "pvc",  "quota",  "rc",     "rs",     "rt",   "sa", "sc",
                                 "secret", "service", "sts", "svc", "vs",   "gw",     "dr",     "se"};
  for (const Kind& kind : kinds()) {
    EXPECT_FALSE(kind.short_names.empty()) << kind.name;
    EXPECT_TRUE(taken.insert(kind.plural).second) << kind.plural;
    EXPECT_TRUE(taken.insert(kind.singular).second) << kind.singular;
    for (const std::string& name : kind.short_names) EXPECT_TRUE(taken.insert(name).second) << name;
  }
}

TEST(Schema, EveryFieldIsDescribedAndWhole) {
  visitAll([](const std::string& where, const Field& field) {
    SCOPED_TRACE(where);
    const bool anonymous = where.ends_with("[]") || where.ends_with(".*");
    EXPECT_NE(field.description.empty(), !anonymous);
    if (!field.description.empty()) {
      EXPECT_EQ(field.description.back(), '.') << field.description;
      EXPECT_EQ(field.description.find('\n'), std::string::npos);
    }
    const bool below = !field.fields.empty();
    if (field.type != Type::Any) {
      EXPECT_EQ(field.items != nullptr, field.type == Type::Array);
    }
    if (field.type == Type::Object) {
      EXPECT_TRUE(below || field.values || field.open);
      EXPECT_FALSE(below && field.values);
    } else {
      EXPECT_FALSE(field.open);
      if (field.type != Type::Any) {
        EXPECT_FALSE(below || field.values);
      }
    }
    if (!field.choices.empty() || !field.pattern.empty() || field.max_length) {
      EXPECT_EQ(field.type, Type::String);
    }
    if (!field.numbers.empty() || field.minimum || field.maximum) {
      EXPECT_EQ(field.type, Type::Integer);
    }
    if (field.is_switch) {
      EXPECT_EQ(field.type, Type::Boolean);
    }
    if (field.min_items) {
      EXPECT_EQ(field.type, Type::Array);
    }
    if (field.list_map_key.empty()) return;
    const Field* key = field.items->find(field.list_map_key);
    ASSERT_NE(key, nullptr);
    EXPECT_TRUE(key->required);
    EXPECT_EQ(key->type, Type::String);
  });
}

TEST(Schema, EveryKindTellsItsStatus) {
  for (const Kind& kind : kinds()) {
    for (const char* name : {"conditions", "state", "reason", "observedGeneration"})
      EXPECT_NE(kind.shape.status.find(name), nullptr) << kind.name << " " << name;
    ASSERT_GE(kind.shape.columns.size(), 3u);
    EXPECT_EQ(kind.shape.columns.back().name, "Age");
  }
}

TEST(Schema, EveryShapeIsUsed) {
  std::string all;
  for (const ApiFile& file : apiFiles()) all += file.text;
  for (const ApiFile& file : apiFiles()) {
    if (file.name != "shapes") continue;
    const manifest::ParseResult read = manifest::parse(file.text);
    for (const auto& [name, shape] : read.documents.at(0).map) {
      const bool used = all.find("use: " + name + "}") != std::string::npos ||
                        all.find("use: " + name + ",") != std::string::npos || all.find("use: " + name + "\n") != std::string::npos;
      EXPECT_TRUE(used) << name;
    }
  }
}

TEST(Schema, OlderVersionsHaveTheirOwnNamesAndUnions) {
  const Kind& mapping = *kindNamed("Mapping");
  const Field& now = mapping.shape.spec;
  const Field& then = mapping.legacy->spec;
  EXPECT_EQ(now.find("tls")->type, Type::String);
  EXPECT_EQ(then.find("tls")->type, Type::Any);
  EXPECT_EQ(now.find("headers")->values->type, Type::String);
  EXPECT_EQ(then.find("headers")->values->type, Type::Any);
  EXPECT_EQ(then.find("labels")->type, Type::Any);
  for (const char* name : {"hostname", "stats_name", "health_checks", "v2ExplicitTLS", "v2BoolHeaders", "v2BoolQueryParameters"}) {
    EXPECT_NE(now.find(name), nullptr) << name;
    EXPECT_EQ(then.find(name), nullptr) << name;
  }
  for (const char* name : {"v3StatsName", "v3health_checks"}) {
    EXPECT_EQ(now.find(name), nullptr) << name;
    EXPECT_NE(then.find(name), nullptr) << name;
  }
  EXPECT_EQ(then.find("cors")->find("v2CommaSeparatedOrigins"), nullptr);
  EXPECT_EQ(mapping.legacy->columns[0].path, ".spec.host");
  const Kind& host = *kindNamed("Host");
  EXPECT_EQ(host.legacy->spec.find("mappingSelector"), nullptr);
  EXPECT_NE(host.legacy->spec.find("selector"), nullptr);
  EXPECT_NE(host.legacy->spec.find("tls")->find("v3CRLSecret"), nullptr);
  EXPECT_EQ(host.shape.spec.find("ambassadorId")->alias_of, "ambassador_id");
}

}  // namespace
}  // namespace emissary::schema
