#pragma once
// Builds Value trees from the events of a YAML or JSON reader, without recursion, and enforces Limits on the way: what a
// hostile text would expand to is never allocated. Owned and called by one parse() call.
//
// Each call returns false once something is wrong; error() then says what.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "manifest/parse.h"
#include "manifest/value.h"

namespace emissary::manifest {

class TreeBuilder {
 public:
  explicit TreeBuilder(const Limits& limits) : limits_(limits) {}

  /// A scalar: a value, or a key where the enclosing map waits for one. `value.line` is where it stands.
  bool scalar(Value value, std::string_view anchor = {});
  /// "<<" as a key: the next value is merged into the map.
  bool mergeKey(int line);
  bool open(Value::Type type, int line, std::string_view anchor = {});
  bool close();
  bool alias(std::string_view name, int line);
  void endDocument();

  /// Whether the next node is a key.
  bool awaitsKey() const;
  bool fail(int line, std::string message);
  const std::optional<ParseError>& error() const { return error_; }
  std::vector<Value> takeDocuments() { return std::move(documents_); }

 private:
  struct Frame {
    Value value;
    std::string anchor;
    /// Where the node itself stands; `value.line` is its key's.
    std::optional<std::string> key;
    int key_line = 0;
    bool merging = false;
    /// What "<<" brought in, the weakest first.
    std::vector<Value::Entry> merged;
  };
  struct Size {
    size_t nodes = 0;
    size_t bytes = 0;
    int depth = 0;
  };
  struct Anchored {
    Value value;
    Size size;
    /// Not complete: an alias to it would contain itself.
    bool open = true;
  };

  static Size measure(const Value& value);
  bool countNode(int line);
  bool takeKey(const Value& value);
  bool add(Value value, std::string_view anchor);
  bool place(Value value);
  bool merge(Value value);
  bool remember(std::string_view anchor, const Value& value);
  bool copied(size_t& nodes, size_t& bytes, const Size& size, int line);

  const Limits limits_;
  std::vector<Value> documents_;
  std::optional<Value> root_;
  std::vector<Frame> frames_;
  std::unordered_map<std::string, Anchored> anchors_;
  std::optional<ParseError> error_;
  size_t nodes_ = 0;
  size_t alias_bytes_ = 0;
  size_t anchor_nodes_ = 0;
  size_t anchor_bytes_ = 0;
};

}  // namespace emissary::manifest
