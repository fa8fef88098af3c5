#include "manifest/json_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

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
void append(std::string& out, const Value& value, bool sorted);

void appendMap(std::string& out, const Value& map, bool sorted) {
  std::vector<const Value::Entry*> entries;
  entries.reserve(map.map.size());
  for (const Value::Entry& entry : map.map) entries.push_back(&entry);
  if (sorted) std::sort(entries.begin(), entries.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
  out += '{';
  for (size_t i = 0; i < entries.size(); ++i) {
    if (i > 0) out += ',';
    appendQuoted(out, entries[i]->first);
    out += ':';
    append(out, entries[i]->second, sorted);
  }
  out += '}';
}

void append(std::string& out, const Value& value, bool sorted) {
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
        append(out, value.list[i], sorted);
      }
      out += ']';
      return;
    }
    case Value::Type::Map: return appendMap(out, value, sorted);
  }
}

}  // namespace

void appendJson(std::string& out, const Value& value) { append(out, value, false); }

std::string Value::canonical() const {
  std::string out;
  append(out, *this, true);
  return out;
}

nlohmann::ordered_json toJson(const Value& value) {
  using Json = nlohmann::ordered_json;
  switch (value.type) {
    case Value::Type::Null: break;
    case Value::Type::Bool: return value.boolean;
    case Value::Type::Int: return value.integer;
    case Value::Type::Double: return value.number;
    case Value::Type::String: return value.string;
    case Value::Type::List: {
      Json out = Json::array();
      for (const Value& item : value.list) out.push_back(toJson(item));
      return out;
    }
    case Value::Type::Map: {
      Json out = Json::object();
      auto& entries = out.get_ref<Json::object_t&>();  // keys are unique: nothing to look for
      for (const Value::Entry& entry : value.map) entries.emplace_back(entry.first, toJson(entry.second));
      return out;
    }
  }
  return nullptr;
}

}  // namespace emissary::manifest
