#include "model/annotation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "manifest/edit.h"
#include "manifest/parse.h"
#include "model/text.h"

namespace emissary::model {
namespace {

using manifest::Value;

constexpr std::string_view kOldGroup = "ambassador/";
constexpr std::string_view kGroup = "getambassador.io";

/// Four times what an API server takes.
manifest::Limits limits() {
  manifest::Limits out;
  out.max_bytes = 1u << 20;
  out.max_nodes = 100'000;
  return out;
}

void setLines(Value& value, const Value& text) {
  value.line = text.block ? text.line + value.line : text.line;
  for (Value& item : value.list) setLines(item, text);
  for (auto& [key, item] : value.map) setLines(item, text);
}

/// The map under `key`, made where it is absent; null pointer when it is something else.
Value* mapIn(Value& document, std::string_view key) {
  if (manifest::find(document, key) == nullptr) manifest::put(document, key, manifest::emptyMap(document.line));
  Value* out = manifest::find(document, key);
  return out->isMap() ? out : nullptr;
}

/// A flat document says everything beside `kind`.
Value unfold(Value flat) {
  static constexpr std::array<std::string_view, 5> kTop = {"apiVersion", "kind", "metadata", "spec", "status"};
  Value out = manifest::emptyMap(flat.line);
  std::vector<Value::Entry> fields;
  for (Value::Entry& entry : flat.map) {
    const bool top = std::find(kTop.begin(), kTop.end(), entry.first) != kTop.end();
    (top ? out.map : fields).push_back(std::move(entry));
  }
  Value* metadata = mapIn(out, "metadata");
  std::vector<Value::Entry> spec;
  for (Value::Entry& entry : fields) {
    const std::string& name = entry.first;
    if (name != "name" && name != "namespace" && name != "generation" && name != "metadata_labels") {
      spec.push_back(std::move(entry));
    } else if (metadata != nullptr) {
      manifest::put(*metadata, name == "metadata_labels" ? "labels" : std::string_view(name), std::move(entry.second));
    }
  }
  if (spec.empty()) return out;
  Value* fields_of_spec = mapIn(out, "spec");
  if (fields_of_spec == nullptr) return out;
  if (fields_of_spec->map.empty()) {
    fields_of_spec->map = std::move(spec);
  } else {
    for (Value::Entry& entry : spec) manifest::put(*fields_of_spec, entry.first, std::move(entry.second));
  }
  return out;
}

void inherit(Value& document, const Object& owner) {
  Value* metadata = manifest::find(document, "metadata");
  if (metadata == nullptr || !metadata->isMap()) return;
  if (manifest::find(*metadata, "namespace") == nullptr) {
    manifest::put(*metadata, "namespace", manifest::textValue(owner.ref.ns, document.line));
  }
  if (manifest::find(*metadata, "labels") != nullptr || owner.labels.empty()) return;
  Value labels = manifest::emptyMap(document.line);
  for (const auto& [key, value] : owner.labels) labels.map.emplace_back(key, manifest::textValue(value, document.line));
  manifest::put(*metadata, "labels", std::move(labels));
}

/// "ambassador/v2" is an old way to write "getambassador.io/v2".
void renameGroup(Value& document) {
  Value* version = manifest::find(document, "apiVersion");
  if (!manifest::isText(version) || !version->string.starts_with(kOldGroup)) return;
  version->string.replace(0, kOldGroup.size(), fmt::format("{}/", kGroup));
}

bool isOfOurs(const Value& document) {
  const Kind kind = kindNamed(document.text("kind"));
  const std::string_view version = document.text("apiVersion");
  return kind != Kind::Unknown && kindGroup(kind) == kGroup && version.starts_with(kGroup) &&
         version.substr(kGroup.size()).starts_with('/');
}

}  // namespace

std::vector<Value> annotatedDocuments(const Value& annotated, Report& report) {
  const Value* metadata = annotated.find("metadata");
  const Value* annotations = metadata != nullptr ? metadata->find("annotations") : nullptr;
  const Value* config = annotations != nullptr ? annotations->find(kConfigAnnotation) : nullptr;
  if (config == nullptr || config->isNull()) return {};
  const auto tell = [&](int line, std::string message) { report.error(std::string(kConfigField), line, std::move(message)); };
  if (!config->isString()) {
    tell(config->line, fmt::format("must be text that holds YAML, but is {}", describe(*config)));
    return {};
  }
  manifest::ParseResult parsed = manifest::parse(config->string, limits());
  if (parsed.error) {
    tell(config->block ? config->line + parsed.error->line : config->line,
         fmt::format("{}; nothing in the annotation is used", printable(parsed.error->message, 300)));
    return {};
  }
  for (Value& document : parsed.documents) {
    setLines(document, *config);
    if (!document.text("kind").empty()) continue;
    tell(document.line, "each document needs a kind, and this one has none; nothing in the annotation is used");
    return {};
  }
  std::vector<Value> out;
  for (Value& document : parsed.documents) {
    const int line = document.line;
    std::string what = fmt::format("{} ({})", printable(document.text("kind")), printable(document.text("apiVersion")));
    std::optional<Value> manifest = asManifest(std::move(document));
    if (!manifest) {
      tell(line, fmt::format("unknown kind {}; the document is ignored; kinds of {}/v3alpha1 may stand here", what, kGroup));
      continue;
    }
    inherit(*manifest, report.object());
    out.push_back(std::move(*manifest));
  }
  return out;
}

std::optional<Value> asManifest(Value document) {
  renameGroup(document);
  if (!isOfOurs(document)) return std::nullopt;
  return unfold(std::move(document));
}

}  // namespace emissary::model
