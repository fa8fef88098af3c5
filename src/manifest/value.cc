#include "manifest/value.h"

namespace emissary::manifest {

const Value* Value::find(std::string_view key) const {
  for (const Entry& entry : map) {
    if (entry.first == key) return &entry.second;
  }
  return nullptr;
}

std::string_view Value::text(std::string_view key) const {
  const Value* value = find(key);
  return value != nullptr && value->isString() ? std::string_view(value->string) : std::string_view();
}

std::string_view typeName(Value::Type type) {
  switch (type) {
    case Value::Type::Null: return "null";
    case Value::Type::Bool: return "boolean";
    case Value::Type::Int: return "integer";
    case Value::Type::Double: return "number";
    case Value::Type::String: return "string";
    case Value::Type::List: return "list";
    case Value::Type::Map: return "map";
  }
  return "value";
}

}  // namespace emissary::manifest
