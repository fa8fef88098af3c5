#include "compile/match_tree.h"

#include <re2/re2.h>

#include <algorithm>
#include <numeric>
#include <string_view>

#include "base/lower.h"

namespace emissary::compile {
namespace {

using Texts = std::vector<std::string_view>;

/// Keys longer than this gain nothing, and every copy of one costs.
constexpr size_t kMaxKey = 256;

// Envoy looks keys up in the path with its query, but routes are compared without: a key must end before. Keys are protobuf
// strings, so they must be UTF-8, whole characters of it.
size_t keyLength(std::string_view text) {
  size_t length = 0;
  while (length < std::min(text.size(), kMaxKey) && text[length] > ' ' && text[length] < 0x7f && text[length] != '?' &&
         text[length] != '#') {
    ++length;
  }
  return length;
}

size_t commonLength(std::string_view a, std::string_view b) {
  return static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

// All texts from `low` to `high` in byte order begin as both of these do.
std::string regexBeginning(const std::string& pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  const re2::RE2 regex("^(?:" + pattern + ")", options);
  std::string low, high;
  if (!regex.ok() || !regex.PossibleMatchRange(&low, &high, kMaxKey)) return {};
  low.resize(commonLength(low, high));
  return low;
}

PathReach cut(std::string_view text, bool whole, bool ignore_case) {
  text = text.substr(0, keyLength(text));
  return {ignore_case ? lower(text) : std::string(text), whole, ignore_case};
}

// ------------------------------------------------------------------ keys

/// Chooses keys: walks the trie of sorted texts from its leaves up; where more than `most` routes would stay in one list, the
/// subtrees that hold most of them get lists of their own.
class KeyChooser {
 public:
  KeyChooser(const Texts& texts, const std::vector<size_t>& counts, const std::vector<size_t>& common, size_t most)
      : texts_(texts), counts_(counts), common_(common), most_(most) {}

  Texts choose() {
    path_.push_back({});
    for (size_t i = 0; i < texts_.size(); ++i) {
      closeBelow(common_[i]);
      if (path_.back().length < texts_[i].size()) path_.push_back({texts_[i].size(), i});
      path_.back().routes += counts_[i];
    }
    closeBelow(0);
    settle(path_.back());
    std::sort(keys_.begin(), keys_.end());
    return std::move(keys_);
  }

 private:
  struct Subtree {
    size_t routes = 0;  // without those below a key
    std::string_view text;
  };
  struct Node {
    size_t length = 0;
    size_t text = 0;  // one that passes through it
    size_t routes = 0;
    std::vector<Subtree> below;
  };

  void closeBelow(size_t length) {
    while (path_.back().length > length) {
      Node node = std::move(path_.back());
      path_.pop_back();
      settle(node);
      if (path_.back().length < length) path_.push_back({length, node.text});
      path_.back().below.push_back({node.routes, texts_[node.text].substr(0, node.length)});
    }
  }

  void settle(Node& node) {
    for (const Subtree& child : node.below) node.routes += child.routes;
    if (node.routes <= most_) return;
    std::stable_sort(node.below.begin(), node.below.end(), [](const Subtree& a, const Subtree& b) { return a.routes > b.routes; });
    for (const Subtree& child : node.below) {
      if (node.routes <= most_ || child.routes == 0) break;
      keys_.push_back(child.text);
      node.routes -= child.routes;
    }
  }

  const Texts& texts_;
  const std::vector<size_t>& counts_;
  const std::vector<size_t>& common_;
  const size_t most_;
  std::vector<Node> path_;
  Texts keys_;
};

// ------------------------------------------------------------------ lists

/// Where a text stands among sorted keys: the longest key that it begins with, and the keys that begin with it and are longer.
struct Place {
  uint32_t home = 0;
  uint32_t first = 0;
  uint32_t last = 0;
};

/// Sorted keys, the first of them "", asked for texts in ascending order.
class KeyIndex {
 public:
  explicit KeyIndex(Texts keys) : keys_(std::move(keys)), parents_(keys_.size()) {
    for (uint32_t i = 1; i < keys_.size(); ++i) parents_[i] = beginningOf(keys_[i], i - 1);
  }

  uint32_t parent(uint32_t key) const { return parents_[key]; }

  Place place(std::string_view text) {
    while (next_ < keys_.size() && keys_[next_] <= text) ++next_;
    Place place{beginningOf(text, next_ - 1), next_, next_};
    while (place.last < keys_.size() && keys_[place.last].starts_with(text)) ++place.last;
    return place;
  }

 private:
  uint32_t beginningOf(std::string_view text, uint32_t key) const {
    while (!text.starts_with(keys_[key])) key = parents_[key];
    return key;
  }

  Texts keys_;
  std::vector<uint32_t> parents_;
  uint32_t next_ = 1;
};

/// What a route's paths begin with.
struct Text {
  std::string_view beginning;
  uint32_t route = 0;
};

// Sorts. Routes of equal length come in descending order of their paths: reversed, that makes few and long ascending runs.
void mergeRuns(std::vector<Text>& texts) {
  const auto less = [](const Text& a, const Text& b) { return a.beginning < b.beginning; };
  std::vector<ptrdiff_t> ends;  // of runs
  for (auto end = texts.begin(); end != texts.end(); ends.push_back(end - texts.begin())) {
    end = std::is_sorted_until(end, texts.end(), less);
  }
  std::vector<Text> merged;
  while (ends.size() > 1) {
    merged.clear();
    merged.reserve(texts.size());
    ptrdiff_t from = 0;
    size_t kept = 0;
    for (size_t i = 0; i < ends.size(); i += 2) {
      const ptrdiff_t middle = ends[i], to = ends[std::min(i + 1, ends.size() - 1)];
      std::merge(texts.begin() + from, texts.begin() + middle, texts.begin() + middle, texts.begin() + to,
                 std::back_inserter(merged), less);
      ends[kept++] = from = to;
    }
    ends.resize(kept);
    texts.swap(merged);
  }
}

class Cutter {
 public:
  explicit Cutter(std::span<const PathRoutes> routes) : routes_(routes), places_(routes.size()) {
    for (const PathRoutes& route : routes) total_ += route.count;
  }

  size_t total() const { return total_; }

  MatchTree cut(size_t limit) {
    sort();
    for (size_t most = limit / 2; most < total_; most = most * 2 + 1) {
      Texts keys = KeyChooser(texts_, counts_, common_, most).choose();
      if (keys.empty()) return {};
      keys.insert(keys.begin(), "");
      if (placeAll(keys) > 2 * total_) continue;
      MatchTree tree = lists(keys);
      return worthwhile(tree) ? tree : MatchTree{};
    }
    return {};
  }

 private:
  void sort() {
    for (auto i = static_cast<uint32_t>(routes_.size()); i-- > 0;) {
      const PathReach& reach = *routes_[i].reach;
      (reach.ignore_case ? any_case_ : exact_case_).push_back({reach.beginning, i});
    }
    mergeRuns(exact_case_);
    mergeRuns(any_case_);
    for (const Text& text : exact_case_) {
      if (text.beginning.empty()) continue;  // in every list, whatever the keys
      common_.push_back(texts_.empty() ? 0 : commonLength(texts_.back(), text.beginning));
      texts_.push_back(text.beginning);
      counts_.push_back(routes_[text.route].count);
    }
  }

  // Where each route belongs; how long all lists are together.
  size_t placeAll(const Texts& keys) {
    size_t sum = 0;
    KeyIndex index(keys);
    for (const auto& [beginning, i] : exact_case_) {
      Place& place = places_[i] = index.place(beginning);
      if (routes_[i].reach->whole) place.last = place.first;
      sum += routes_[i].count * (1 + place.last - place.first);
    }
    placeAnyCase(keys, sum);
    return sum;
  }

  // A key may begin with one spelling of the text and a path with another: then the path has a shorter key.
  void placeAnyCase(const Texts& keys, size_t& sum) {
    lower_keys_.clear();
    if (any_case_.empty()) return;
    for (const std::string_view key : keys) lower_keys_.push_back(lower(key));
    lower_order_.resize(keys.size());
    std::iota(lower_order_.begin(), lower_order_.end(), 0);
    std::stable_sort(lower_order_.begin(), lower_order_.end(),
                     [&](uint32_t a, uint32_t b) { return lower_keys_[a] < lower_keys_[b]; });
    Texts sorted;
    for (const uint32_t key : lower_order_) sorted.push_back(lower_keys_[key]);
    KeyIndex index(std::move(sorted));
    for (const auto& [beginning, i] : any_case_) {
      Place& place = places_[i] = index.place(beginning);
      if (routes_[i].reach->whole) place.last = place.first;
      size_t lists = 1 + place.last - place.first;
      for (uint32_t key = place.home; key != 0; key = index.parent(key)) ++lists;
      sum += routes_[i].count * lists;
    }
    lower_parents_.resize(keys.size());
    for (uint32_t key = 0; key < keys.size(); ++key) lower_parents_[key] = index.parent(key);
  }

  // Does it halve what a request for a route, any of them, looks through?
  bool worthwhile(const MatchTree& tree) const {
    size_t sum = 0, squares = 0;
    for (const MatchTree::List& list : tree.lists) {
      size_t length = 0;
      for (const uint32_t i : list.routes) length += routes_[i].count;
      sum += length;
      squares += length * length;
    }
    return 2 * squares <= sum * total_;
  }

  MatchTree lists(const Texts& keys) const {
    MatchTree tree;
    tree.lists.reserve(keys.size());
    for (const std::string_view key : keys) tree.lists.push_back({std::string(key), {}});
    for (uint32_t i = 0; i < routes_.size(); ++i) {
      const Place& place = places_[i];
      if (!routes_[i].reach->ignore_case) {
        tree.lists[place.home].routes.push_back(i);
        for (uint32_t key = place.first; key < place.last; ++key) tree.lists[key].routes.push_back(i);
        continue;
      }
      tree.lists[0].routes.push_back(i);
      for (uint32_t key = place.home; key != 0; key = lower_parents_[key]) tree.lists[lower_order_[key]].routes.push_back(i);
      for (uint32_t key = place.first; key < place.last; ++key) tree.lists[lower_order_[key]].routes.push_back(i);
    }
    return tree;
  }

  const std::span<const PathRoutes> routes_;
  std::vector<Place> places_;
  size_t total_ = 0;
  std::vector<Text> exact_case_, any_case_;  // sorted
  Texts texts_;                              // of exact_case_, those that say something
  std::vector<size_t> counts_, common_;      // and with the text before
  std::vector<std::string> lower_keys_;
  std::vector<uint32_t> lower_order_, lower_parents_;
};

}  // namespace

PathReach pathReach(const ir::Match& match) {
  if (match.path_kind == ir::PathMatch::Regex) return cut(regexBeginning(match.path), false, false);
  return cut(match.path, match.path_kind == ir::PathMatch::Exact, !match.case_sensitive);
}

PathReach prefixReach(std::string_view prefix) { return cut(prefix, false, false); }

MatchTree matchTree(std::span<const PathRoutes> routes, size_t limit) {
  Cutter cutter(routes);
  return cutter.total() <= limit ? MatchTree{} : cutter.cut(limit);
}

}  // namespace emissary::compile
