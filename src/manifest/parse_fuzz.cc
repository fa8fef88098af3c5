// libFuzzer: no text makes the parser crash, hang or break its limits, and a tree's canonical text is stable.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "manifest/parse.h"

namespace {

using emissary::manifest::Value;

size_t countNodes(const Value& value, int depth, int max_depth) {
  const bool container = value.isMap() || value.isList();
  if (container && depth >= max_depth) std::abort();
  size_t nodes = 1;
  for (const Value& item : value.list) nodes += countNodes(item, depth + 1, max_depth);
  for (const Value::Entry& entry : value.map) nodes += countNodes(entry.second, depth + 1, max_depth);
  return nodes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  emissary::manifest::Limits limits;
  limits.max_nodes = 5'000;
  limits.max_depth = 16;
  const auto first = emissary::manifest::parse(text, limits);
  const auto second = emissary::manifest::parse(text, limits);
  if (first.error.has_value() != second.error.has_value()) std::abort();
  if (first.error) {
    if (first.error->message.empty() || first.error->line < 0) std::abort();
    return 0;
  }
  size_t nodes = 0;
  for (size_t i = 0; i < first.documents.size(); ++i) {
    nodes += countNodes(first.documents[i], 0, limits.max_depth);
    if (first.documents[i].isNull()) std::abort();
    if (first.documents[i].canonical() != second.documents[i].canonical()) std::abort();
  }
  if (nodes > limits.max_nodes) std::abort();
  return 0;
}
