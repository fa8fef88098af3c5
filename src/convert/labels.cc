// Labels for rate limits: {domain: [{group: [specifier…]}]}. In v2 a specifier is a text, or a map whose only key is the name of
// the descriptor; in v3alpha1 a map whose only key says which sort it is.

#include <algorithm>
#include <array>

#include "convert/rules.h"

namespace emissary::convert {
namespace {

/// Sorts without settings: in v2 their bare name.
constexpr std::array<std::string_view, 3> kBare = {"source_cluster", "destination_cluster", "remote_address"};
constexpr std::string_view kShorthand = "v2Shorthand";

bool isBare(std::string_view name) { return std::find(kBare.begin(), kBare.end(), name) != kBare.end(); }

Value one(std::string_view key, Value value) {
  Value out = emptyMap(value.line);
  put(out, key, std::move(value));
  return out;
}

void specifierToNew(Value& specifier) {
  const int line = specifier.line;
  if (specifier.isString()) {
    Value inner = emptyMap(line);
    const bool bare = isBare(specifier.string);
    put(inner, bare ? "key" : "value", textValue(specifier.string, line));
    if (!bare) put(inner, kShorthand, boolValue(true, line));
    specifier = one(bare ? std::string_view(specifier.string) : "generic_key", std::move(inner));
    return;
  }
  if (!specifier.isMap()) return;
  if (Value* generic = find(specifier, "generic_key"); isText(generic)) {
    Value inner = emptyMap(generic->line);
    put(inner, "value", std::move(*generic));
    if (auto key = take(specifier, "v3Key")) put(inner, "key", *std::move(key));
    specifier = one("generic_key", std::move(inner));
    return;
  }
  if (specifier.map.size() != 1 || !specifier.map[0].second.isMap()) return;
  auto& [name, header] = specifier.map[0];
  auto from = take(header, "header");
  if (!from) return;
  Value inner = emptyMap(header.line);
  put(inner, "key", textValue(name, header.line));
  put(inner, "header_name", *std::move(from));
  if (auto omit = take(header, "omit_if_not_present")) put(inner, "omit_if_not_present", *std::move(omit));
  specifier = one("request_headers", std::move(inner));
}

/// {key, header_name, omit_if_not_present} → {KEY: {header, omit_if_not_present}}
void requestHeaderToOld(Value& specifier, Value& header) {
  const Value* name = find(header, "key");
  Value* from = find(header, "header_name");
  if (!isText(name) || from == nullptr) return;
  const std::string key = name->string;
  Value inner = emptyMap(header.line);
  put(inner, "header", std::move(*from));
  if (auto omit = take(header, "omit_if_not_present")) put(inner, "omit_if_not_present", *std::move(omit));
  specifier = one(key, std::move(inner));
}

void genericKeyToOld(Value& specifier, Value& generic) {
  if (!isText(find(generic, "value"))) return;
  Value text = *take(generic, "value");
  std::optional<Value> key = take(generic, "key");
  // The short form of such a value would mean something else.
  const bool shorthand = isTrue(find(generic, kShorthand)) && !key && !isBare(text.string);
  if (shorthand) {
    specifier = std::move(text);
    return;
  }
  specifier = one("generic_key", std::move(text));
  if (key) put(specifier, "v3Key", *std::move(key));
}

void specifierToOld(Value& specifier) {
  if (!specifier.isMap() || specifier.map.size() != 1) return;
  auto& [sort, inner] = specifier.map[0];
  if (!inner.isMap()) return;
  Value copy = inner;
  if (isBare(sort)) {
    specifier = textValue(std::string(sort), inner.line);
  } else if (sort == "request_headers") {
    requestHeaderToOld(specifier, copy);
  } else if (sort == "generic_key") {
    genericKeyToOld(specifier, copy);
  }
}

template <typename Change>
void eachSpecifier(Value& spec, Change change) {
  Value* labels = find(spec, "labels");
  if (labels == nullptr) return;
  for (auto& [domain, groups] : labels->map) {
    for (Value& group : groups.list) {
      for (auto& [name, specifiers] : group.map) {
        for (Value& specifier : specifiers.list) change(specifier);
      }
    }
  }
}

}  // namespace

void labelsToNew(Value& spec) { eachSpecifier(spec, specifierToNew); }
void labelsToOld(Value& spec) { eachSpecifier(spec, specifierToOld); }

}  // namespace emissary::convert
