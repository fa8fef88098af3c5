// An object of an API server as a manifest: what of it has a meaning to us, within limits.

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "model/annotation.h"
#include "source/kubernetes/answer.h"
#include "source/kubernetes/element.h"

namespace emissary::source {
namespace {

namespace dom = simdjson::dom;
using manifest::Value;

constexpr std::string_view kOurAnnotations = "getambassador.io/";

Value textValue(std::string_view text) {
  Value out;
  out.type = Value::Type::String;
  out.string = text;
  return out;
}

Value mapValue() {
  Value out;
  out.type = Value::Type::Map;
  return out;
}

/// Of entries with one key the last stays.
void dropDuplicates(std::vector<Value::Entry>& entries) {
  if (entries.size() < 2) return;
  if (entries.size() <= 16) {
    for (size_t i = entries.size() - 1; i-- > 0;) {
      const auto again = [&](const Value::Entry& other) { return other.first == entries[i].first; };
      if (std::any_of(entries.begin() + static_cast<ptrdiff_t>(i) + 1, entries.end(), again)) {
        entries.erase(entries.begin() + static_cast<ptrdiff_t>(i));
      }
    }
    return;
  }
  std::set<std::string_view> keys;
  std::vector<Value::Entry> kept;
  std::vector<bool> superseded(entries.size());
  bool any = false;
  for (size_t i = entries.size(); i-- > 0;) any |= superseded[i] = !keys.insert(entries[i].first).second;
  if (!any) return;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (!superseded[i]) kept.push_back(std::move(entries[i]));
  }
  entries = std::move(kept);
}

using Skip = bool (*)(std::string_view key);
bool skipNothing(std::string_view) { return false; }
/// What endpoints have beside addresses, conditions and ports.
bool skipOfEndpoints(std::string_view key) {
  static constexpr std::array<std::string_view, 7> kSkipped = {
      "targetRef", "nodeName", "zone", "hints", "hostname", "deprecatedTopology", "notReadyAddresses"};
  return std::find(kSkipped.begin(), kSkipped.end(), key) != kSkipped.end();
}

/// From elements to values, within limits.
class Converter {
 public:
  explicit Converter(const manifest::Limits& limits, Skip skip = skipNothing) : limits_(limits), skip_(skip) {}

  /// False: a limit is broken, and `problem` says which. `depth`: of the element itself.
  bool convert(const dom::element& from, int depth, Value& out) {
    if (++nodes_ > limits_.max_nodes) return fail("it holds more than " + std::to_string(limits_.max_nodes) + " values");
    switch (from.type()) {
      case dom::element_type::ARRAY: return list(dom::array(from), depth, out);
      case dom::element_type::OBJECT: return map(dom::object(from), depth, out);
      case dom::element_type::INT64:
        out.type = Value::Type::Int;
        out.integer = int64_t(from);
        return true;
      case dom::element_type::UINT64:  // above what int64 holds
      case dom::element_type::DOUBLE:
        out.type = Value::Type::Double;
        out.number = from.is_double() ? double(from) : static_cast<double>(uint64_t(from));
        return true;
      case dom::element_type::STRING: {
        const std::string_view text(from);
        out.type = Value::Type::String;
        bytes_ += text.size();
        if (bytes_ > limits_.max_bytes) return tooLong();
        out.string = text;
        return true;
      }
      case dom::element_type::BOOL:
        out.type = Value::Type::Bool;
        out.boolean = bool(from);
        return true;
      case dom::element_type::NULL_VALUE: return true;
    }
    return true;
  }
  std::string problem;

