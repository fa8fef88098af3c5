#include "manifest/yaml_reader.h"

#include <fmt/format.h>
#include <yaml.h>

#include <algorithm>
#include <string>

#include "manifest/scalar.h"

namespace emissary::manifest {
namespace {

struct Parser {
  explicit Parser(std::string_view text) : ok(yaml_parser_initialize(&parser) != 0) {
    if (ok) yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  ~Parser() { yaml_parser_delete(&parser); }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  yaml_parser_t parser;
  bool ok;
};

struct Event {
  Event() = default;
  ~Event() { yaml_event_delete(&event); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  yaml_event_t event{};
};

std::string_view view(const yaml_char_t* text) { return text == nullptr ? "" : reinterpret_cast<const char*>(text); }

/// libyaml's terse words, with what usually is the cause.
std::string explain(std::string_view problem) {
  struct Row {
    std::string_view problem;
    std::string_view cure;
  };
  constexpr Row kRows[] = {
      {"mapping values are not allowed in this context", "check the indentation, or quote a text that holds ': '"},
      {"did not find expected key", "check the indentation of this line and of the lines above"},
      {"could not find expected ':'", "each line of a map needs 'key: value'; check the lines above"},
      {"did not find expected '-' indicator", "check the indentation: a list item must align with the ones above"},
      {"found character that cannot start any token", "indent with spaces, not tabs, and quote a text that starts with @, ` or %"},
      {"found a tab character that violates indentation", "indent with spaces"},
      {"found unexpected end of stream", "a quote or bracket is not closed"},
      {"did not find expected ',' or '}'", "a brace is not closed, or a comma is missing"},
      {"did not find expected ',' or ']'", "a bracket is not closed, or a comma is missing"},
      {"did not find expected alphabetic or numeric character", "quote a text that starts with * or &"},
      {"control characters are not allowed", "remove the control character, or write it as \"\\x..\" in double quotes"},
  };
  for (const Row& row : kRows) {
    if (problem == row.problem) return fmt::format("not valid YAML: {}; {}", row.problem, row.cure);
  }
  return fmt::format("not valid YAML: {}", problem.empty() ? "cannot be read" : problem);
}

bool failed(const yaml_parser_t& parser, std::string_view text, TreeBuilder& builder) {
  int line = static_cast<int>(parser.problem_mark.line) + 1;
  if (parser.error == YAML_READER_ERROR) {  // has an offset, and no mark
    const size_t offset = std::min(parser.problem_offset, text.size());
    line = 1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n'));
  }
  std::string_view problem = parser.problem == nullptr ? "" : parser.problem;
  if (problem.find("UTF-") != std::string_view::npos || problem.find("trailing") != std::string_view::npos) {
    return builder.fail(line, fmt::format("the text is not UTF-8: {}", problem));
  }
  return builder.fail(line, explain(problem));
}

bool readScalar(const yaml_event_t& event, int line, TreeBuilder& builder) {
  const auto& scalar = event.data.scalar;
  const std::string_view text(reinterpret_cast<const char*>(scalar.value), scalar.length);
  const std::string_view tag = view(scalar.tag);
  const std::string_view anchor = view(scalar.anchor);
  if (builder.awaitsKey() && text == "<<" && (scalar.plain_implicit || tag == "tag:yaml.org,2002:merge")) {
    return builder.mergeKey(line);
  }
  std::optional<Value> value;
  if (!tag.empty()) {
    value = resolveTagged(tag, text);
    if (!value) return builder.fail(line, fmt::format("the value does not fit its tag {}; remove the tag", tag));
  } else if (scalar.plain_implicit) {
    value = resolvePlain(text);
  } else {
    value.emplace();
    value->type = Value::Type::String;
    value->string = text;
    value->block = scalar.style == YAML_LITERAL_SCALAR_STYLE;
  }
  value->line = line;
  return builder.scalar(*std::move(value), anchor);
}

}  // namespace

bool readYaml(std::string_view text, TreeBuilder& builder) {
  Parser reader(text);
  if (!reader.ok) return builder.fail(0, "out of memory");
  while (true) {
    Event holder;
    yaml_event_t& event = holder.event;
    if (yaml_parser_parse(&reader.parser, &event) == 0) return failed(reader.parser, text, builder);
    const int line = static_cast<int>(event.start_mark.line) + 1;
    bool ok = true;
    switch (event.type) {
      case YAML_STREAM_END_EVENT: return true;
      case YAML_DOCUMENT_END_EVENT: builder.endDocument(); break;
      case YAML_ALIAS_EVENT: ok = builder.alias(view(event.data.alias.anchor), line); break;
      case YAML_SCALAR_EVENT: ok = readScalar(event, line, builder); break;
      case YAML_SEQUENCE_START_EVENT: ok = builder.open(Value::Type::List, line, view(event.data.sequence_start.anchor)); break;
      case YAML_MAPPING_START_EVENT: ok = builder.open(Value::Type::Map, line, view(event.data.mapping_start.anchor)); break;
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT: ok = builder.close(); break;
      default: break;
    }
    if (!ok) return false;
  }
}

}  // namespace emissary::manifest
