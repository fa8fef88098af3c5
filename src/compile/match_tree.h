#pragma once
// A long list of routes, cut into short ones by the beginning of the path: a tree of one level, whose keys are path prefixes. A
// request is answered from the list of the longest key that its path begins with, and from no other. So each list holds, in the
// order of the whole, every route that some path with this longest key could match.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/ir.h"

namespace emissary::compile {

/// What the paths that a route takes have in common.
struct PathReach {
  /// Every such path begins with this; "" says nothing. In lower case if `ignore_case`. Only what may stand in a key: printable
  /// ASCII, no query.
  std::string beginning;
  /// `beginning` decides which key's list the route is in: no path that it takes has a longer key.
  bool whole = false;
  /// `beginning` holds in any case of its letters.
  bool ignore_case = false;
};

PathReach pathReach(const ir::Match& match);
PathReach prefixReach(std::string_view prefix);

/// One entry of the order: some routes of Envoy's with the same path.
struct PathRoutes {
  const PathReach* reach = nullptr;
  size_t count = 1;
};

struct MatchTree {
  struct List {
    std::string key;
    /// Indices into what was given, ascending.
    std::vector<uint32_t> routes;
  };
  /// By key. The first has the key "": it is for what begins with no other key. Empty: better left as it is.
  std::vector<List> lists;
};

/// A function of the order of the routes and nothing else. At most `limit` routes stay one list, and so does what would more than
/// double by being cut (such as a table of regular expressions) or not get much shorter (many routes for one path).
MatchTree matchTree(std::span<const PathRoutes> routes, size_t limit);

}  // namespace emissary::compile