 private:
  bool fail(std::string why) {
    problem = std::move(why);
    return false;
  }
  bool tooLong() { return fail("it is longer than " + std::to_string(limits_.max_bytes) + " bytes"); }
  bool tooDeep(int depth) {
    if (depth <= limits_.max_depth) return false;
    fail("it is nested more than " + std::to_string(limits_.max_depth) + " levels deep");
    return true;
  }
  bool list(const dom::array& from, int depth, Value& out) {
    if (tooDeep(depth)) return false;
    out.type = Value::Type::List;
    for (const dom::element item : from) {
      if (!convert(item, depth + 1, out.list.emplace_back())) return false;
    }
    return true;
  }
  bool map(const dom::object& from, int depth, Value& out) {
    if (tooDeep(depth)) return false;
    out.type = Value::Type::Map;
    for (const dom::key_value_pair field : from) {
      if (skip_(field.key)) continue;
      bytes_ += field.key.size();
      if (bytes_ > limits_.max_bytes) return tooLong();
      Value& value = out.map.emplace_back(std::string(field.key), Value()).second;
      if (!convert(field.value, depth + 1, value)) return false;
    }
    dropDuplicates(out.map);
    return true;
  }

  const manifest::Limits& limits_;
  const Skip skip_;
  size_t nodes_ = 0;
  size_t bytes_ = 0;
};

dom::object metadataOf(const dom::object& object) {
  dom::object out;
  return object.at_key("metadata").get(out) == simdjson::SUCCESS ? out : dom::object();
}

bool keepsLabel(const Resource& resource, bool has_config, std::string_view key) {
  switch (resource.kind) {
    case Kind::EndpointSlice: return key == "kubernetes.io/service-name";
    case Kind::Service:
    case Kind::Ingress: return has_config;  // what is in the annotation inherits them
    case Kind::Endpoints:
    case Kind::Secret: return false;
    default: return true;
  }
}

bool keepsAnnotation(const Resource& resource, std::string_view key) {
  if (resource.ours()) return key.starts_with(kOurAnnotations);
  return (resource.kind == Kind::Service || resource.kind == Kind::Ingress) && key == model::kConfigAnnotation;
}

/// Of the document's own fields; metadata is another matter.
bool keepsField(const Resource& resource, std::string_view key) {
  if (key == "apiVersion" || key == "kind" || key == "metadata" || key == "status") return false;
  switch (resource.kind) {
    case Kind::Service: return key == "spec";
    case Kind::EndpointSlice: return key == "addressType" || key == "endpoints" || key == "ports";
    case Kind::Endpoints: return key == "subsets";
    case Kind::Secret: return key == "type" || key == "data";
    case Kind::Ingress:
    case Kind::Namespace: return false;
    default: return true;
  }
}

bool skipOfServices(std::string_view key) {
  static constexpr std::array<std::string_view, 5> kSkipped = {"selector", "clusterIPs", "ipFamilies", "nodePort", "status"};
  return std::find(kSkipped.begin(), kSkipped.end(), key) != kSkipped.end();
}

Skip skipOf(Kind kind) {
  switch (kind) {
    case Kind::Endpoints:
    case Kind::EndpointSlice: return skipOfEndpoints;
    case Kind::Service: return skipOfServices;
    default: return skipNothing;
  }
}

/// The entries of `from` that `keeps` wants, under `key` of `out`.
template <typename Keeps>
bool copyMap(const dom::object& from, std::string_view key, Converter& converter, Value& out, const Keeps& keeps) {
  dom::element found;
  if (from.at_key(key).get(found) != simdjson::SUCCESS || found.is_null()) return true;
  dom::object entries;
  Value value = mapValue();
  if (found.get(entries) != simdjson::SUCCESS) {
    if (!converter.convert(found, 3, value)) return false;
  } else {
    for (const dom::key_value_pair field : entries) {
      if (!keeps(field.key)) continue;
      Value& entry = value.map.emplace_back(std::string(field.key), Value()).second;
      if (!converter.convert(field.value, 4, entry)) return false;
    }
    dropDuplicates(value.map);
    if (value.map.empty()) return true;
  }
  out.map.emplace_back(std::string(key), std::move(value));
  return true;
}

bool copyMetadata(const dom::object& object, const Resource& resource, Converter& converter, Value& out) {
  const dom::object metadata = metadataOf(object);
  for (const char* key : {"name", "namespace", "uid"}) {
    const std::string_view text = textAt(metadata, key);
    if (!text.empty()) out.map.emplace_back(key, textValue(text));
  }
  if (dom::element generation; metadata.at_key("generation").get(generation) == simdjson::SUCCESS && generation.is_int64()) {
    if (!converter.convert(generation, 3, out.map.emplace_back("generation", Value()).second)) return false;
  }
  dom::object annotations;
  const bool has_config = metadata.at_key("annotations").get(annotations) == simdjson::SUCCESS &&
                          annotations.at_key(model::kConfigAnnotation).error() == simdjson::SUCCESS;
  const auto labels = [&](std::string_view key) { return keepsLabel(resource, has_config, key); };
  const auto notes = [&](std::string_view key) { return keepsAnnotation(resource, key); };
  return copyMap(metadata, "labels", converter, out, labels) && copyMap(metadata, "annotations", converter, out, notes);
}

Value envelope(const Resource& resource, std::string_view version) {
  Value out = mapValue();
  out.map.emplace_back("apiVersion", textValue(apiVersion(resource, version)));
  out.map.emplace_back("kind", textValue(kindName(resource.kind)));
  return out;
}

/// Who it is, and whom it is for.
Value remains(const dom::object& object, const Resource& resource, std::string_view version) {
  Value out = envelope(resource, version);
  Value metadata = mapValue();
  for (const char* key : {"name", "namespace", "uid"}) {
    const std::string_view text = textAt(metadataOf(object), key);
    if (!text.empty()) metadata.map.emplace_back(key, textValue(text));
  }
  Value spec = mapValue();
  manifest::Limits small;
  small.max_nodes = 1000;
  small.max_depth = 4;
  for (const char* key : {"ambassador_id", "ambassadorId"}) {
    dom::object fields;
    dom::element ids;
    Value value;
    if (object.at_key("spec").get(fields) != simdjson::SUCCESS || fields.at_key(key).get(ids) != simdjson::SUCCESS) continue;
    if (Converter(small).convert(ids, 1, value)) spec.map.emplace_back(key, std::move(value));
  }
  out.map.emplace_back("metadata", std::move(metadata));
  out.map.emplace_back("spec", std::move(spec));
  return out;
}

}  // namespace

