#include "manifest/tree_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "manifest/scalar.h"

namespace emissary::manifest {
namespace {

/// Of entries with one key the last stays. By sorting, so that no choice of keys makes it quadratic.
void dropDuplicates(std::vector<Value::Entry>& entries) {
  if (entries.size() < 2) return;
  std::vector<size_t> order(entries.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const int compared = entries[a].first.compare(entries[b].first);
    return compared != 0 ? compared < 0 : a < b;
  });
  std::vector<bool> superseded(entries.size());
  bool any = false;
  for (size_t i = 0; i + 1 < order.size(); ++i) {
    if (entries[order[i]].first == entries[order[i + 1]].first) superseded[order[i]] = any = true;
  }
  if (!any) return;
  size_t kept = 0;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (superseded[i]) continue;
    if (kept != i) entries[kept] = std::move(entries[i]);
    ++kept;
  }
  entries.resize(kept);
}

}  // namespace

bool TreeBuilder::fail(int line, std::string message) {
  if (!error_) error_ = ParseError{line, std::move(message)};
  return false;
}

bool TreeBuilder::awaitsKey() const { return !frames_.empty() && frames_.back().value.isMap() && !frames_.back().key; }

bool TreeBuilder::countNode(int line) {
  if (++nodes_ <= limits_.max_nodes) return true;
  return fail(line,
              fmt::format("more than {} values, aliases counted as often as they are used; split the file", limits_.max_nodes));
}

bool TreeBuilder::scalar(Value value, std::string_view anchor) {
  if (!countNode(value.line)) return false;
  return add(std::move(value), anchor);
}

bool TreeBuilder::add(Value value, std::string_view anchor) {
  if (!anchor.empty() && !remember(anchor, value)) return false;
  return awaitsKey() ? takeKey(value) : place(std::move(value));
}

bool TreeBuilder::takeKey(const Value& value) {
  Frame& frame = frames_.back();
  frame.key = keyText(value);
  frame.key_line = value.line;
  if (frame.key) return true;
  return fail(value.line, fmt::format("a {} cannot be a key; write a text before the ':'", typeName(value.type)));
}

bool TreeBuilder::mergeKey(int line) {
  if (!countNode(line)) return false;
  frames_.back().key = "<<";
  frames_.back().key_line = line;
  frames_.back().merging = true;
  return true;
}

bool TreeBuilder::place(Value value) {
  if (frames_.empty()) {
    root_ = std::move(value);
    return true;
  }
  Frame& frame = frames_.back();
  if (frame.value.isList()) {
    frame.value.list.push_back(std::move(value));
    return true;
  }
  value.line = frame.key_line;
  if (frame.merging) return merge(std::move(value));
  frame.value.map.emplace_back(*std::exchange(frame.key, std::nullopt), std::move(value));
  return true;
}

bool TreeBuilder::merge(Value value) {
  Frame& frame = frames_.back();
  frame.merging = false;
  frame.key.reset();
  const auto takeMap = [&frame](Value& map) { std::move(map.map.begin(), map.map.end(), std::back_inserter(frame.merged)); };
  if (value.isMap()) {
    takeMap(value);
    return true;
  }
  if (!value.isList()) return fail(value.line, fmt::format("'<<' needs a map or a list of maps, not a {}", typeName(value.type)));
  for (auto item = value.list.rbegin(); item != value.list.rend(); ++item) {  // earlier maps are stronger
    if (!item->isMap())
      return fail(value.line, fmt::format("'<<' needs a list of maps; one of them is a {}", typeName(item->type)));
    takeMap(*item);
  }
  return true;
}

bool TreeBuilder::open(Value::Type type, int line, std::string_view anchor) {
  if (!countNode(line)) return false;
  if (awaitsKey()) return fail(line, fmt::format("a {} cannot be a key; write a text before the ':'", typeName(type)));
  if (frames_.size() >= static_cast<size_t>(limits_.max_depth)) {
    return fail(line, fmt::format("nested more than {} levels deep", limits_.max_depth));
  }
  if (!anchor.empty()) anchors_[std::string(anchor)] = Anchored{};
  Frame frame;
  frame.value.type = type;
  frame.value.line = line;
  frame.anchor = anchor;
  frames_.push_back(std::move(frame));
  return true;
}

bool TreeBuilder::close() {
  Frame frame = std::move(frames_.back());
  frames_.pop_back();
  if (frame.value.isMap()) {
    if (!frame.merged.empty()) {
      std::move(frame.value.map.begin(), frame.value.map.end(), std::back_inserter(frame.merged));
      frame.value.map = std::move(frame.merged);
    }
    dropDuplicates(frame.value.map);
  }
  return add(std::move(frame.value), frame.anchor);
}

TreeBuilder::Size TreeBuilder::measure(const Value& value) {
  Size size{1, value.string.size(), value.isMap() || value.isList() ? 1 : 0};
  int below = 0;
  const auto include = [&](const Value& child) {
    const Size part = measure(child);
    size.nodes += part.nodes;
    size.bytes += part.bytes;
    below = std::max(below, part.depth);
  };
  for (const Value& item : value.list) include(item);
  for (const auto& [key, item] : value.map) {
    include(item);
    size.bytes += key.size();
  }
  size.depth += below;
  return size;
}

bool TreeBuilder::copied(size_t& nodes, size_t& bytes, const Size& size, int line) {
  nodes += size.nodes;
  bytes += size.bytes;
  if (nodes <= limits_.max_nodes && bytes <= limits_.max_bytes) return true;
  return fail(line, fmt::format("anchors and aliases expand to more than {} values or {} bytes; write the text without them",
                                limits_.max_nodes, limits_.max_bytes));
}

bool TreeBuilder::remember(std::string_view anchor, const Value& value) {
  const Size size = measure(value);
  // The copy is bounded too: nested anchors would store one node once a level.
  if (!copied(anchor_nodes_, anchor_bytes_, size, value.line)) return false;
  anchors_[std::string(anchor)] = Anchored{value, size, false};
  return true;
}

bool TreeBuilder::alias(std::string_view name, int line) {
  const auto found = anchors_.find(std::string(name));
  if (found == anchors_.end()) {
    return fail(line, fmt::format("alias *{0} has no anchor; write &{0} before the value it stands for", name));
  }
  const Anchored& anchored = found->second;
  if (anchored.open) return fail(line, fmt::format("alias *{} stands inside the value it refers to", name));
  if (!copied(nodes_, alias_bytes_, anchored.size, line)) return false;
  if (frames_.size() + static_cast<size_t>(anchored.size.depth) > static_cast<size_t>(limits_.max_depth)) {
    return fail(line, fmt::format("nested more than {} levels deep", limits_.max_depth));
  }
  Value value = anchored.value;
  value.line = line;
  value.block = false;
  return add(std::move(value), {});
}

void TreeBuilder::endDocument() {
  if (root_ && !root_->isNull()) documents_.push_back(*std::move(root_));
  root_.reset();
  anchors_.clear();
}

}  // namespace emissary::manifest
