#include "manifest/edit.h"

#include <algorithm>
#include <utility>

namespace emissary::manifest {
namespace {

Value make(Value::Type type, int line) {
  Value out;
  out.type = type;
  out.line = line;
  return out;
}

auto at(Value& map, std::string_view key) {
  return std::find_if(map.map.begin(), map.map.end(), [&](const Value::Entry& entry) { return entry.first == key; });
}

}  // namespace

Value textValue(std::string_view text, int line) {
  Value out = make(Value::Type::String, line);
  out.string = text;
  return out;
}

Value boolValue(bool value, int line) {
  Value out = make(Value::Type::Bool, line);
  out.boolean = value;
  return out;
}

Value wholeValue(int64_t value, int line) {
  Value out = make(Value::Type::Int, line);
  out.integer = value;
  return out;
}

Value emptyMap(int line) { return make(Value::Type::Map, line); }
Value emptyList(int line) { return make(Value::Type::List, line); }

Value* find(Value& map, std::string_view key) {
  const auto found = at(map, key);
  return found == map.map.end() || found->second.isNull() ? nullptr : &found->second;
}

std::optional<Value> take(Value& map, std::string_view key) {
  const auto found = at(map, key);
  if (found == map.map.end()) return std::nullopt;
  std::optional<Value> out;
  if (!found->second.isNull()) out = std::move(found->second);
  map.map.erase(found);
  return out;
}

void put(Value& map, std::string_view key, Value value) {
  const auto found = at(map, key);
  if (found == map.map.end()) {
    map.map.emplace_back(std::string(key), std::move(value));
  } else {
    found->second = std::move(value);
  }
}

bool rename(Value& map, std::string_view from, std::string_view to) {
  if (find(map, from) == nullptr) {
    take(map, from);
    return false;
  }
  take(map, to);
  at(map, from)->first = to;
  return true;
}

bool isText(const Value* value) { return value != nullptr && value->isString(); }
bool hasText(const Value* value) { return isText(value) && !value->string.empty(); }
bool isTrue(const Value* value) { return value != nullptr && value->type == Value::Type::Bool && value->boolean; }

}  // namespace emissary::manifest
