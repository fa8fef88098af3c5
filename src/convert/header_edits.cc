// Headers that a Mapping adds and removes, and its cors: texts, lists of texts and objects that v2 lets stand for one another.

#include "convert/rules.h"

namespace emissary::convert {
namespace {

constexpr std::string_view kWritten = "v2Representation";
constexpr std::string_view kCommas = "v2CommaSeparatedOrigins";
constexpr std::string_view kAdd[] = {"add_request_headers", "add_response_headers"};
constexpr std::string_view kRemove[] = {"remove_request_headers", "remove_response_headers"};
constexpr std::string_view kCorsLists[] = {"methods", "headers", "exposed_headers"};

void listIn(Value& map, std::string_view name) {
  Value* value = find(map, name);
  if (!isText(value)) return;
  Value list = emptyList(value->line);
  list.list.push_back(std::move(*value));
  *value = std::move(list);
}

void addedToNew(Value& header) {
  if (header.isMap()) {
    take(header, kWritten);
  } else if (header.isString() || header.isNull()) {
    Value out = emptyMap(header.line);
    const bool text = header.isString();
    if (text) put(out, "value", textValue(header.string, header.line));
    put(out, kWritten, textValue(text ? "string" : "null", header.line));
    header = std::move(out);
  }
}

void addedToOld(Value& header) {
  if (header.isNull()) {
    header = emptyMap(header.line);
    return;
  }
  if (!header.isMap()) return;
  const std::optional<Value> written = take(header, kWritten);
  const Value* value = find(header, "value");
  if (!written || !written->isString() || find(header, "append") != nullptr) return;
  if (value != nullptr && !value->isString()) return;
  const int line = value != nullptr ? value->line : header.line;
  const std::string text = value != nullptr ? value->string : "";
  if (written->string == "string") header = textValue(text, line);
  if (written->string == "null" && text.empty()) {
    header = Value();
    header.line = line;
  }
}

Value split(const Value& origins) {
  Value out = emptyList(origins.line);
  std::string_view rest = origins.string;
  while (true) {
    const size_t comma = rest.find(',');
    out.list.push_back(textValue(rest.substr(0, comma), origins.line));
    if (comma == std::string_view::npos) return out;
    rest.remove_prefix(comma + 1);
  }
}

/// Nothing when they are not texts, or one holds a comma itself.
std::optional<Value> join(const Value& origins) {
  if (!origins.isList() || origins.list.empty()) return std::nullopt;
  std::string text;
  for (const Value& origin : origins.list) {
    if (!origin.isString() || origin.string.find(',') != std::string::npos) return std::nullopt;
    if (&origin != &origins.list.front()) text += ',';
    text += origin.string;
  }
  return textValue(text, origins.line);
}

}  // namespace

void headerEditsToNew(Value& spec) {
  for (const std::string_view name : kAdd) {
    Value* headers = find(spec, name);
    if (headers == nullptr || !headers->isMap()) continue;
    for (auto& [header, value] : headers->map) addedToNew(value);
  }
  for (const std::string_view name : kRemove) listIn(spec, name);
  Value* cors = find(spec, "cors");
  if (cors == nullptr || !cors->isMap()) return;
  for (const std::string_view name : kCorsLists) listIn(*cors, name);
  take(*cors, kCommas);
  Value* origins = find(*cors, "origins");
  if (!isText(origins)) return;
  const int line = origins->line;
  *origins = split(*origins);
  put(*cors, kCommas, boolValue(true, line));
}

void headerEditsToOld(Value& spec) {
  for (const std::string_view name : kAdd) {
    Value* headers = find(spec, name);
    if (headers == nullptr || !headers->isMap()) continue;
    for (auto& [header, value] : headers->map) addedToOld(value);
  }
  Value* cors = find(spec, "cors");
  if (cors == nullptr || !cors->isMap()) return;
  const std::optional<Value> commas = take(*cors, kCommas);
  Value* origins = find(*cors, "origins");
  if (origins == nullptr || !commas || !isTrue(&*commas)) return;
  if (auto text = join(*origins)) *origins = *std::move(text);
}

}  // namespace emissary::convert
