#pragma once
// What every kind of getambassador.io looks like, as api/*.yaml tells: the one source of the CustomResourceDefinitions, of the
// reference documentation, and of what the parsers in src/model/ are held to. Read on first use; immutable; any thread.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace emissary::schema {

enum class Type : uint8_t { String, Integer, Boolean, Array, Object, Any };

/// What a field does in this version.
enum class Effect : uint8_t { Acts, Later, None };

struct Field {
  std::string name;  // "" of items and values
  Type type = Type::Any;
  std::string description;
  Effect effect = Effect::Acts;
  bool required = false;  // in the object that has it
  bool deprecated = false;
  /// An object of any fields: an API server neither checks nor prunes it; `fields` are checked by the program alone.
  bool open = false;
  /// Boolean: a text that means one ("yes", "0" …) is taken too, by the program.
  bool is_switch = false;
  std::vector<std::string> choices;  // String
  /// The choices are the program\'s to check; an API server takes any text.
  bool any_text = false;
  std::vector<int64_t> numbers;                           // Integer: the only ones allowed
  std::optional<int64_t> minimum, maximum;                // Integer
  std::optional<int64_t> max_length;                      // String
  std::string pattern, format;                            // String
  std::optional<int64_t> min_items;                       // Array
  std::string list_map_key;                               // Array: its items are told apart by this field
  std::optional<int64_t> min_properties, max_properties;  // Object
  /// Of the field that this is another spelling of; "" for any other field.
  std::string alias_of;
  /// Array: what is in it. Object: what is under names that are the user's. One of them at most, and none beside `fields`.
  std::shared_ptr<const Field> items, values;
  /// Object, or Any that may be one; in the order of the file.
  std::vector<Field> fields;

  const Field* find(std::string_view name) const;
};

struct Column {
  std::string name, type, path, description;
  bool wide = false;
};

/// A kind in one of its shapes: v3alpha1's, or that of the versions before.
struct Shape {
  Field spec;
  Field status;
  std::vector<Column> columns;
};

struct Kind {
  std::string name, plural, singular;
  std::vector<std::string> short_names;
  std::string description;
  Effect effect = Effect::Acts;
  /// The oldest first; the last is v3alpha1.
  std::vector<std::string> versions;
  Shape shape;
  /// Of v1 and v2, which look alike; empty where there are none.
  std::optional<Shape> legacy;
};

/// Sorted by name.
const std::vector<Kind>& kinds();
/// Null pointer when it is none of ours.
const Kind* kindNamed(std::string_view name);

std::string_view typeName(Type type);

}  // namespace emissary::schema
