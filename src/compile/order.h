#pragma once
// The order in which routes are tried. Upstream's, exactly: groups descend by
// [precedence, length of the path text, weight of the header matches, weight of the query matches, path text, header keys, query
// keys]; of equal ones the group made later (by the name of its first Mapping) comes first.

#include <compare>
#include <string>
#include <vector>

#include "ir/ir.h"

namespace emissary::compile {

struct SortKey {
  int64_t precedence = 0;
  size_t path_length = 0;  // characters, not bytes
  size_t header_weight = 0;
  size_t query_weight = 0;
  std::string path;
  std::vector<std::string> keys;  // "GET", header keys, query keys

  auto operator<=>(const SortKey&) const = default;
};

SortKey sortKey(const ir::Match& match);

/// The text objects are put in order by: `<name>.<namespace>`. Compared byte by byte.
std::string orderName(const ObjectRef& ref);

}  // namespace emissary::compile
