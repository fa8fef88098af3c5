// A TracingService's deprecated `tag_headers`: the same as custom tags that take a header's value under its own name.

#include "convert/rules.h"

namespace emissary::convert {
namespace {

constexpr std::string_view kHeaders = "tag_headers";
constexpr std::string_view kTags = "custom_tags";

Value tagFor(const Value& header) {
  Value source = emptyMap(header.line);
  put(source, "name", header);
  Value tag = emptyMap(header.line);
  put(tag, "tag", header);
  put(tag, "request_header", std::move(source));
  return tag;
}

/// What was dropped because there are custom tags too.
std::optional<Value> merge(Value& spec) {
  Value* headers = find(spec, kHeaders);
  if (headers == nullptr || !headers->isList()) return std::nullopt;
  std::optional<Value> taken = take(spec, kHeaders);
  const Value* tags = find(spec, kTags);
  if (tags != nullptr && !(tags->isList() && tags->list.empty())) return taken;
  if (taken->list.empty()) return std::nullopt;
  Value made = emptyList(taken->line);
  for (const Value& header : taken->list) made.list.push_back(tagFor(header));
  put(spec, kTags, std::move(made));
  return std::nullopt;
}

}  // namespace

void tagHeadersToNew(Value& spec, Notes& notes) {
  if (const auto dropped = merge(spec)) {
    notes.remark("spec.tag_headers", dropped->line, "is ignored beside v3CustomTags; write them all there");
  }
}

void tagHeadersToOld(Value& spec) { merge(spec); }

}  // namespace emissary::convert