bool Item::annotated(std::string_view key) const {
  const dom::object object(elementOf(element_));
  dom::object annotations;
  dom::object metadata;
  if (object.at_key("metadata").get(metadata) != simdjson::SUCCESS) return false;
  if (metadata.at_key("annotations").get(annotations) != simdjson::SUCCESS) return false;
  return annotations.at_key(key).error() == simdjson::SUCCESS;
}

Value Item::document(const Resource& resource, std::string_view version, const manifest::Limits& limits,
                     std::string& problem) const {
  const dom::object object(elementOf(element_));
  Converter converter(limits, skipOf(resource.kind));
  Value out = envelope(resource, version);
  Value metadata = mapValue();
  bool good = copyMetadata(object, resource, converter, metadata);
  out.map.emplace_back("metadata", std::move(metadata));
  for (const dom::key_value_pair field : object) {
    if (!good) break;
    if (!keepsField(resource, field.key)) continue;
    Value& value = out.map.emplace_back(std::string(field.key), Value()).second;
    good = converter.convert(field.value, 2, value);
  }
  problem = std::move(converter.problem);
  if (!good) return remains(object, resource, version);
  dropDuplicates(out.map);
  return out;
}

Value Item::status(const manifest::Limits& limits) const {
  const dom::object object(elementOf(element_));
  dom::element status;
  Value out;
  if (object.at_key("status").get(status) != simdjson::SUCCESS) return out;
  return Converter(limits).convert(status, 2, out) ? out : Value();
}

}  // namespace emissary::source
