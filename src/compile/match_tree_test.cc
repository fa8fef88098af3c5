// The tree against a linear search: for whatever path, the list under its longest key must hold what the whole list holds for it.

#include "compile/match_tree.h"
#include "base/lower.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <re2/re2.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <random>

namespace emissary::compile {
namespace {

/// As Envoy does: without query and fragment; a regular expression matches the whole path and knows its own case.
bool matches(const ir::Match& match, const RE2* regex, const std::string& path) {
  if (regex) return RE2::FullMatch(path, *regex);
  const std::string text = match.case_sensitive ? match.path : lower(match.path);
  const std::string given = match.case_sensitive ? path : lower(path);
  return match.path_kind == ir::PathMatch::Exact ? given == text : given.starts_with(text);
}

struct Table {
  std::vector<ir::Match> matches;
  std::vector<PathReach> reaches;
  std::vector<size_t> counts;
  std::vector<std::unique_ptr<RE2>> regexes;  // null for other kinds

  std::vector<uint32_t> matching(const std::string& target) const {
    const std::string path = target.substr(0, target.find_first_of("?#"));
    std::vector<uint32_t> out;
    for (uint32_t i = 0; i < matches.size(); ++i) {
      if (compile::matches(matches[i], regexes[i].get(), path)) out.push_back(i);
    }
    return out;
  }

  void add(ir::PathMatch kind, const std::string& path, bool case_sensitive = true, size_t count = 1) {
    ir::Match match;
    match.path_kind = kind;
    match.path = path;
    match.case_sensitive = case_sensitive;
    reaches.push_back(pathReach(match));
    matches.push_back(std::move(match));
    regexes.push_back(kind == ir::PathMatch::Regex ? std::make_unique<RE2>(path) : nullptr);
    counts.push_back(count);
  }
  void addPrefix(const std::string& path) { add(ir::PathMatch::Prefix, path); }

  MatchTree tree(size_t limit) const {
    std::vector<PathRoutes> routes;
    for (size_t i = 0; i < reaches.size(); ++i) routes.push_back({&reaches[i], counts[i]});
    return matchTree(routes, limit);
  }
  size_t total() const { return std::accumulate(counts.begin(), counts.end(), size_t{0}); }
};

const MatchTree::List& lookUp(const MatchTree& tree, const std::string& path) {
  const MatchTree::List* found = &tree.lists[0];
  for (const MatchTree::List& list : tree.lists) {
    if (path.starts_with(list.key) && list.key.size() > found->key.size()) found = &list;
  }
  return *found;
}

size_t longest(const MatchTree& tree) {
  size_t longest = 0;
  for (const MatchTree::List& list : tree.lists) longest = std::max(longest, list.routes.size());
  return longest;
}

size_t total(const MatchTree& tree, const Table& table) {
  size_t total = 0;
  for (const MatchTree::List& list : tree.lists) {
    for (const uint32_t i : list.routes) total += table.counts[i];
  }
  return total;
}

class Random {
 public:
  explicit Random(uint32_t seed) : random_(seed) {}

  template <size_t N>
  std::string pick(const char* const (&pool)[N]) {
    return pool[random_() % N];
  }
  uint32_t below(uint32_t bound) { return random_() % bound; }

  std::string path(uint32_t parts) {
    static constexpr const char* kParts[] = {"a",  "A",   "b",   "ab", "aB",  "/",        "/",  "/",
                                             "//", "%2f", "%2F", "..", "a.b", "\xc3\xa4", "-1", "*"};
    std::string out = below(20) == 0 ? "" : "/";
    for (uint32_t i = below(parts + 1); i > 0; --i) out += pick(kParts);
    return out;
  }
  std::string target() {
    static constexpr const char* kTails[] = {"", "", "", "", "?", "?x=/a/b", "#f", "#/a", "?a#b"};
    return path(7) + pick(kTails);
  }
  std::string regex() {
    static constexpr const char* kParts[] = {"/a",    "/",        "a",      "b",     "A",    "[ab]",    ".",          ".*",
                                             "(a|b)", "|",        "|/a",    "a?",    "b*",   "(/a)+",   "(?i)a",      "(?i:b)",
                                             "^",     "$",        "\\.",    "\\?",   "a{2}", "/a{0,2}", "(?:/ab|/b)", "\\Q.a\\E",
                                             "[^/]*", "\xc3\xa4", "(?s:.)", "\\x41", "()",   "\\b",     "#"};
    std::string out = below(4) == 0 ? "" : "/";
    for (uint32_t i = below(6); i > 0; --i) out += pick(kParts);
    re2::RE2::Options quiet;
    quiet.set_log_errors(false);
    return RE2(out, quiet).ok() ? out : "/a.*";
  }

