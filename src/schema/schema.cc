#include "schema/schema.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "manifest/parse.h"
#include "schema/api_files.h"

namespace emissary::schema {
namespace {

using manifest::Value;

constexpr std::array<std::string_view, 6> kTypes = {"string", "integer", "boolean", "array", "object", "any"};
constexpr std::array<std::string_view, 3> kVersions = {"v1", "v2", "v3alpha1"};

/// The files are part of the program, so a mistake in them is one in it; unit tests read them all.
[[noreturn]] void wrong(std::string_view what, std::string_view where) {
  std::fprintf(stderr, "api: %.*s in %.*s\n", static_cast<int>(what.size()), what.data(), static_cast<int>(where.size()),
               where.data());
  std::abort();
}

class Reader {
 public:
  Reader();
  Kind kind(std::string_view name);

 private:
  struct Merged;
  Shape shape(const Value& file, bool legacy);
  /// What `field` uses; null pointer for nothing.
  const Value* shapeOf(const Value& field, const std::string& where) const;
  /// Under `key`, in the field or its shape; null pointer for neither.
  const Value* says(const Value& field, std::string_view key, const std::string& where) const;
  Field field(const Value& written, const std::string& where);
  void fields(const Value& written, Field& out, const std::string& where);
  void set(Field& out, std::string_view key, const Value& value, const std::string& where);
  std::vector<Column> columns(const Value& written);
  const Value& file(std::string_view name) const;

