#include "source/kubernetes/answer.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "source/kubernetes/element.h"

namespace emissary::source {
namespace {

namespace dom = simdjson::dom;

/// Deeper than API servers let anything be, so that nothing in one object makes a whole list unreadable.
constexpr size_t kDepth = 12'000;
constexpr size_t kKept = 4u << 20;

static_assert(AnswerReader::kPadding >= simdjson::SIMDJSON_PADDING);

}  // namespace

struct AnswerReader::Parser {
  Parser() {
    // Grows; the depth stays.
    if (parser.allocate(1u << 20, kDepth) != simdjson::SUCCESS) std::abort();
  }
  /// False when it has no name, or, where it must, no namespace.
  static bool identify(const dom::element& element, bool namespaced, Item& out);

  dom::parser parser;
};

bool AnswerReader::Parser::identify(const dom::element& element, bool namespaced, Item& out) {
  dom::object object;
  if (element.get(object) != simdjson::SUCCESS) return false;
  dom::object metadata;
  if (object.at_key("metadata").get(metadata) != simdjson::SUCCESS) return false;
  out.element_ = packed(element);
  out.name = textAt(metadata, "name");
  out.ns = textAt(metadata, "namespace");
  out.resource_version = textAt(metadata, "resourceVersion");
  return !out.name.empty() && out.ns.empty() != namespaced;
}

AnswerReader::AnswerReader() : parser_(std::make_unique<Parser>()) {}
AnswerReader::~AnswerReader() = default;

bool AnswerReader::readList(std::string& body, bool namespaced, ListHead& head, const std::function<void(const Item&)>& tell) {
  body.reserve(body.size() + kPadding);
  dom::element root;
  dom::object list, metadata;
  dom::array items;
  if (parser_->parser.parse(body).get(root) != simdjson::SUCCESS || root.get(list) != simdjson::SUCCESS) return false;
  // A Status, say, is no list.
  if (!textAt(list, "kind").ends_with("List")) return false;
  if (list.at_key("metadata").get(metadata) != simdjson::SUCCESS) return false;
  head.resource_version = textAt(metadata, "resourceVersion");
  head.more = textAt(metadata, "continue");
  if (head.resource_version.empty()) return false;
  dom::element found;
  if (list.at_key("items").get(found) != simdjson::SUCCESS) return false;
  if (found.is_null()) return true;  // as Go writes an empty list
  if (found.get(items) != simdjson::SUCCESS) return false;
  for (const dom::element element : items) {
    Item item;
    if (!Parser::identify(element, namespaced, item)) return false;
    tell(item);
  }
  // What a large one took is not kept for the next.
  if (parser_->parser.capacity() > kKept) parser_ = std::make_unique<Parser>();
  return true;
}

std::optional<WatchEvent> AnswerReader::readEvent(std::string_view line, bool namespaced) {
  static constexpr std::array<std::string_view, 5> kTypes = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"};
  dom::element root;
  dom::object event;
  const auto parsed = parser_->parser.parse(line.data(), line.size(), /*realloc_if_needed=*/false);
  if (parsed.get(root) != simdjson::SUCCESS || root.get(event) != simdjson::SUCCESS) return std::nullopt;
  const auto type = std::find(kTypes.begin(), kTypes.end(), textAt(event, "type"));
  dom::element object;
  if (type == kTypes.end() || event.at_key("object").get(object) != simdjson::SUCCESS) return std::nullopt;
  WatchEvent out;
  out.type = static_cast<EventType>(type - kTypes.begin());
  if (out.type == EventType::Error) {
    dom::object status;
    if (object.get(status) != simdjson::SUCCESS) return std::nullopt;
    int64_t code = 0;
    if (status.at_key("code").get(code) == simdjson::SUCCESS) out.code = static_cast<int>(code);
    out.message = textAt(status, "message");
    return out;
  }
  const bool named = Parser::identify(object, namespaced, out.item);
  if (out.item.resource_version.empty() || (!named && out.type != EventType::Bookmark)) return std::nullopt;
  return out;
}

std::optional<std::set<std::string>> AnswerReader::readResources(std::string& body) {
  body.reserve(body.size() + kPadding);
  dom::element root;
  dom::object list;
  dom::array items;
  if (parser_->parser.parse(body).get(root) != simdjson::SUCCESS || root.get(list) != simdjson::SUCCESS) return std::nullopt;
  if (textAt(list, "kind") != "APIResourceList" || list.at_key("resources").get(items) != simdjson::SUCCESS) return std::nullopt;
  std::set<std::string> out;
  for (const dom::element element : items) {
    dom::object item;
    if (element.get(item) != simdjson::SUCCESS) return std::nullopt;
    const std::string_view name = textAt(item, "name");
    if (name.find('/') == std::string_view::npos) out.emplace(name);
  }
  return out;
}

}  // namespace emissary::source
