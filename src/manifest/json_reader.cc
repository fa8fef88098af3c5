#include "manifest/json_reader.h"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

namespace emissary::manifest {
namespace {

struct Position {
  const char* next;
  const char* end;
  int line = 1;
  /// A line end was read: the next character is on the next line. The lexer reads one character past a number.
  bool line_ended = false;
};

/// Reads characters for the lexer; all copies share one position.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator() = default;
  explicit CountingIterator(Position* position) : position_(position) {}

  reference operator*() const { return *position_->next; }
  CountingIterator& operator++() {
    if (position_->line_ended) ++position_->line;
    position_->line_ended = *position_->next == '\n';
    ++position_->next;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const CountingIterator& a, const CountingIterator& b) { return a.atEnd() == b.atEnd(); }

 private:
  bool atEnd() const { return position_ == nullptr || position_->next == position_->end; }

  Position* position_ = nullptr;
};

/// The SAX events, each with the line at which the lexer stands.
struct Handler {
  using Json = nlohmann::json;

  const Position& position;
  TreeBuilder& builder;
  std::string syntax_error;

  Value at(Value::Type type) const {
    Value value;
    value.type = type;
    value.line = position.line;
    return value;
  }
  bool null() { return builder.scalar(at(Value::Type::Null)); }
  bool boolean(bool flag) {
    Value value = at(Value::Type::Bool);
    value.boolean = flag;
    return builder.scalar(std::move(value));
  }
  bool number_integer(Json::number_integer_t number) {
    Value value = at(Value::Type::Int);
    value.integer = number;
    return builder.scalar(std::move(value));
  }
  bool number_unsigned(Json::number_unsigned_t number) {
    if (number <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return number_integer(static_cast<int64_t>(number));
    return number_float(static_cast<double>(number), {});
  }
  bool number_float(Json::number_float_t number, const std::string&) {
    Value value = at(Value::Type::Double);
    value.number = number;
    return builder.scalar(std::move(value));
  }
  bool string(std::string& text) {
    Value value = at(Value::Type::String);
    value.string = std::move(text);
    return builder.scalar(std::move(value));
  }
  bool key(std::string& text) { return string(text); }
  bool binary(Json::binary_t&) { return false; }
  bool start_object(size_t) { return builder.open(Value::Type::Map, position.line); }
  bool end_object() { return builder.close(); }
  bool start_array(size_t) { return builder.open(Value::Type::List, position.line); }
  bool end_array() { return builder.close(); }
  template <typename Exception>
  bool parse_error(size_t, const std::string& token, const Exception& problem) {
    // "[json.exception.parse_error.101] parse error at line 1, column 5: syntax error …": its position counts each document anew,
    // and the last token read may hold what must not be shown.
    const std::string_view what = problem.what();
    const size_t expected = what.rfind("; expected ");
    syntax_error = expected == std::string_view::npos ? "syntax error" : std::string(what.substr(expected + 2));
    return false;
  }
};

void skipSpace(Position& position) {
  while (position.next != position.end && std::string_view(" \t\r\n").find(*position.next) != std::string_view::npos) {
    CountingIterator(&position).operator++();
  }
}

}  // namespace

std::optional<ParseError> readJson(std::string_view text, TreeBuilder& builder) {
  Position position{text.data(), text.data() + text.size()};
  for (skipSpace(position); position.next != position.end; skipSpace(position)) {
    if (*position.next != '{' && *position.next != '[') {
      return ParseError{position.line + position.line_ended, "not valid JSON: text after the end of a document"};
    }
    Handler handler{position, builder, {}};
    if (!nlohmann::json::sax_parse(CountingIterator(&position), CountingIterator(), &handler, nlohmann::json::input_format_t::json,
                                   /*strict=*/false)) {
      if (builder.error()) return std::nullopt;
      return ParseError{position.line, fmt::format("not valid JSON: {}", handler.syntax_error)};
    }
    builder.endDocument();
  }
  return std::nullopt;
}

}  // namespace emissary::manifest