  std::map<std::string, Value, std::less<>> files_;
  bool legacy_ = false;
};

Reader::Reader() {
  for (const ApiFile& file : apiFiles()) {
    manifest::ParseResult read = manifest::parse(file.text);
    if (read.error || read.documents.size() != 1) wrong(read.error ? read.error->message : "no document", file.name);
    files_.emplace(file.name, std::move(read.documents[0]));
  }
}

const Value& Reader::file(std::string_view name) const {
  const auto found = files_.find(name);
  if (found == files_.end()) wrong("no file", name);
  return found->second;
}

std::string text(const Value& value, std::string_view where) {
  if (!value.isString()) wrong("no text", where);
  return value.string;
}

int64_t whole(const Value& value, std::string_view where) {
  if (value.type != Value::Type::Int) wrong("no number", where);
  return value.integer;
}

bool flag(const Value& value, std::string_view where) {
  if (value.type != Value::Type::Bool || !value.boolean) wrong("a flag that is not true", where);
  return true;
}

Effect effectOf(const Value& value, std::string_view where) {
  const std::string name = text(value, where);
  if (name != "none" && name != "later") wrong("unknown effect", where);
  return name == "none" ? Effect::None : Effect::Later;
}

/// Everything that a field says, its own before its shape's, and what it says of older versions before both.
struct Reader::Merged {
  std::vector<std::pair<std::string_view, const Value*>> entries;
  void add(const Value& from) {
    for (const auto& [key, value] : from.map) {
      const bool known = std::any_of(entries.begin(), entries.end(), [&](const auto& entry) { return entry.first == key; });
      if (!known) entries.emplace_back(key, &value);
    }
  }
};

void Reader::set(Field& out, std::string_view key, const Value& value, const std::string& where) {
  if (key == "type") {
    const auto type = std::find(kTypes.begin(), kTypes.end(), text(value, where));
    if (type == kTypes.end()) wrong("unknown type", where);
    out.type = static_cast<Type>(type - kTypes.begin());
  } else if (key == "description") {
    out.description = text(value, where);
  } else if (key == "effect") {
    out.effect = effectOf(value, where);
  } else if (key == "required") {
    out.required = flag(value, where);
  } else if (key == "deprecated") {
    out.deprecated = flag(value, where);
  } else if (key == "open") {
    out.open = flag(value, where);
  } else if (key == "switch") {
    out.is_switch = flag(value, where);
  } else if (key == "enum" || key == "known") {
    out.any_text = key == "known";
    for (const Value& item : value.list) {
      if (item.isString()) {
        out.choices.push_back(item.string);
      } else {
        out.numbers.push_back(whole(item, where));
      }
    }
  } else if (key == "minimum") {
    out.minimum = whole(value, where);
  } else if (key == "maximum") {
    out.maximum = whole(value, where);
  } else if (key == "maxLength") {
    out.max_length = whole(value, where);
  } else if (key == "minItems") {
    out.min_items = whole(value, where);
  } else if (key == "minProperties") {
    out.min_properties = whole(value, where);
  } else if (key == "maxProperties") {
    out.max_properties = whole(value, where);
  } else if (key == "pattern") {
    out.pattern = text(value, where);
  } else if (key == "format") {
    out.format = text(value, where);
  } else if (key == "listMapKey") {
    out.list_map_key = text(value, where);
  } else if (key == "items") {
    out.items = std::make_shared<const Field>(field(value, where + "[]"));
  } else if (key == "values") {
    out.values = std::make_shared<const Field>(field(value, where + ".*"));
  } else if (key == "fields") {
    fields(value, out, where);
  } else if (key != "use" && key != "legacy" && key != "also" && key != "name") {
    wrong("unknown key \"" + std::string(key) + "\"", where);
  }
}

const Value* Reader::shapeOf(const Value& field, const std::string& where) const {
  const Value* use = field.find("use");
  if (use == nullptr) return nullptr;
  const Value* shape = file("shapes").find(use->string);
  if (shape == nullptr) wrong("unknown shape " + use->string, where);
  return shape;
}

const Value* Reader::says(const Value& field, std::string_view key, const std::string& where) const {
  const Value* own = field.find(key);
  const Value* shape = own == nullptr ? shapeOf(field, where) : nullptr;
  return shape != nullptr ? shape->find(key) : own;
}

Field Reader::field(const Value& written, const std::string& where) {
  if (!written.isMap()) wrong("no map", where);
  Merged merged;
  const Value* older = legacy_ ? says(written, "legacy", where) : nullptr;
  if (older != nullptr) merged.add(*older);
  merged.add(written);
  if (const Value* shape = shapeOf(written, where)) merged.add(*shape);
  Field out;
  for (const auto& [key, value] : merged.entries) set(out, key, *value, where);
  return out;
}

void Reader::fields(const Value& written, Field& out, const std::string& where) {
  for (const auto& [name, value] : written.map) {
    const std::string at = where + "." + name;
    const Value* older = legacy_ ? says(value, "legacy", at) : nullptr;
    if (older != nullptr && older->isString()) {
      if (older->string != "absent") wrong("unknown legacy", at);
      continue;
    }
    const std::string_view renamed = older != nullptr ? older->text("name") : "";
    const std::string now = renamed.empty() ? name : std::string(renamed);
    if (out.find(now) != nullptr) wrong("a field twice", at);
    out.fields.push_back(field(value, at));
    out.fields.back().name = now;
    if (const Value* also = says(value, "also", at)) {
      Field alias;
      alias.alias_of = now;
      alias.description = "Another spelling of " + now + ", which counts where both are given.";
      alias.effect = out.fields.back().effect;
      alias.name = text(*also, at);
      out.fields.push_back(std::move(alias));
    }
  }
}

std::vector<Column> Reader::columns(const Value& written) {
  std::vector<Column> out;
  for (const Value& item : written.list) {
    if (item.isString()) {
      if (item.string != "age") wrong("unknown column", item.string);
      out.push_back({"Age", "date", ".metadata.creationTimestamp", "How long it has been there", false});
      continue;
    }
    Column column{std::string(item.text("name")), std::string(item.text("type")), std::string(item.text("path")),
                  std::string(item.text("description")), item.find("wide") != nullptr};
    if (column.type.empty()) column.type = "string";
    if (legacy_ && !item.text("legacy").empty()) column.path = item.text("legacy");
    out.push_back(std::move(column));
  }
  return out;
}

Shape Reader::shape(const Value& written, bool legacy) {
  legacy_ = legacy;
  Shape out;
  const std::string name(written.text("kind"));
  out.columns = columns(*written.find("columns"));
  out.spec.type = out.status.type = Type::Object;
  out.spec.description = "What is asked for.";
  out.status.description = "What became of it, written by the gateway.";
  fields(*written.find("spec"), out.spec, name);
  if (const Value* status = written.find("status")) fields(*status, out.status, name + ".status");
  Field common;
  fields(file("status"), common, "status");
  for (Field& field : common.fields) {
    if (out.status.find(field.name) == nullptr) out.status.fields.push_back(std::move(field));
  }
  return out;
}

Kind Reader::kind(std::string_view name) {
  static constexpr std::array<std::string_view, 9> kKnown = {"kind",   "plural",  "short",  "since", "description",
                                                             "effect", "columns", "status", "spec"};
  const Value& written = file(name);
  for (const auto& [key, value] : written.map) {
    if (std::find(kKnown.begin(), kKnown.end(), key) == kKnown.end()) wrong("unknown key \"" + key + "\"", name);
  }
  Kind out;
  out.name = text(*written.find("kind"), name);
  out.plural = text(*written.find("plural"), name);
  for (const char c : out.name) out.singular += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  for (const Value& item : written.find("short")->list) out.short_names.push_back(text(item, name));
  out.description = text(*written.find("description"), name);
  if (const Value* effect = written.find("effect")) out.effect = effectOf(*effect, name);
  const auto since = std::find(kVersions.begin(), kVersions.end(), text(*written.find("since"), name));
  out.versions.assign(since, kVersions.end());
  out.shape = shape(written, false);
  if (out.versions.size() > 1) out.legacy = shape(written, true);
  return out;
}

std::vector<Kind> readAll() {
  Reader reader;
  std::vector<Kind> out;
  for (const ApiFile& file : apiFiles()) {
    if (file.name != "shapes" && file.name != "status") out.push_back(reader.kind(file.name));
  }
  return out;
}

}  // namespace

const Field* Field::find(std::string_view name) const {
  const auto found = std::find_if(fields.begin(), fields.end(), [&](const Field& field) { return field.name == name; });
  return found == fields.end() ? nullptr : &*found;
}

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = readAll();
  return all;
}

const Kind* kindNamed(std::string_view name) {
  const auto found = std::find_if(kinds().begin(), kinds().end(), [&](const Kind& kind) { return kind.name == name; });
  return found == kinds().end() ? nullptr : &*found;
}

std::string_view typeName(Type type) { return kTypes[static_cast<size_t>(type)]; }

}  // namespace emissary::schema
