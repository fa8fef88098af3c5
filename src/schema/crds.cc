#include "schema/crds.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "manifest/yaml_writer.h"

namespace emissary::schema {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kGroup = "getambassador.io";
constexpr std::string_view kStored = "v3alpha1";
constexpr const char* kUnchecked = "x-kubernetes-preserve-unknown-fields";

Json schemaOf(const Field& field);

std::string describe(const Field& field) {
  std::string out;
  if (field.deprecated) out = "Deprecated. ";
  out += field.description;
  if (field.effect == Effect::Later) out += " Not acted on in this version.";
  return out;
}

void addFields(Json& out, const Field& field) {
  Json properties = Json::object(), required = Json::array();
  for (const Field& below : field.fields) {
    properties[below.name] = schemaOf(below);
    if (below.required) required.push_back(below.name);
  }
  if (!properties.empty()) out["properties"] = std::move(properties);
  if (!required.empty()) out["required"] = std::move(required);
}

template <typename T>
void put(Json& out, const char* key, const std::optional<T>& value) {
  if (value) out[key] = *value;
}

Json schemaOf(const Field& field) {
  Json out = Json::object();
  if (!field.description.empty()) out["description"] = describe(field);
  if (field.type != Type::Any) out["type"] = typeName(field.type);
  if (field.type == Type::Any || field.open) out[kUnchecked] = true;
  if (!field.format.empty()) out["format"] = field.format;
  if (!field.choices.empty() && !field.any_text) out["enum"] = field.choices;
  if (!field.numbers.empty()) out["enum"] = field.numbers;
  if (!field.pattern.empty()) out["pattern"] = field.pattern;
  put(out, "minimum", field.minimum);
  put(out, "maximum", field.maximum);
  put(out, "maxLength", field.max_length);
  if (field.type == Type::Array) {
    put(out, "minItems", field.min_items);
    if (!field.list_map_key.empty()) {
      out["x-kubernetes-list-type"] = "map";
      out["x-kubernetes-list-map-keys"] = {field.list_map_key};
    }
    out["items"] = schemaOf(*field.items);
  }
  if (field.type == Type::Object) {
    put(out, "minProperties", field.min_properties);
    put(out, "maxProperties", field.max_properties);
    if (field.values) out["additionalProperties"] = schemaOf(*field.values);
  }
  if (!field.open) addFields(out, field);
  return out;
}

Json columnsOf(const Shape& shape) {
  Json out = Json::array();
  for (const Column& column : shape.columns) {
    Json json = {{"name", column.name}, {"type", column.type}, {"jsonPath", column.path}, {"description", column.description}};
    if (column.wide) json["priority"] = 1;
    out.push_back(std::move(json));
  }
  return out;
}

Json versionOf(const Kind& kind, const std::string& version) {
  const bool stored = version == kStored;
  const Shape& shape = stored ? kind.shape : *kind.legacy;
  Json out = {{"name", version}, {"served", true}, {"storage", stored}};
  if (!stored) {
    out["deprecated"] = true;
    out["deprecationWarning"] =
        fmt::format("{}/{} {} is deprecated; write it as {}/{}", kGroup, version, kind.name, kGroup, kStored);
  }
  std::string description = kind.description;
  if (kind.effect == Effect::Later) description += " Not acted on in this version.";
  Json properties = Json::object();
  properties["apiVersion"] = {{"description", "The group and version of this form of the object."}, {"type", "string"}};
  properties["kind"] = {{"description", "The kind of the object."}, {"type", "string"}};
  properties["metadata"] = {{"type", "object"}};
  properties["spec"] = schemaOf(shape.spec);
  properties["status"] = schemaOf(shape.status);
  out["additionalPrinterColumns"] = columnsOf(shape);
  out["subresources"] = {{"status", Json::object()}};
  out["schema"]["openAPIV3Schema"] = {{"description", description}, {"type", "object"}, {"properties", std::move(properties)}};
  return out;
}

Json conversionOf(bool webhook) {
  if (!webhook) return {{"strategy", "None"}};
  const Json service = {
      {"name", "emissary-apiext"}, {"namespace", "emissary-system"}, {"path", "/webhooks/crd-convert"}, {"port", 443}};
  Json out = {{"strategy", "Webhook"}};
  out["webhook"]["clientConfig"]["service"] = service;  // the webhook itself adds its authority
  out["webhook"]["conversionReviewVersions"] = Json::array({"v1"});
  return out;
}

}  // namespace

Json crd(const Kind& kind, bool legacy) {
  Json versions = Json::array();
  for (const std::string& version : kind.versions) {
    if (legacy || version == kStored) versions.push_back(versionOf(kind, version));
  }
  Json out = {{"apiVersion", "apiextensions.k8s.io/v1"}, {"kind", "CustomResourceDefinition"}};
  out["metadata"]["name"] = fmt::format("{}.{}", kind.plural, kGroup);
  out["metadata"]["labels"]["app.kubernetes.io/part-of"] = "emissary-ingress";
  Json& spec = out["spec"];
  spec["group"] = kGroup;
  spec["names"] = {{"kind", kind.name},         {"listKind", kind.name + "List"}, {"plural", kind.plural},
                   {"singular", kind.singular}, {"shortNames", kind.short_names}, {"categories", Json::array({"ambassador-crds"})}};
  spec["scope"] = "Namespaced";
  spec["preserveUnknownFields"] = false;
  spec["conversion"] = conversionOf(versions.size() > 1);
  spec["versions"] = std::move(versions);
  return out;
}

std::string crds(bool legacy) {
  std::string out;
  for (const Kind& kind : kinds()) out += "---\n" + manifest::yaml(crd(kind, legacy));
  return out;
}

}  // namespace emissary::schema
