#pragma once
// YAML and JSON text to documents, as kubectl reads them: YAML 1.1 scalars (yes/on/y are booleans), the last of
// duplicate keys wins, anchors, aliases and merge keys ("<<") work. Hostile input is bounded by Limits: depth, number of nodes
// after expansion of aliases, size of the text.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/value.h"

namespace emissary::manifest {

struct Limits {
  size_t max_bytes = 64u << 20;
  size_t max_nodes = 4'000'000;  // after alias expansion
  int max_depth = 64;
};

struct ParseError {
  int line = 0;
  std::string message;
};

struct ParseResult {
  /// All documents that are not empty. Meaningless when `error` is set.
  std::vector<Value> documents;
  std::optional<ParseError> error;
};

/// `text` is JSON when its first character other than white space is '{' or '[' and it parses as JSON; else YAML.
/// Several JSON values one after another are several documents.
ParseResult parse(std::string_view text, const Limits& limits = {});

}  // namespace emissary::manifest
