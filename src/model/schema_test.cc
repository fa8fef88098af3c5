// The parsers and the schemas say the same, so that neither can be changed alone: which fields there are, their types, choices and
// bounds, what must be there, and what is not acted on.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "model/fields.h"
#include "model/testing.h"
#include "schema/testing.h"

namespace emissary::model {
namespace {

using manifest::Value;
using schema::Effect, schema::Field, schema::Place, schema::Type, schema::walk;

/// The kinds that have a parser, and the least of each that is right.
const std::map<std::string, std::string> kLeast = {
    {"Host", "{}"},
    {"KubernetesEndpointResolver", "{}"},
    {"KubernetesServiceResolver", "{}"},
    {"Listener", "{port: 8080, protocol: HTTP, securityModel: XFP, hostBinding: {namespace: {from: ALL}}}"},
    {"Mapping", "{prefix: /, service: a}"},
    {"Module", "{config: {}}"},
    {"TCPMapping", "{port: 5000, service: a}"},
    {"TLSContext", "{}"},
};

/// Values of each type, one of which is right for whatever field of this type.
const std::map<Type, std::vector<std::string>> kOfType = {
    {Type::String,
     {"x", "/x", "3s", "400s", "5xx", "v1.2", "'5'", "10.0.0.1", "In", "Exists", "P-256", "AES128-SHA", "strict_dns", "default",
      "''"}},
    {Type::Integer, {"7", "200", "400", "10"}},
    {Type::Boolean, {"true", "false"}},
    {Type::Array, {"[]"}},
    {Type::Object, {"{}"}},
};
/// One of each type that is right nowhere it is not asked for.
const std::map<Type, std::string> kWrong = {{Type::String, "perhaps"},
                                            {Type::Integer, "77"},
                                            {Type::Boolean, "true"},
                                            {Type::Array, "[1.5]"},
                                            {Type::Object, "{perhaps: 1.5}"}};

/// Where parsers take more than an API server: other versions' forms, which annotations and files may hold. By the end of the path.
struct MoreTaken {
  std::string_view field;
  Type type;
};
constexpr MoreTaken kMoreTaken[] = {
    {"spec.ambassador_id", Type::String},  {"spec.idle_timeout_ms", Type::Integer}, {"_request_headers.k", Type::String},
    {"_response_headers.k", Type::String}, {"cors.origins", Type::String},          {"cors.methods", Type::String},
    {"cors.headers", Type::String},        {"cors.exposed_headers", Type::String},  {"cors.max_age", Type::Integer},
};
/// What has to stand beside a field for it to be right by itself. By the end of the path.
struct Beside {
  std::string_view field;
  std::string_view name;
  std::string_view value;
};
constexpr Beside kBeside[] = {
    {"matchExpressions[0].key", "operator", "Exists"},   {"matchExpressions[0].values", "operator", "In"},
    {"matchExpressions[0].values[0]", "operator", "In"}, {"_headers.k.append", "value", "x"},
    {"expected_statuses[0].min", "max", "599"},
};
/// Read without their names being asked for.
constexpr std::string_view kReadByHand[] = {"spec.config.ip_allow[].peer", "spec.config.ip_allow[].remote",
                                            "spec.config.ip_deny[].peer", "spec.config.ip_deny[].remote"};

struct Tried {
  ObjectPtr object;
  std::vector<Asked> asked;
};

Tried parseSpec(const std::string& kind, Value spec) {
  Value document = manifest::emptyMap(1);
  manifest::put(document, "apiVersion", manifest::textValue("getambassador.io/v3alpha1", 1));
  manifest::put(document, "kind", manifest::textValue(kind, 1));
  manifest::put(document, "metadata", schema::yamlValue("{name: ambassador, namespace: edge}"));
  manifest::put(document, "spec", std::move(spec));
  Tried out;
  asked = &out.asked;
  const ParsedDocument parsed = parseDocument(document, {"", "own"});
  asked = nullptr;
  EXPECT_EQ(parsed.objects.size(), 1u);
  if (!parsed.objects.empty()) out.object = parsed.objects[0];
  return out;
}

Tried parseWith(const std::string& kind, const Place& place, Value leaf) {
  Value spec = schema::yamlValue(kLeast.at(kind));
  plant(spec, place, std::move(leaf));
  for (const Beside& beside : kBeside) {
    if (!place.path().ends_with(beside.field)) continue;
    Place sibling = place;
    do {
      sibling.names.pop_back();
      sibling.fields.pop_back();
    } while (sibling.field().find(beside.name) == nullptr);
    sibling.fields.push_back(sibling.field().find(beside.name));
    sibling.names.emplace_back(beside.name);
    plant(spec, sibling, schema::yamlValue(beside.value));
  }
  return parseSpec(kind, std::move(spec));
}

/// One of two fields is the other, or lies in it.
bool samePart(std::string_view one, std::string_view other) {
  if (one.size() > other.size()) std::swap(one, other);
  return other.starts_with(one) && (other.size() == one.size() || other[one.size()] == '.' || other[one.size()] == '[');
}

std::string errorsAt(const Tried& tried, const std::string& path) {
  std::string out;
  for (const Finding& finding : tried.object->findings) {
    if (finding.severity == Severity::Error && samePart(finding.field, path)) out += finding.field + ": " + finding.message + "\n";
  }
  return out;
}

void eachPlace(const std::function<void(const std::string& kind, const Place&)>& each) {
  for (const auto& [kind, least] : kLeast) {
    walk({{&schema::kindNamed(kind)->shape.spec}, {}}, [&](const Place& place) { each(kind, place); });
  }
}

std::vector<std::string> rightOnes(const Field& field) {
  if (!field.numbers.empty()) return {std::to_string(field.numbers[0])};
  if (field.choices.empty()) return kOfType.at(field.type);
  std::vector<std::string> out;
  for (const std::string& choice : field.choices) out.push_back("'" + choice + "'");
  return out;
}

bool takenToo(const Place& place, Type type) {
  const std::string path = place.path();
  if (place.field().is_switch && type == Type::String) return true;
  return std::any_of(std::begin(kMoreTaken), std::end(kMoreTaken),
                     [&](const MoreTaken& more) { return more.type == type && path.ends_with(more.field); });
}

TEST(ParserAndSchema, TakeTheSameTypes) {
  eachPlace([](const std::string& kind, const Place& place) {
    const Field& field = place.field();
    if (field.type == Type::Any || place.effect() != Effect::Acts) return;
    SCOPED_TRACE(kind + " " + place.path());
    const std::vector<std::string> candidates = rightOnes(field);
    std::string told;
    const bool taken = std::any_of(candidates.begin(), candidates.end(), [&](const std::string& text) {
      // Of what must not be empty: with what must be in it.
      const bool whole = field.type == Type::Object || field.type == Type::Array;
      const std::string errors =
          errorsAt(parseWith(kind, place, whole ? schema::sample(field) : schema::yamlValue(text)), place.path());
      told = errors;
      return errors.empty();
    });
    EXPECT_TRUE(taken || field.type == Type::Object || field.type == Type::Array) << "no value of its type is taken:\n" << told;
    for (const auto& [type, text] : kWrong) {
      if (type == field.type || takenToo(place, type)) continue;
      EXPECT_NE(errorsAt(parseWith(kind, place, schema::yamlValue(text)), place.path()), "") << text << " is taken";
    }
  });
}

TEST(ParserAndSchema, HaveTheSameBoundsAndNeeds) {
  eachPlace([](const std::string& kind, const Place& place) {
    const Field& field = place.field();
    if (place.effect() != Effect::Acts) return;
    SCOPED_TRACE(kind + " " + place.path());
    const auto errors = [&](int64_t number) {
      return errorsAt(parseWith(kind, place, manifest::wholeValue(number, 1)), place.path());
    };
    if (field.minimum) {
      EXPECT_NE(errors(*field.minimum - 1), "");
      EXPECT_EQ(errors(*field.minimum), "");
    }
    if (field.maximum) {
      EXPECT_NE(errors(*field.maximum + 1), "");
      EXPECT_EQ(errors(*field.maximum), "");
    }
    if (!field.choices.empty() || !field.pattern.empty()) {
      EXPECT_NE(errorsAt(parseWith(kind, place, manifest::textValue("perhaps", 1)), place.path()), "");
    }
    // A name that gRPC may leave out: the server as a whole.
    if (field.required && !place.path().ends_with("grpc.upstream_name")) {
      EXPECT_NE(errorsAt(parseWith(kind, place, Value()), place.path()), "") << "may be absent";
    }
  });
}

/// "spec.a[3].b" → the field there, null pointer when there is none. A name that is the user's is any.
const Field* resolve(const Field& spec, std::string_view path) {
  const Field* at = &spec;
  path.remove_prefix(std::string_view("spec").size());
  while (at != nullptr && !path.empty()) {
    if (path[0] == '[') {
      path.remove_prefix(path.find(']') + 1);
      at = at->items.get();
      continue;
    }
    path.remove_prefix(1);
    const size_t end = std::min(path.find_first_of(".["), path.size());
    at = at->values ? at->values.get() : at->find(path.substr(0, end));
    path.remove_prefix(end);
  }
  return at;
}

/// Of every document with one field in it, right and wrong.
std::map<std::string, std::vector<Asked>> allAsked() {
  std::map<std::string, std::vector<Asked>> out;
  eachPlace([&](const std::string& kind, const Place& place) {
    std::vector<Value> leaves = {schema::sample(place.field())};
    if (place.field().type == Type::Any) leaves.push_back(manifest::emptyMap(1));
    for (const std::string& choice : place.field().choices) leaves.push_back(manifest::textValue(choice, 1));
    for (const Value& leaf : leaves) {
      Tried tried = parseWith(kind, place, leaf);
      std::move(tried.asked.begin(), tried.asked.end(), std::back_inserter(out[kind]));
    }
  });
  return out;
}

TEST(ParserAndSchema, HaveTheSameFields) {
  for (const auto& [kind, asked] : allAsked()) {
    const Field& spec = schema::kindNamed(kind)->shape.spec;
    std::set<const Field*> reached;
    for (const Asked& one : asked) {
      if (!one.path.starts_with("spec.")) continue;
      const Field* field = resolve(spec, one.path);
      EXPECT_NE(field, nullptr) << kind << ": the parser asks for " << one.path << ", which api/ does not have";
      if (field == nullptr) continue;
      reached.insert(field);
      if (one.choices.empty()) continue;
      EXPECT_THAT(one.choices, testing::UnorderedElementsAreArray(field->choices)) << kind << " " << one.path;
    }
    walk({{&spec}, {}}, [&, kind = kind](const Place& place) {
      // What is without effect as a whole, nobody looks into; items and values are looked at by hand.
      if (place.names.empty() || place.names.back() == "[]" || place.names.back() == schema::kUserName) return;
      const Place outer{{place.fields.begin(), place.fields.end() - 1}, {}};
      if (outer.effect() != Effect::Acts) return;
      std::string path = place.path();
      for (size_t at; (at = path.find("[0]")) != std::string::npos;) path.replace(at, 3, "[]");
      if (std::find(std::begin(kReadByHand), std::end(kReadByHand), path) != std::end(kReadByHand)) return;
      EXPECT_TRUE(reached.contains(&place.field())) << kind << ": no parser asks for " << path;
    });
  }
}

TEST(ParserAndSchema, SayTheSameOfWhatIsNotActedOn) {
  eachPlace([](const std::string& kind, const Place& place) {
    const Place outer{{place.fields.begin(), place.fields.end() - 1}, {}};
    if (place.names.empty() || place.field().type == Type::Any || outer.effect() != Effect::Acts) return;
    SCOPED_TRACE(kind + " " + place.path());
    const Tried tried = parseWith(kind, place, schema::sample(place.field()));
    std::string told;
    for (const Finding& finding : tried.object->findings) {
      if (samePart(finding.field, place.path()) && finding.field.size() >= place.path().size()) told += finding.message + "\n";
    }
    const bool later = told.find("not acted on") != std::string::npos ||
                       told.find("has no effect without an AuthService") != std::string::npos ||
                       told.find("has no effect without a RateLimitService") != std::string::npos;
    EXPECT_EQ(place.field().effect == Effect::Later, later) << told;
  });
}

TEST(ParserAndSchema, AreMadeOfAllKindsWithAParser) {
  for (const schema::Kind& kind : schema::kinds()) {
    const Tried tried = parseSpec(kind.name, schema::sample(kind.shape.spec));
    const bool awaited = all(*tried.object).find(kind.name + " is not acted on in this version") != std::string::npos;
    EXPECT_EQ(awaited, kind.effect == Effect::Later) << kind.name;
    EXPECT_EQ(kLeast.contains(kind.name), kind.effect == Effect::Acts) << kind.name;
  }
}

}  // namespace
}  // namespace emissary::model
