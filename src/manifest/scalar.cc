#include "manifest/scalar.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace emissary::manifest {
namespace {

using Type = Value::Type;

bool isDigit(char c) { return c >= '0' && c <= '9'; }

/// `text` is `lower` written as word, Word or WORD.
bool isWord(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
  bool as_lower = true, as_title = true, as_upper = true;
  bool first = true;
  for (size_t i = 0; i < text.size(); ++i) {
    as_lower = as_lower && text[i] == lower[i];
    as_upper = as_upper && text[i] == upper(lower[i]);
    as_title = as_title && text[i] == (first ? upper(lower[i]) : lower[i]);
    if (lower[i] >= 'a' && lower[i] <= 'z') first = false;  // ".inf" → ".Inf"
  }
  return as_lower || as_title || as_upper;
}

Value boolean(bool value) {
  Value result;
  result.type = Type::Bool;
  result.boolean = value;
  return result;
}

Value integer(int64_t value) {
  Value result;
  result.type = Type::Int;
  result.integer = value;
  return result;
}

Value number(double value) {
  Value result;
  result.type = Type::Double;
  result.number = value;
  return result;
}

Value string(std::string_view text) {
  Value result;
  result.type = Type::String;
  result.string = text;
  return result;
}

/// null, booleans, infinities and NaN: everything that is a fixed word.
std::optional<Value> resolveWord(std::string_view text) {
  if (text.empty() || text == "~" || isWord(text, "null")) return Value{};
  for (const std::string_view yes : {"y", "yes", "true", "on"}) {
    if (isWord(text, yes)) return boolean(true);
  }
  for (const std::string_view no : {"n", "no", "false", "off"}) {
    if (isWord(text, no)) return boolean(false);
  }
  if (text == ".nan" || text == ".NaN" || text == ".NAN") return number(std::numeric_limits<double>::quiet_NaN());
  const bool negative = text.front() == '-';
  if (isWord(negative || text.front() == '+' ? text.substr(1) : text, ".inf")) {
    const double infinity = std::numeric_limits<double>::infinity();
    return number(negative ? -infinity : infinity);
  }
  return std::nullopt;
}

/// [-+] 0x.. 0o.. 0b.. 0.. (octal) or decimal, as Go's ParseInt with base 0 reads it.
std::optional<Value> parseInteger(std::string_view text) {
  const bool negative = text.front() == '-';
  if (negative || text.front() == '+') text.remove_prefix(1);
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char marker = static_cast<char>(text[1] | 0x20);
    base = marker == 'x' ? 16 : marker == 'o' ? 8 : marker == 'b' ? 2 : 8;
    text.remove_prefix(isDigit(text[1]) ? 1 : 2);
  }
  uint64_t magnitude = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), magnitude, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
  if (magnitude <= kMax) return integer(negative ? -static_cast<int64_t>(magnitude) : static_cast<int64_t>(magnitude));
  if (negative && magnitude == kMax + 1) return integer(std::numeric_limits<int64_t>::min());
  return number(negative ? -static_cast<double>(magnitude) : static_cast<double>(magnitude));
}

/// digits [. digits] or . digits, then an exponent.
bool looksLikeNumber(std::string_view text) {
  size_t i = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  const auto digits = [&] {
    const size_t start = i;
    while (i < text.size() && isDigit(text[i])) ++i;
    return i > start;
  };
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (!digits()) return false;
  } else {
    if (!digits()) return false;
    if (i < text.size() && text[i] == '.') {
      ++i;
      digits();
    }
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    if (!digits()) return false;
  }
  return i == text.size();
}

std::optional<Value> parseNumber(std::string_view text) {
  if (!looksLikeNumber(text)) return std::nullopt;
  if (text.front() == '+') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) {
    value = std::strtod(std::string(text).c_str(), nullptr);  // tells the tiny, which is 0, from the huge
    if (std::isinf(value)) return std::nullopt;
  } else if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number(value);
}

std::optional<Value> resolveNumeric(std::string_view text) {
  const char first = text.front();
  if (first == '.') return parseNumber(text);
  if (!isDigit(first) && first != '-' && first != '+') return std::nullopt;
  std::string plain(text);
  std::erase(plain, '_');
  if (auto value = parseInteger(plain)) return value;
  return parseNumber(plain);
}

}  // namespace

Value resolvePlain(std::string_view text) {
  if (auto value = resolveWord(text)) return *std::move(value);
  if (auto value = resolveNumeric(text)) return *std::move(value);
  return string(text);
}

std::optional<Value> resolveTagged(std::string_view tag, std::string_view text) {
  constexpr std::string_view kStandard = "tag:yaml.org,2002:";
  if (!tag.starts_with(kStandard)) return string(text);
  tag.remove_prefix(kStandard.size());
  if (tag == "str" || tag == "timestamp") return string(text);
  if (tag == "binary") return std::nullopt;
  Value value = resolvePlain(text);
  if (tag == "null" && value.isNull()) return value;
  if (tag == "bool" && value.type == Type::Bool) return value;
  if (tag == "float" && value.type == Type::Double) return value;
  if (tag == "float" && value.type == Type::Int) return number(static_cast<double>(value.integer));
  if (tag == "int" && (value.type == Type::Int || (value.type == Type::Double && std::trunc(value.number) == value.number &&
                                                   text.find_first_of(".eE") == std::string_view::npos))) {
    return value;
  }
  if (tag == "null" || tag == "bool" || tag == "float" || tag == "int" || tag == "map" || tag == "seq") return std::nullopt;
  return string(text);
}

std::optional<std::string> keyText(const Value& value) {
  switch (value.type) {
    case Type::String: return value.string;
    case Type::Bool: return value.boolean ? "true" : "false";
    case Type::Int: return fmt::format("{}", value.integer);
    case Type::Double:
      if (std::isnan(value.number)) return ".nan";
      if (std::isinf(value.number)) return value.number < 0 ? "-.inf" : ".inf";
      return fmt::format("{}", value.number);
    case Type::Null:
    case Type::List:
    case Type::Map: break;
  }
  return std::nullopt;
}

}  // namespace emissary::manifest
