#pragma once
// Reading one level of an object's fields, typed: each read says what it expects, and a mistake becomes a finding with the
// field's path and line. Internal to the parsers in this folder; lives on the stack of one parse.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "manifest/value.h"
#include "model/object.h"

namespace emissary::model {

/// "must be …, but is text "3s"": the latter half.
std::string describe(const manifest::Value& value);

/// Where we are in an object; made into text only for a finding. Points to its parent, so it must not outlive it.
class Path {
 public:
  Path(const Path* parent, std::string_view name) : parent_(parent), name_(name) {}
  Path(const Path* parent, size_t index) : parent_(parent), index_(static_cast<int64_t>(index)) {}
  std::string text() const;

 private:
  const Path* parent_;
  std::string_view name_;
  int64_t index_ = -1;
};

class Part;

/// Collects the findings of one object. Their number is bounded, whatever is in it.
class Report {
 public:
  explicit Report(Object& object) : object_(object) {}

  /// An error that keeps the object from being used, or, while a Part lives, that part.
  void refuse(std::string field, int line, std::string message);
  /// An error about a part that is not used; the object is.
  void error(std::string field, int line, std::string message) { add(Severity::Error, std::move(field), line, std::move(message)); }
  void warning(std::string field, int line, std::string message) {
    add(Severity::Warning, std::move(field), line, std::move(message));
  }
  void notice(std::string field, int line, std::string message) {
    add(Severity::Notice, std::move(field), line, std::move(message));
  }

  Object& object() { return object_; }

  /// A regular expression of the object's, good but for its size.
  void noteRegex(const Path& path, uint32_t steps);
  RegexSize takeLargestRegex() { return std::move(largest_regex_); }

 private:
  friend class Part;
  void add(Severity severity, std::string field, int line, std::string message);

  Object& object_;
  Part* part_ = nullptr;
  RegexSize largest_regex_;
};

/// While it lives, what would refuse the object spoils only the part that is being read. Parts may stand in one another.
class Part {
 public:
  explicit Part(Report& report) : report_(report), outer_(std::exchange(report.part_, this)) {}
  ~Part() { report_.part_ = outer_; }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  /// Nothing was wrong so far.
  bool good() const { return good_; }

 private:
  friend class Report;
  Report& report_;
  Part* outer_;
  bool good_ = true;
};

/// A field that a parser asked for, whether or not it was there.
struct Asked {
  std::string path;
  std::vector<std::string> choices;  // where it is one of these
};
/// While it is set, told of all that parsers on this thread ask for: tests hold them to the schemas by it.
inline thread_local std::vector<Asked>* asked = nullptr;

/// Types that a field we do not act on may have.
enum Accept : uint8_t { kText = 1, kBool = 2, kWhole = 4, kList = 8, kMap = 16 };

/// The fields of one map. A null value is an absent field. Wrong types and bad text refuse the object; the
/// target of the read then stays as it was.
class Fields {
 public:
  /// `value`: the map; null pointer or Null: there are no fields. Refuses the object when it is anything else.
  Fields(Report& report, const manifest::Value* value, const Path& path);
  Fields(const Fields&) = delete;
  Fields& operator=(const Fields&) = delete;

  /// Knows the field; null pointer when absent.
  const manifest::Value* take(std::string_view name);
  bool has(std::string_view name) const { return find(name) != nullptr; }
  bool empty() const { return map_ == nullptr || map_->empty(); }
  Path path(std::string_view name) const { return Path(&path_, name); }
  Report& report() { return report_; }

  /// True when the field is there and right.
  bool read(std::string_view name, std::string& out);
  /// As Go's omitempty strings: "" is absent.
  bool read(std::string_view name, std::optional<std::string>& out);
  bool read(std::string_view name, bool& out);
  bool read(std::string_view name, std::optional<bool>& out);
  bool read(std::string_view name, std::vector<std::string>& out);
  bool read(std::string_view name, int64_t& out, int64_t min = INT64_MIN, int64_t max = INT64_MAX);
  bool read(std::string_view name, std::optional<int64_t>& out);
  bool readMs(std::string_view name, std::optional<int64_t>& out, int64_t min = 0);
  /// A text such as "1m30s" → milliseconds.
  bool readDuration(std::string_view name, std::optional<int64_t>& out, int64_t min = 0);
  /// Index into `choices`, or -1 when absent or wrong.
  int readChoice(std::string_view name, std::span<const std::string_view> choices, bool any_case = false);

  /// Refuses the object when the field is absent. True when it is there.
  bool require(std::string_view name, std::string_view why);
  /// A field that this version does not act on: its type is checked and one warning given.
  void ignore(std::string_view name, int accept);
  /// A field without any effect, here as upstream.
  void accept(std::string_view name) { take(name); }
  /// A field that may be written in two ways; the name that is used (`name` where neither or both are).
  std::string_view alias(std::string_view name, std::string_view other);
  /// Warn about every field that was not asked for. Call once, last.
  void finish();

  void refuse(std::string_view name, std::string message);
  void error(std::string_view name, std::string message);
  void warning(std::string_view name, std::string message);
  void notice(std::string_view name, std::string message);

 private:
  const manifest::Value* find(std::string_view name) const;
  bool checkText(std::string_view name, const manifest::Value& value);
  void wrongType(std::string_view name, const manifest::Value& value, std::string_view expected, const std::string& cure = {});
  int lineOf(std::string_view name) const;
  std::string nearest(std::string_view name) const;

  Report& report_;
  const std::vector<manifest::Value::Entry>* map_ = nullptr;
  Path path_;
  int line_ = 0;
  /// Every name asked for so far; with what is left over they tell unknown fields and what was meant.
  std::array<std::string_view, 96> known_;
  size_t known_count_ = 0;
};

/// One text, as Fields::read checks it; for items of lists and values of maps. False after refusing the object.
bool readText(Report& report, const manifest::Value& value, const Path& path, std::string& out);
/// The whole number in `value` (3.0 is one); nothing when it is none.
std::optional<int64_t> wholeNumber(const manifest::Value& value);

}  // namespace emissary::model
