#include "model/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

namespace emissary::model {
namespace {

bool isControl(unsigned char c) { return c < 0x20 || c == 0x7f; }
bool isAlnum(unsigned char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Bytes of the UTF-8 character at the start of `text`, 0 when there is none.
size_t utf8Length(std::string_view text) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, beyond U+10FFFF.
  const unsigned char second = at(1);
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return 0;
  if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return 0;
  return length;
}

bool isDns(std::string_view text, bool dots, size_t max) {
  if (text.empty() || text.size() > max) return false;
  char before = '.';  // the start is like after a dot
  for (const char c : text) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!word && before == '.') return false;
    if (c == '.') {
      if (!dots || before == '-') return false;
    } else if (!word && c != '-') {
      return false;
    }
    before = c;
  }
  return before != '-' && before != '.';
}

}  // namespace

std::string textProblem(std::string_view text, size_t most) {
  if (text.size() > most) return fmt::format("is {} bytes long; the limit is {}", text.size(), most);
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (isControl(c)) return fmt::format("holds the control character 0x{:02x}; remove it", c);
    const size_t length = utf8Length(text.substr(i));
    if (length == 0) return "is not valid UTF-8";
    i += length;
  }
  return {};
}

std::string printable(std::string_view text, size_t max) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const size_t length = utf8Length(text.substr(i));
    if (out.size() + std::max<size_t>(length, 1) > max) return out + "…";
    const bool c1 = length == 2 && text[i] == '\xc2' && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (length == 0 || c1 || (length == 1 && isControl(static_cast<unsigned char>(text[i])))) {
      out += '?';
    } else {
      out += text.substr(i, length);
    }
    i += std::max<size_t>(length, 1);
  }
  return out;
}

std::string quoted(std::string_view text, size_t max) { return '"' + printable(text, max) + '"'; }

bool isDnsLabel(std::string_view text) { return isDns(text, false, 63); }
bool isDnsSubdomain(std::string_view text) { return isDns(text, true, 253); }

bool isToken(std::string_view text) {
  static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return isAlnum(static_cast<unsigned char>(c)) || kMarks.find(c) != std::string_view::npos;
  });
}

bool isHeaderName(std::string_view text) {
  if (text.starts_with(':')) text.remove_prefix(1);
  return isToken(text);
}

size_t editDistance(std::string_view a, std::string_view b, size_t limit) {
  const size_t gap = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (gap > limit) return limit + 1;
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return std::min(row.back(), limit + 1);
}

std::optional<int64_t> durationMs(std::string_view text) {
  struct Unit {
    std::string_view name;
    double ms;
  };
  static constexpr std::array kUnits = {Unit{"ns", 1e-6}, Unit{"us", 1e-3}, Unit{"\xc2\xb5s", 1e-3}, Unit{"\xce\xbcs", 1e-3},
                                        Unit{"ms", 1},    Unit{"s", 1000},  Unit{"m", 60'000},       Unit{"h", 3'600'000}};
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text == "0") return 0;
  if (text.empty() || text.size() > 128) return std::nullopt;
  double ms = 0;
  while (!text.empty()) {
    if (!digit(text.front()) && text.front() != '.') return std::nullopt;
    double amount = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount, std::chars_format::fixed);
    if (error != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    const size_t next = static_cast<size_t>(std::find_if(text.begin(), text.end(), digit) - text.begin());
    const std::string_view name = text.substr(0, next);
    const auto* unit = std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& known) { return known.name == name; });
    if (unit == kUnits.end()) return std::nullopt;
    ms += amount * unit->ms;
    text.remove_prefix(next);
  }
  if (ms > 9e15) return std::nullopt;
  return static_cast<int64_t>(std::round(ms));
}

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace emissary::model
