// Headers and query parameters to match. v2 takes a text, or true for "must be there"; v3alpha1 has texts, and regular
// expressions in a map of their own, and remembers in a list which of them were written as true.

#include <algorithm>
#include <set>

#include "convert/rules.h"

namespace emissary::convert {
namespace {

constexpr std::string_view kAnything = ".*";

struct MatchNames {
  std::string_view exact;
  std::string_view regex;
  std::string_view memory;
};

constexpr MatchNames kMatches[] = {{"headers", "regex_headers", "v2BoolHeaders"},
                                   {"query_parameters", "regex_query_parameters", "v2BoolQueryParameters"}};

std::set<std::string> keysOf(const Value* map) {
  std::set<std::string> out;
  if (map == nullptr) return out;
  for (const auto& [name, value] : map->map) out.insert(name);
  return out;
}

/// The entry of `spec`, made where it is absent; null pointer when it is something else than a map.
Value* mapIn(Value& spec, std::string_view name, int line) {
  if (find(spec, name) == nullptr) put(spec, name, emptyMap(line));
  Value* out = find(spec, name);
  return out->isMap() ? out : nullptr;
}

void toNew(Value& spec, const MatchNames& names) {
  std::optional<Value> exact = take(spec, names.exact);
  if (!exact) return;
  if (!exact->isMap() || exact->map.empty()) return put(spec, names.exact, *std::move(exact));
  std::vector<Value::Entry> kept, present;
  for (Value::Entry& entry : exact->map) {
    const bool boolean = entry.second.type == Value::Type::Bool;
    if (entry.second.isNull() || (boolean && !entry.second.boolean)) continue;
    (boolean ? present : kept).push_back(std::move(entry));
  }
  const int line = exact->line;
  exact->map = std::move(kept);
  if (!present.empty()) {
    // By name, so that the list does not depend on the order in a map.
    std::sort(present.begin(), present.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    Value* regex = mapIn(spec, names.regex, line);
    if (regex != nullptr) std::erase_if(regex->map, [](const auto& entry) { return entry.second.isNull(); });
    const std::set<std::string> known = keysOf(regex);
    Value memory = emptyList(line);
    for (const auto& [name, value] : present) {
      if (regex != nullptr && !known.contains(name)) regex->map.emplace_back(name, textValue(kAnything, value.line));
      memory.list.push_back(textValue(name, value.line));
    }
    put(spec, names.memory, std::move(memory));
  }
  if (!exact->map.empty()) put(spec, names.exact, *std::move(exact));
}

void toOld(Value& spec, const MatchNames& names) {
  const std::optional<Value> memory = take(spec, names.memory);
  Value* regex = find(spec, names.regex);
  if (!memory || !memory->isList() || regex == nullptr || !regex->isMap()) return;
  const std::set<std::string> exact = keysOf(find(spec, names.exact));
  std::set<std::string> remembered;
  for (const Value& name : memory->list) {
    if (name.isString() && !exact.contains(name.string)) remembered.insert(name.string);
  }
  std::vector<Value::Entry> kept, present;
  for (Value::Entry& entry : regex->map) {
    const bool is_present = remembered.contains(entry.first);
    const int line = entry.second.line;
    if (is_present) present.emplace_back(entry.first, boolValue(true, line));
    if (!is_present || !entry.second.isString() || entry.second.string != kAnything) kept.push_back(std::move(entry));
  }
  regex->map = std::move(kept);
  if (present.empty()) return;
  if (regex->map.empty()) take(spec, names.regex);
  Value* into = mapIn(spec, names.exact, memory->line);
  if (into == nullptr) return;
  for (Value::Entry& entry : present) into->map.push_back(std::move(entry));
}

}  // namespace

void matchesToNew(Value& spec) {
  for (const MatchNames& names : kMatches) toNew(spec, names);
}

void matchesToOld(Value& spec) {
  for (const MatchNames& names : kMatches) toOld(spec, names);
}

}  // namespace emissary::convert
