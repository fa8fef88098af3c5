#pragma once
// For tests that hold others to the schemas: walking all fields, documents that have a given one, and whether a value fits.

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/edit.h"
#include "manifest/parse.h"
#include "schema/schema.h"

namespace emissary::schema {

using manifest::Value;

inline Value yamlValue(std::string_view text) {
  const manifest::ParseResult read = manifest::parse(text);
  return read.error || read.documents.empty() ? Value() : read.documents[0];
}

/// The name that stands for a user's in `values`.
inline constexpr std::string_view kUserName = "k";

/// One field, and how it is reached from the spec.
struct Place {
  std::vector<const Field*> fields;  // from the spec to it
  std::vector<std::string> names;    // of the steps between; "[]" for an item
  /// "spec.hosts[0]", as findings write it
  std::string path() const {
    std::string out = "spec";
    for (const std::string& name : names) out += name == "[]" ? "[0]" : "." + name;
    return out;
  }
  const Field& field() const { return *fields.back(); }
  /// What it does, as the fields around it tell.
  Effect effect() const {
    const auto dead = std::find_if(fields.begin(), fields.end(), [](const Field* f) { return f->effect != Effect::Acts; });
    return dead == fields.end() ? Effect::Acts : (*dead)->effect;
  }
};

inline void walk(const Place& place, const std::function<void(const Place&)>& each) {
  each(place);
  const auto below = [&](const std::string& name, const Field& field) {
    Place inner = place;
    inner.fields.push_back(&field);
    inner.names.push_back(name);
    walk(inner, each);
  };
  const Field& field = place.field();
  if (field.items && field.type == Type::Array) below("[]", *field.items);
  if (field.values && field.type == Type::Object) below(std::string(kUserName), *field.values);
  for (const Field& inner : field.fields) below(inner.name, inner);
}

/// Something that fits, with no more in it than must be.
inline Value sample(const Field& field) {
  switch (field.type) {
    case Type::String:
      if (field.pattern.find("://") != std::string::npos) return manifest::textValue("https://", 1);
      return manifest::textValue(!field.choices.empty() ? field.choices.back() : !field.pattern.empty() ? "5xx" : "x", 1);
    case Type::Integer: return manifest::wholeValue(!field.numbers.empty() ? field.numbers[0] : field.minimum.value_or(7), 1);
    case Type::Boolean: return manifest::boolValue(true, 1);
    case Type::Any: return manifest::textValue("x", 1);
    case Type::Array: {
      Value out = manifest::emptyList(1);
      out.list.push_back(sample(*field.items));
      return out;
    }
    case Type::Object: break;
  }
  Value out = manifest::emptyMap(1);
  for (const Field& below : field.fields) {
    if (below.required) manifest::put(out, below.name, sample(below));
  }
  if (out.map.empty() && field.min_properties) {
    if (field.values) manifest::put(out, kUserName, sample(*field.values));
    else manifest::put(out, field.fields[0].name, sample(field.fields[0]));
  }
  return out;
}

/// `in`, with `leaf` where `place` is; what has to stand beside it is put there too. `in` is a value of place's first field.
inline void plant(Value& in, const Place& place, Value leaf, size_t step = 0) {
  if (step == place.names.size()) {
    in = std::move(leaf);
    return;
  }
  const std::string& name = place.names[step];
  const Field& parent = *place.fields[step];
  const Field& field = *place.fields[step + 1];
  if (name == "[]") {
    if (!in.isList()) in = manifest::emptyList(1);
    if (in.list.empty()) in.list.push_back(sample(field));
    plant(in.list[0], place, std::move(leaf), step + 1);
    return;
  }
  if (!in.isMap()) in = manifest::emptyMap(1);
  if (parent.max_properties == 1 && manifest::find(in, name) == nullptr) in.map.clear();
  Value* at = manifest::find(in, name);
  if (at == nullptr) {
    manifest::put(in, name, sample(field));
    at = manifest::find(in, name);
  }
  plant(*at, place, std::move(leaf), step + 1);
}

/// What in `value` is no field or has another type, by paths.
inline void misfits(const Field& field, const Value& value, const std::string& path, std::vector<std::string>& out) {
  const auto wrong = [&] { out.push_back(path + " is " + std::string(manifest::typeName(value.type))); };
  if (field.type == Type::Any || value.isNull()) return;
  if (field.type == Type::String && !value.isString()) return wrong();
  if (field.type == Type::Integer && value.type != Value::Type::Int) return wrong();
  if (field.type == Type::Boolean && value.type != Value::Type::Bool) return wrong();
  if (field.type == Type::Array) {
    if (!value.isList()) return wrong();
    for (size_t i = 0; i < value.list.size(); ++i) misfits(*field.items, value.list[i], path + "[" + std::to_string(i) + "]", out);
  }
  if (field.type != Type::Object) return;
  if (!value.isMap()) return wrong();
  if (field.open) return;
  for (const auto& [name, below] : value.map) {
    const Field* known = field.values ? field.values.get() : field.find(name);
    if (known == nullptr) {
      out.push_back(path + "." + name + " is no field");
    } else {
      misfits(*known, below, path + "." + name, out);
    }
  }
}

}  // namespace emissary::schema
