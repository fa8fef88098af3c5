#pragma once
// The rules of one field, out of its descriptor's options, in a form that is quick to check. Built once, then read by any
// thread. Internal to constraints.cc and constraint_rules.cc.

#include <re2/re2.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace google::protobuf {
class EnumDescriptor;
class FieldDescriptor;
class Message;
}  // namespace google::protobuf

namespace emissary::generate {

/// Wide enough for every integer of 64 bits and for nanoseconds.
using Number = long double;

struct Bound {
  Number value;
  bool inclusive;
};

struct Sizes {
  std::optional<uint64_t> least, most;
  /// "" or what is wrong with `size`, counted in `unit`.
  std::string check(uint64_t size, std::string_view unit) const;
  bool any() const { return least || most; }
};

struct Rules {
  bool required = false;
  bool skip = false;
  bool ignore_empty = false;
  bool defined_only = false;
  bool unique = false;
  /// Something about the value itself is stated.
  bool value = false;

  std::optional<Bound> lower, upper;
  std::vector<Number> in, not_in;

  Sizes characters, bytes, items;
  std::string prefix, suffix, contains, not_contains;
  std::vector<std::string> one_of, none_of;
  std::unique_ptr<RE2> pattern;

  /// Of the elements; of a map's keys and values.
  std::unique_ptr<Rules> elements, keys, values;
  /// Names of rules that are not known here.
  std::vector<std::string> unknown;

  std::string checkNumber(Number number) const;
  std::string checkEnum(int number, const google::protobuf::EnumDescriptor& type) const;
  std::string checkString(std::string_view text) const;
};

/// Null: the field has none.
std::unique_ptr<Rules> rulesOf(const google::protobuf::FieldDescriptor& field);

/// A google.protobuf.Duration or Timestamp in nanoseconds.
Number nanoseconds(const google::protobuf::Message& message);

}  // namespace emissary::generate