 private:
  std::mt19937 random_;
};

class MatchTreeProperty : public ::testing::TestWithParam<uint32_t> {};

TEST_P(MatchTreeProperty, TheListOfTheLongestKeyHoldsAllThatMatch) {
  Random random(GetParam());
  size_t trees = 0;
  for (int round = 0; round < 40; ++round) {
    Table table;
    const uint32_t regexes = random.below(3) == 0 ? 30 : 8, any_case = random.below(2) == 0 ? 20 : 5;
    for (uint32_t i = 5 + random.below(60); i > 0; --i) {
      const bool case_sensitive = random.below(100) >= any_case;
      if (random.below(100) < regexes) table.add(ir::PathMatch::Regex, random.regex(), case_sensitive, random.below(4));
      else
        table.add(random.below(4) ? ir::PathMatch::Prefix : ir::PathMatch::Exact, random.path(6), case_sensitive,
                  1 + random.below(2));
    }
    const MatchTree tree = table.tree(random.below(8));
    if (tree.lists.empty()) continue;
    ++trees;
    EXPECT_LE(total(tree, table), 2 * table.total());
    EXPECT_EQ(tree.lists[0].key, "");
    for (size_t i = 1; i < tree.lists.size(); ++i) {
      EXPECT_LT(tree.lists[i - 1].key, tree.lists[i].key);
      EXPECT_EQ(tree.lists[i].key.find_first_of("?#\xc3\xa4"), std::string::npos);
      EXPECT_TRUE(std::is_sorted(tree.lists[i].routes.begin(), tree.lists[i].routes.end(), std::less_equal<>()));
    }
    for (int request = 0; request < 100; ++request) {
      const std::string target = random.target();
      const MatchTree::List& list = lookUp(tree, target);
      const std::vector<uint32_t> matching = table.matching(target);
      ASSERT_TRUE(std::includes(list.routes.begin(), list.routes.end(), matching.begin(), matching.end()))
          << target << " under the key \"" << list.key << "\" misses one of " << ::testing::PrintToString(matching);
    }
  }
  EXPECT_GT(trees, 10u);  // or the above says little
}

INSTANTIATE_TEST_SUITE_P(Seeds, MatchTreeProperty, ::testing::Range(1u, 13u));

TEST(MatchTree, AShortListStaysOne) {
  Table table;
  for (int i = 0; i < 64; ++i) table.addPrefix(fmt::format("/p{}/", i));
  EXPECT_TRUE(table.tree(64).lists.empty());
  table.addPrefix("/one-more/");
  EXPECT_FALSE(table.tree(64).lists.empty());
}

TEST(MatchTree, CanaryLegsCount) {
  Table table;
  for (int i = 0; i < 30; ++i) table.add(ir::PathMatch::Prefix, fmt::format("/p{}/", i), true, 3);
  EXPECT_FALSE(table.tree(64).lists.empty());
}

TEST(MatchTree, RealisticTablesGetShortLists) {
  Table flat, services, shared, words;
  for (int i = 0; i < 10000; ++i) {
    flat.addPrefix(fmt::format("/svc-{:05}/", i));
    services.addPrefix(fmt::format("/api/v{}/service{}/", i % 3, i / 3));
    shared.addPrefix(fmt::format("/api/{}", i));
    words.addPrefix(fmt::format("/{:x}/", static_cast<uint32_t>(i) * 2654435761u));
  }
  for (Table* table : {&flat, &services, &shared, &words}) {
    table->addPrefix("/api/");
    table->addPrefix("/");
    table->add(ir::PathMatch::Regex, "/[a-z]+/health");
    const MatchTree tree = table->tree(64);
    EXPECT_LE(longest(tree), 100u);
    EXPECT_GE(tree.lists.size(), 100u);
    EXPECT_LE(tree.lists.size(), 1000u);
    EXPECT_LE(total(tree, *table), 2 * table->total());
  }
}

TEST(MatchTree, MoreThatAppliesEverywhereMakesLongerLists) {
  Table table;
  for (int i = 0; i < 10000; ++i) table.addPrefix(fmt::format("/svc-{:05}/", i));
  for (int i = 0; i < 60; ++i) table.add(ir::PathMatch::Regex, fmt::format(".*/tail{}", i));
  const MatchTree tree = table.tree(64);
  ASSERT_FALSE(tree.lists.empty());
  EXPECT_LE(total(tree, table), 2 * table.total());
  EXPECT_LE(longest(tree), 600u);
}

TEST(MatchTree, WhatCannotBeCutStaysAList) {
  Table regexes, same, any_case, nested;
  for (int i = 0; i < 500; ++i) {
    regexes.add(ir::PathMatch::Regex, fmt::format(".*/x{}", i));
    same.addPrefix("/");  // told apart by headers
    any_case.add(ir::PathMatch::Prefix, fmt::format("/svc{}/", i), false);
    nested.addPrefix(std::string(static_cast<size_t>(i) + 1, '/'));
  }
  for (const Table* table : {&regexes, &same, &any_case}) EXPECT_TRUE(table->tree(64).lists.empty());
  const MatchTree tree = nested.tree(64);
  EXPECT_LE(total(tree, nested), 2 * nested.total());
}

TEST(MatchTree, ReachOfARegularExpression) {
  const auto beginning = [](const std::string& pattern) {
    ir::Match match;
    match.path_kind = ir::PathMatch::Regex;
    match.path = pattern;
    return pathReach(match).beginning;
  };
  EXPECT_EQ(beginning("/api/v1/.*"), "/api/v1/");
  EXPECT_EQ(beginning("^/api/v1/.*$"), "/api/v1/");
  EXPECT_EQ(beginning("/a\\.b/[0-9]+"), "/a.b/");
  EXPECT_EQ(beginning("/api/(users|units)/.*"), "/api/u");
  EXPECT_EQ(beginning("/a/.*|/b/.*"), "/");
  EXPECT_EQ(beginning("/a|"), "");
  EXPECT_EQ(beginning("/ab?"), "/a");
  EXPECT_EQ(beginning("(?i)/api/.*"), "/");
  EXPECT_EQ(beginning(".*/x"), "");
  EXPECT_EQ(beginning("/a\\?b"), "/a");
}

TEST(MatchTree, LongTextsMakeShortKeys) {
  Table table;
  const std::string deep = "/" + std::string(100000, 'x');
  for (int i = 0; i < 200; ++i) table.addPrefix(deep + std::to_string(i));
  for (int i = 0; i < 200; ++i) table.addPrefix(fmt::format("/p{}/", i));
  const MatchTree tree = table.tree(64);
  ASSERT_FALSE(tree.lists.empty());
  for (const MatchTree::List& list : tree.lists) EXPECT_LE(list.key.size(), 256u);
}

}  // namespace
}  // namespace emissary::compile
