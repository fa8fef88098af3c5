#include "manifest/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace emissary::manifest {
namespace {

void appendQuoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

/// A number that stays distinct from an integer of the same value: 1.0 is not 1.
void appendDouble(std::string& out, double number) {
  if (std::isnan(number)) {
    out += "NaN";
  } else if (std::isinf(number)) {
    out += number < 0 ? "-Infinity" : "Infinity";
  } else {
    const std::string text = fmt::format("{}", number);
    out += text;
    if (text.find_first_of(".e") == std::string::npos) out += ".0";
  }
}

// Recursion is as deep as the tree, which the parser bounds.
void appendCanonical(std::string& out, const Value& value) {
  switch (value.type) {
    case Value::Type::Null: out += "null"; return;
    case Value::Type::Bool: out += value.boolean ? "true" : "false"; return;
    case Value::Type::Int: fmt::format_to(std::back_inserter(out), "{}", value.integer); return;
    case Value::Type::Double: appendDouble(out, value.number); return;
    case Value::Type::String: appendQuoted(out, value.string); return;
    case Value::Type::List: {
      out += '[';
      for (size_t i = 0; i < value.list.size(); ++i) {
        if (i > 0) out += ',';
        appendCanonical(out, value.list[i]);
      }
      out += ']';
      return;
    }
    case Value::Type::Map: break;
  }
  std::vector<const Value::Entry*> entries;
  entries.reserve(value.map.size());
  for (const Value::Entry& entry : value.map) entries.push_back(&entry);
  std::sort(entries.begin(), entries.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
  out += '{';
  for (size_t i = 0; i < entries.size(); ++i) {
    if (i > 0) out += ',';
    appendQuoted(out, entries[i]->first);
    out += ':';
    appendCanonical(out, entries[i]->second);
  }
  out += '}';
}

}  // namespace

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

std::string Value::canonical() const {
  std::string out;
  appendCanonical(out, *this);
  return out;
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
