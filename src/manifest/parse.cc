#include "manifest/parse.h"

#include <fmt/format.h>

#include <utility>

#include "manifest/json_reader.h"
#include "manifest/tree_builder.h"
#include "manifest/yaml_reader.h"

namespace emissary::manifest {
namespace {

bool maybeJson(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
}

}  // namespace

ParseResult parse(std::string_view text, const Limits& limits) {
  ParseResult result;
  if (text.size() > limits.max_bytes) {
    result.error =
        ParseError{0, fmt::format("{} bytes, more than the {} that are read; split the file", text.size(), limits.max_bytes)};
    return result;
  }
  std::optional<ParseError> no_json;
  if (maybeJson(text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text)) {
    TreeBuilder builder(limits);
    no_json = readJson(text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text, builder);
    if (!no_json) {
      result.error = builder.error();
      if (!result.error) result.documents = builder.takeDocuments();
      return result;
    }
  }
  TreeBuilder builder(limits);
  if (readYaml(text, builder)) {
    result.documents = builder.takeDocuments();
    return result;
  }
  result.error = builder.error();
  // Neither JSON nor YAML in flow style: the reading that got further is what was meant.
  if (no_json && no_json->line > result.error->line) result.error = std::move(no_json);
  return result;
}

}  // namespace emissary::manifest
