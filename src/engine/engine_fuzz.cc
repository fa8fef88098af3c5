// libFuzzer, structure-aware: random sets of objects from the pools of test/random_objects/pools.yaml, some values replaced by
// hostile ones, written, rewritten and removed. Whatever they hold: nothing crashes; nothing is generated that breaks a constraint
// of Envoy's API (it would be left out with a finding, but then a check is missing before); and the result is that of a fresh
// engine.

#include <fuzzer/FuzzedDataProvider.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/engine.h"
#include "engine/testing.h"
#include "manifest/parse.h"
#include "model/parse.h"

namespace emissary::engine {
namespace {

using manifest::Value;

Value text(std::string string) {
  Value out;
  out.type = Value::Type::String;
  out.string = std::move(string);
  return out;
}

Value map() {
  Value out;
  out.type = Value::Type::Map;
  return out;
}

Value& put(Value& map, const std::string& key, Value value) {
  for (auto& [name, old] : map.map) {
    if (name == key) return old = std::move(value);
  }
  return map.map.emplace_back(key, std::move(value)).second;
}

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "engine_fuzz: %s\n", what.c_str());
  std::abort();
}

struct Pools {
  Value root;
  std::string certificate, key;

  static const Pools& get() {
    static const Pools pools;
    return pools;
  }

 private:
  Pools() {
    std::ifstream file(EMISSARY_SOURCE_DIR "/test/random_objects/pools.yaml");
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    auto parsed = manifest::parse(bytes, {});
    if (parsed.documents.size() != 1) fail("pools.yaml does not parse");
    root = std::move(parsed.documents.front());
    const std::string secret = testing::secretManifest("default", "x", "a.com");
    const auto document = manifest::parse(secret, {}).documents.at(0);
    certificate = document.find("data")->text("tls.crt");
    key = document.find("data")->text("tls.key");
  }
};

class Generator {
 public:
  explicit Generator(FuzzedDataProvider& bytes) : bytes_(bytes), pools_(Pools::get()) {}

  Value object() {
    const Value& kinds = *pools_.root.find("kinds");
    int64_t total = 0;
    for (const auto& [name, kind] : kinds.map) total += kind.find("weight")->integer;
    int64_t dice = bytes_.ConsumeIntegralInRange<int64_t>(0, total - 1);
    for (const auto& [name, kind] : kinds.map) {
      dice -= kind.find("weight")->integer;
      if (dice < 0) return object(name, kind);
    }
    return map();
  }

  std::vector<Value> scene() {
    std::vector<Value> out = pools_.root.find("scene")->list;
    for (Value& document : out) substitute(document);
    return out;
  }

 private:
  const Value& pick(const Value& list) { return list.list[bytes_.ConsumeIntegralInRange<size_t>(0, list.list.size() - 1)]; }

  Value object(const std::string& name, const Value& kind) {
    Value out = map();
    put(out, "apiVersion", text(std::string(kind.text("api"))));
    put(out, "kind", text(name));
    Value& metadata = put(out, "metadata", map());
    put(metadata, "name", pick(*kind.find("names")));
    if (!kind.find("cluster")) put(metadata, "namespace", pick(*pools_.root.find("namespaces")));
    const Value* labels = kind.find("labels");
    put(metadata, "labels", pick(labels ? *labels : *pools_.root.find("labels")));
    Value* body = &out;
    if (const Value* at = kind.find("at")) {
      for (const Value& step : at->list) body = &put(*body, step.string, map());
    } else {
      body = &put(*body, "spec", map());
    }
    for (const auto& [field, values] : kind.find("head")->map) put(*body, field, value(values));
    const Value& fields = *kind.find("fields");
    const size_t count = fields.map.empty() ? 0 : bytes_.ConsumeIntegralInRange<size_t>(0, 6);
    for (size_t i = 0; i < count; ++i) {
      const auto& [field, values] = fields.map[bytes_.ConsumeIntegralInRange<size_t>(0, fields.map.size() - 1)];
      put(*body, field, value(values));
    }
    return out;
  }

  Value value(const Value& values) {
    if (bytes_.ConsumeIntegralInRange<int>(0, 15) == 0) return hostile();
    Value out = pick(values);
    substitute(out);
    if (bytes_.ConsumeIntegralInRange<int>(0, 15) == 0) mutate(out);
    return out;
  }

