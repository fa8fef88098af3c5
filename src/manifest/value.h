#pragma once
// A parsed YAML or JSON document: a tree that remembers the line of each of its nodes, so that a finding can
// point at the field. Immutable once parsed; owned by whoever parsed it.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace emissary::manifest {

struct Value {
  enum class Type : uint8_t { Null, Bool, Int, Double, String, List, Map };
  using Entry = std::pair<std::string, Value>;

  // Defined once the type is complete, since Entry holds a Value: clang insists.
  Value() noexcept;
  ~Value();
  Value(const Value&);
  Value(Value&&) noexcept;
  Value& operator=(const Value&);
  Value& operator=(Value&&) noexcept;

  Type type = Type::Null;
  /// A text written as a YAML block ("|"): the first of its lines is the one after `line`.
  bool block = false;
  /// 1-based line in the file; of a map's entry, the line of its key.
  int line = 0;
  bool boolean = false;
  int64_t integer = 0;
  double number = 0;
  std::string string;
  std::vector<Value> list;
  /// Keys are unique (of duplicates the last wins, as kubectl reads) and in the order written.
  std::vector<Entry> map;

  bool isNull() const { return type == Type::Null; }
  bool isMap() const { return type == Type::Map; }
  bool isList() const { return type == Type::List; }
  bool isString() const { return type == Type::String; }

  /// The value under `key`; null pointer when this is no map or lacks it.
  const Value* find(std::string_view key) const;
  /// The string under `key`, or "" when absent or no string.
  std::string_view text(std::string_view key) const;
  /// JSON of this tree with keys sorted: equal content gives equal text whatever the order written.
  std::string canonical() const;
};

inline Value::Value() noexcept = default;
inline Value::~Value() = default;
inline Value::Value(const Value&) = default;
inline Value::Value(Value&&) noexcept = default;
inline Value& Value::operator=(const Value&) = default;
inline Value& Value::operator=(Value&&) noexcept = default;

std::string_view typeName(Value::Type type);

}  // namespace emissary::manifest
