#include "compile/order.h"

#include <algorithm>

namespace emissary::compile {
namespace {

size_t characters(std::string_view utf8) {
  return static_cast<size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

class Weigher {
 public:
  explicit Weigher(std::vector<std::string>& keys) : keys_(keys) {}

  size_t add(std::string_view name, std::string_view value, bool regex) {
    keys_.push_back(std::string(name) + "-" + std::string(value));
    return characters(name) + characters(value) + (regex ? 1 : 0);
  }

  size_t add(std::string_view name, const ir::StringMatch& match) {
    const bool any = match.kind == ir::StringMatch::Kind::Present || match.value.empty();
    return add(name, any ? "*" : match.value, match.kind == ir::StringMatch::Kind::Regex);
  }

 private:
  std::vector<std::string>& keys_;
};

}  // namespace

SortKey sortKey(const ir::Match& match) {
  SortKey key;
  key.precedence = match.precedence;
  key.path_length = characters(match.path);
  key.path = match.path;
  // Of routes for one path a built-in one comes last, after every Mapping of a user.
  if (match.host.kind == ir::HostMatch::Kind::Every) return key;
  key.keys.push_back("GET");
  Weigher weigher(key.keys);
  for (const ir::NamedMatch& header : match.headers) key.header_weight += weigher.add(header.name, header.match);
  if (match.host.kind != ir::HostMatch::Kind::None) {
    key.header_weight += weigher.add(":authority", match.host.text, match.host.kind == ir::HostMatch::Kind::Regex);
  }
  if (match.method) key.header_weight += weigher.add(":method", *match.method);
  for (const ir::NamedMatch& parameter : match.query) key.query_weight += weigher.add(parameter.name, parameter.match);
  return key;
}

std::string orderName(const ObjectRef& ref) { return ref.name + "." + ref.ns; }

}  // namespace emissary::compile