  Value hostile() {
    const int dice = bytes_.ConsumeIntegralInRange<int>(0, 9);
    if (dice == 0) return text(std::string(bytes_.ConsumeIntegralInRange<size_t>(0, 70'000), 'a'));
    if (dice <= 3) return text(bytes_.ConsumeRandomLengthString(24));
    return pick(*pools_.root.find("hostile"));
  }

  // One node of the tree becomes something else.
  void mutate(Value& value) {
    if (value.isList() && !value.list.empty()) {
      mutate(value.list[bytes_.ConsumeIntegralInRange<size_t>(0, value.list.size() - 1)]);
    } else if (value.isMap() && !value.map.empty()) {
      auto& entry = value.map[bytes_.ConsumeIntegralInRange<size_t>(0, value.map.size() - 1)];
      if (bytes_.ConsumeBool()) {
        mutate(entry.second);
      } else {
        entry.first = bytes_.ConsumeRandomLengthString(12);
      }
    } else {
      value = hostile();
    }
  }

  void substitute(Value& value) {
    if (value.isString() && value.string == "$CERT") value.string = pools_.certificate;
    if (value.isString() && value.string == "$KEY") value.string = pools_.key;
    for (Value& item : value.list) substitute(item);
    for (auto& [name, item] : value.map) substitute(item);
  }

  FuzzedDataProvider& bytes_;
  const Pools& pools_;
};

void expectNoRefusals(const Engine& engine) {
  for (const Finding& finding : engine.findings()) {
    if (finding.message.find("Envoy would refuse") != std::string::npos) {
      fail(finding.object.text() + " " + finding.field + ": " + finding.message);
    }
  }
}

void expectSame(const Engine& engine, const Engine& fresh) {
  if (engine.resources().size() != fresh.resources().size()) fail("other resources than a fresh engine's");
  for (const auto& [key, resource] : fresh.resources()) {
    const auto it = engine.resources().find(key);
    if (it == engine.resources().end()) fail("lacks " + key.name);
    if (it->second->version != resource->version) fail("differs from a fresh engine's: " + key.name);
  }
  if (engine.findings() != fresh.findings()) fail("other findings than a fresh engine's");
}

/// The engine that gets change after change, and what it has got.
class Followed {
 public:
  explicit Followed(const Options& options) : engine_(options) { engine_.apply({}); }

  void add(const Value& document, bool gone) {
    for (const ObjectPtr& object : model::parseDocument(document, {.path = "a.yaml"}).objects) {
      if (gone) {
        objects_.erase(object->ref);
      } else {
        objects_[object->ref] = object;
      }
      changes_.push_back({object->ref, gone ? nullptr : object});
    }
  }

  void apply() { engine_.apply(std::exchange(changes_, {})); }

  const Engine& engine() const { return engine_; }
  std::vector<Change> all() const {
    std::vector<Change> out;
    for (const auto& [ref, object] : objects_) out.push_back({ref, object});
    return out;
  }

 private:
  Engine engine_;
  std::map<ObjectRef, ObjectPtr> objects_;
  std::vector<Change> changes_;
};

void run(const uint8_t* data, size_t size) {
  FuzzedDataProvider bytes(data, size);
  Generator generator(bytes);
  Options options;
  options.forbidden_upstreams = {"127.0.0.1:8877"};
  // By the size, so that the bytes mean the same as before.
  const bool small = size % 2 == 0;
  if (small) options.route_list_limit = 2;
  options.strict_labels = size % 5 != 0;
  Followed followed(options);
  if (small) {
    for (const Value& document : generator.scene()) followed.add(document, false);
    followed.apply();
  }
  for (int step = 0; step < 12 && bytes.remaining_bytes() > 0; ++step) {
    do {
      const Value document = generator.object();
      followed.add(document, bytes.ConsumeIntegralInRange<int>(0, 7) == 0);
    } while (bytes.ConsumeIntegralInRange<int>(0, 3) != 0 && bytes.remaining_bytes() > 0);
    followed.apply();
  }
  expectNoRefusals(followed.engine());
  Engine fresh(options);
  fresh.apply(followed.all());
  expectSame(followed.engine(), fresh);
  followed.engine().ir();
}

}  // namespace
}  // namespace emissary::engine

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  emissary::engine::run(data, size);
  return 0;
}
