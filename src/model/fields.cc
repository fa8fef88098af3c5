#include "model/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/lower.h"
#include "model/text.h"

namespace emissary::model {
namespace {

using manifest::Value;

constexpr size_t kMaxFindings = 100;
/// About what Envoy's durations hold (292 years).
constexpr int64_t kMaxMs = 9'000'000'000'000;

bool isScalar(const Value& value) {
  return value.type == Value::Type::Bool || value.type == Value::Type::Int || value.type == Value::Type::Double;
}

/// What to write for a number that was written as text; "" when there is nothing to suggest.
std::string numberCure(const Value& value, bool ms) {
  if (!value.isString()) return {};
  int64_t number = 0;
  const char* end = value.string.data() + value.string.size();
  const auto [stop, problem] = std::from_chars(value.string.data(), end, number);
  if (problem == std::errc{} && stop == end) return fmt::format("write {}", number);
  if (!ms) return {};
  const auto duration = durationMs(value.string);
  return duration ? fmt::format("write {}", *duration) : std::string{};
}

}  // namespace

std::string describe(const Value& value) {
  switch (value.type) {
    case Value::Type::Null: return "empty";
    case Value::Type::Bool: return value.boolean ? "the boolean true" : "the boolean false";
    case Value::Type::Int: return fmt::format("the number {}", value.integer);
    case Value::Type::Double: return fmt::format("the number {}", value.number);
    case Value::Type::String: return "text " + quoted(value.string);
    case Value::Type::List: return "a list";
    case Value::Type::Map: return "a map";
  }
  return "something else";
}

std::string Path::text() const {
  std::string out = parent_ != nullptr ? parent_->text() : std::string{};
  if (index_ >= 0) return out + fmt::format("[{}]", index_);
  if (!out.empty()) out += '.';
  return out + printable(name_, 64);
}

void Report::refuse(std::string field, int line, std::string message) {
  if (part_ != nullptr) {
    part_->good_ = false;
  } else {
    object_.usable = false;
  }
  add(Severity::Error, std::move(field), line, std::move(message));
}

void Report::noteRegex(const Path& path, uint32_t steps) {
  if (steps < largest_regex_.steps) return;
  std::string field = path.text();
  // Of two the first by name, in whatever order they were written.
  if (steps > largest_regex_.steps || field < largest_regex_.field) largest_regex_ = {std::move(field), steps};
}

void Report::add(Severity severity, std::string field, int line, std::string message) {
  if (object_.findings.size() > kMaxFindings) return;
  if (object_.findings.size() == kMaxFindings) {
    field.clear();
    message = fmt::format("has more than {} mistakes; the others are not listed", kMaxFindings);
  }
  object_.findings.push_back(
      {severity, object_.ref, std::move(field), std::move(message), object_.path, line > 0 ? line : object_.line});
}

Fields::Fields(Report& report, const Value* value, const Path& path) : report_(report), path_(path) {
  if (value == nullptr) return;
  line_ = value->line;
  if (value->isMap()) {
    map_ = &value->map;
  } else if (!value->isNull()) {
    report_.refuse(path_.text(), line_, fmt::format("must be a map of fields, but is {}", describe(*value)));
  }
}

const Value* Fields::find(std::string_view name) const {
  if (map_ == nullptr) return nullptr;
  for (const Value::Entry& entry : *map_) {
    if (entry.first == name) return entry.second.isNull() ? nullptr : &entry.second;
  }
  return nullptr;
}

const Value* Fields::take(std::string_view name) {
  if (known_count_ < known_.size()) known_[known_count_++] = name;
  if (asked != nullptr) [[unlikely]]
    asked->push_back({path(name).text(), {}});
  return find(name);
}

int Fields::lineOf(std::string_view name) const {
  const Value* value = find(name);
  return value != nullptr ? value->line : line_;
}

void Fields::refuse(std::string_view name, std::string message) {
  report_.refuse(path(name).text(), lineOf(name), std::move(message));
}
void Fields::error(std::string_view name, std::string message) {
  report_.error(path(name).text(), lineOf(name), std::move(message));
}
void Fields::warning(std::string_view name, std::string message) {
  report_.warning(path(name).text(), lineOf(name), std::move(message));
}
void Fields::notice(std::string_view name, std::string message) {
  report_.notice(path(name).text(), lineOf(name), std::move(message));
}

void Fields::wrongType(std::string_view name, const Value& value, std::string_view expected, const std::string& cure) {
  std::string message = fmt::format("must be {}, but is {}", expected, describe(value));
  if (!cure.empty()) message += "; " + cure;
  refuse(name, std::move(message));
}

bool readText(Report& report, const Value& value, const Path& path, std::string& out) {
  if (!value.isString()) {
    report.refuse(path.text(), value.line,
                  fmt::format("must be text, but is {}{}", describe(value), isScalar(value) ? "; write it in quotes" : ""));
    return false;
  }
  if (std::string problem = textProblem(value.string); !problem.empty()) {
    report.refuse(path.text(), value.line, std::move(problem));
    return false;
  }
  out = value.string;
  return true;
}

std::optional<int64_t> wholeNumber(const Value& value) {
  if (value.type == Value::Type::Int) return value.integer;
  if (value.type != Value::Type::Double || std::trunc(value.number) != value.number) return std::nullopt;
  if (std::abs(value.number) > 9e15) return std::nullopt;  // no longer exact
  return static_cast<int64_t>(value.number);
}

bool Fields::read(std::string_view name, std::string& out) {
  const Value* value = take(name);
  return value != nullptr && readText(report_, *value, path(name), out);
}

bool Fields::read(std::string_view name, std::optional<std::string>& out) {
  std::string text;
  if (!read(name, text) || text.empty()) return false;
  out = std::move(text);
  return true;
}

bool Fields::read(std::string_view name, bool& out) {
  const Value* value = take(name);
  if (value == nullptr) return false;
  if (value->type == Value::Type::Bool) {
    out = value->boolean;
    return true;
  }
  const bool spelt = value->isString() && (value->string == "true" || value->string == "false");
  wrongType(name, *value, "true or false", spelt ? "write it without quotes" : "");
  return false;
}

bool Fields::read(std::string_view name, std::optional<bool>& out) {
  bool value = false;
  if (!read(name, value)) return false;
  out = value;
  return true;
}

bool Fields::read(std::string_view name, std::vector<std::string>& out) {
  const Value* value = take(name);
  if (value == nullptr) return false;
  if (!value->isList()) {
    const bool one = value->isString() && value->string.size() < 80;
    wrongType(name, *value, "a list of texts", one ? fmt::format("write [{}]", quoted(value->string)) : "");
    return false;
  }
  std::vector<std::string> items;
  items.reserve(value->list.size());
  const Path list = path(name);
  for (size_t i = 0; i < value->list.size(); ++i) {
    std::string item;
    if (!readText(report_, value->list[i], Path(&list, i), item)) return false;
    items.push_back(std::move(item));
  }
  out = std::move(items);
  return true;
}

bool Fields::read(std::string_view name, int64_t& out, int64_t min, int64_t max) {
  const Value* value = take(name);
  if (value == nullptr) return false;
  const auto number = wholeNumber(*value);
  if (!number) {
    wrongType(name, *value, "a whole number", numberCure(*value, false));
    return false;
  }
  if (*number < min || *number > max) {
    const std::string range = max == INT64_MAX ? fmt::format("at least {}", min) : fmt::format("from {} to {}", min, max);
    refuse(name, fmt::format("must be {}, but is {}", range, *number));
    return false;
  }
  out = *number;
  return true;
}

bool Fields::read(std::string_view name, std::optional<int64_t>& out) {
  int64_t number = 0;
  if (!read(name, number)) return false;
  out = number;
  return true;
}

bool Fields::readMs(std::string_view name, std::optional<int64_t>& out, int64_t min) {
  const Value* value = take(name);
  if (value == nullptr) return false;
  const auto number = wholeNumber(*value);
  if (!number) {
    wrongType(name, *value, "a whole number of milliseconds", numberCure(*value, true));
    return false;
  }
  if (*number < min || *number > kMaxMs) {
    refuse(name, fmt::format("must be from {} to {} milliseconds, but is {}", min, kMaxMs, *number));
    return false;
  }
  out = number;
  return true;
}

bool Fields::readDuration(std::string_view name, std::optional<int64_t>& out, int64_t min) {
  const Value* value = take(name);
  if (value == nullptr) return false;
  const auto ms = value->isString() ? durationMs(value->string) : std::nullopt;
  if (!ms) {
    const auto number = wholeNumber(*value);
    wrongType(name, *value, "a duration such as 250ms, 3s or 1m30s",
              number && *number >= 0 ? fmt::format("write {}s", *number) : "");
    return false;
  }
  if (*ms < min || *ms > kMaxMs) {
    refuse(name, fmt::format("must be from {} to {} milliseconds, but is {}", min, kMaxMs, *ms));
    return false;
  }
  out = ms;
  return true;
}

int Fields::readChoice(std::string_view name, std::span<const std::string_view> choices, bool any_case) {
  const Value* value = take(name);
  if (asked != nullptr) [[unlikely]]
    asked->back().choices.assign(choices.begin(), choices.end());
  if (value == nullptr) return -1;
  std::string cure;
  if (value->isString()) {
    for (size_t i = 0; i < choices.size(); ++i) {
      if (choices[i] == value->string) return static_cast<int>(i);
    }
    const std::string folded = lower(std::string_view(value->string).substr(0, 64));
    for (size_t i = 0; i < choices.size(); ++i) {
      if (lower(choices[i]) != folded || folded.size() != value->string.size()) continue;
      if (any_case) return static_cast<int>(i);
      cure = fmt::format("write {}", choices[i]);
    }
  }
  wrongType(name, *value, fmt::format("one of {}", fmt::join(choices, ", ")), cure);
  return -1;
}

bool Fields::require(std::string_view name, std::string_view why) {
  if (has(name)) return true;
  refuse(name, fmt::format("is missing; {}", why));
  return false;
}

void Fields::ignore(std::string_view name, int accept) {
  const Value* value = take(name);
  if (value == nullptr) return;
  const int type = value->isString()                  ? kText
                   : value->type == Value::Type::Bool ? kBool
                   : value->isList()                  ? kList
                   : value->isMap()                   ? kMap
                   : wholeNumber(*value).has_value()  ? kWhole
                                                      : 0;
  if ((accept & type) == 0) {
    static constexpr std::pair<int, std::string_view> kNames[] = {
        {kText, "text"}, {kBool, "true or false"}, {kWhole, "a whole number"}, {kList, "a list"}, {kMap, "a map"}};
    std::string expected;
    for (const auto& [bit, word] : kNames) {
      if ((accept & bit) != 0) expected += (expected.empty() ? "" : " or ") + std::string(word);
    }
    wrongType(name, *value, expected);
    return;
  }
  warning(name, "is not acted on in this version");
}

std::string_view Fields::alias(std::string_view name, std::string_view other) {
  take(name);
  take(other);
  if (!has(other)) return name;
  if (!has(name)) return other;
  warning(other, fmt::format("is another spelling of {}, which is given too and counts; remove one", name));
  return name;
}

namespace {

/// useRemoteAddress, Use-Remote-Address: use_remote_address.
std::string folded(std::string_view name) {
  std::string out = lower(name.substr(0, 128));
  std::erase_if(out, [](char c) { return c == '_' || c == '-'; });
  return out;
}

}  // namespace

std::string Fields::nearest(std::string_view name) const {
  constexpr size_t kNear = 2;
  size_t best = kNear + 1;
  std::string_view found;
  for (size_t i = 0; i < known_count_; ++i) {
    const size_t distance = editDistance(folded(name), folded(known_[i]), kNear);
    // A name of two letters is near everything.
    if (distance < best && distance * 2 <= known_[i].size()) {
      best = distance;
      found = known_[i];
    }
  }
  return std::string(found);
}

void Fields::finish() {
  if (map_ == nullptr) return;
  constexpr int kMaxUnknown = 10;
  int unknown = 0;
  for (const auto& [name, value] : *map_) {
    const auto end = known_.begin() + static_cast<ptrdiff_t>(known_count_);
    if (value.isNull() || std::find(known_.begin(), end, name) != end) continue;
    if (++unknown > kMaxUnknown) continue;
    const std::string meant = nearest(name);
    std::string message = "is not a known field and is ignored";
    if (!meant.empty()) message += fmt::format("; did you mean {}?", meant);
    report_.warning(path(name).text(), value.line, std::move(message));
  }
  if (unknown > kMaxUnknown) {
    report_.warning(path_.text(), line_, fmt::format("has {} more fields that are not known", unknown - kMaxUnknown));
  }
}

}  // namespace emissary::model
