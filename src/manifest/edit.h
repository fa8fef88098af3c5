#pragma once
// Editing manifest trees: small functions on Value maps. A missing key and one with null are the same to find(); lines stay with
// the values they belong to. Pure, any thread.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/value.h"

namespace emissary::manifest {

Value textValue(std::string_view text, int line);
Value boolValue(bool value, int line);
Value wholeValue(int64_t value, int line);
Value emptyMap(int line);
Value emptyList(int line);

/// Null pointer when `map` is no map, or lacks the key, or has null there.
Value* find(Value& map, std::string_view key);
/// The value, taken out of the map; nothing when absent or null (which is then gone too).
std::optional<Value> take(Value& map, std::string_view key);
/// In place of what was under `key`, else at the end.
void put(Value& map, std::string_view key, Value value);
/// `from` becomes `to`, in its place. False when there is no `from`, or it is null.
bool rename(Value& map, std::string_view from, std::string_view to);

bool isText(const Value* value);
/// Text that is not empty.
bool hasText(const Value* value);
bool isTrue(const Value* value);

}  // namespace emissary::manifest
