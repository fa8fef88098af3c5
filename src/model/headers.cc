// Headers that a route adds and removes. One that Envoy would refuse is told and left out; the others stay.

#include <fmt/format.h>

#include <algorithm>

#include "base/lower.h"
#include "model/format_text.h"
#include "model/readers.h"
#include "model/text.h"

namespace emissary::model {
namespace {

using manifest::Value;

// Envoy's bounds.
constexpr size_t kMaxHeaders = 1000;
constexpr size_t kMaxHeaderBytes = 16384;

/// Why a route may not touch this header; "" when it may.
std::string nameProblem(const std::string& name, bool add) {
  if (name.starts_with(':') || lower(name) == "host") {
    return fmt::format("{} cannot be changed this way; write host_rewrite, rewrite or method for what they are for", quoted(name));
  }
  if (!isToken(name))
    return fmt::format("{} is no name of a header; letters, digits and !#$%&'*+-.^_`|~ may stand in one", quoted(name));
  if (name.size() > kMaxHeaderBytes) return fmt::format("the name is {} bytes long; Envoy takes {}", name.size(), kMaxHeaderBytes);
  // Whoever sets these by hand makes two parties see different ends of one message.
  if (add && (lower(name) == "content-length" || lower(name) == "transfer-encoding")) {
    return fmt::format("{} tells where a message ends, which only Envoy knows", quoted(name));
  }
  return {};
}

/// How v2 wrote a header, which conversion remembers; has no effect.
constexpr std::string_view kWrittenInV2 = "v2Representation";

/// {value: v, append: false}, or v alone.
bool readValue(Report& report, const Value& value, const Path& path, HeaderValue& out) {
  const Value* text = &value;
  if (value.isMap()) {
    Fields fields(report, &value, path);
    text = fields.take("value");
    const Value* append = fields.take("append");
    fields.accept(kWrittenInV2);
    fields.finish();
    if (append != nullptr && append->type != Value::Type::Bool) {
      fields.error("append", fmt::format("must be true or false, but is {}; the header is left out", describe(*append)));
      return false;
    }
    if (append != nullptr) out.append = append->boolean;
  }
  if (text == nullptr || !text->isString()) {
    const std::string is = text == nullptr ? "missing" : describe(*text);
    report.error(path.text(), value.line, fmt::format("needs a value that is text, but that is {}; the header is left out", is));
    return false;
  }
  std::string problem = textProblem(text->string);
  if (problem.empty() && text->string.size() > kMaxHeaderBytes) {
    problem = fmt::format("is {} bytes long; Envoy takes {}", text->string.size(), kMaxHeaderBytes);
  }
  if (!problem.empty()) {
    report.error(path.text(), text->line, problem + "; the header is left out");
    return false;
  }
  out.value = text->string;
  return true;
}

}  // namespace

void readAddedHeaders(Fields& fields, std::string_view name, std::optional<std::vector<HeaderValue>>& out) {
  const Value* value = fields.take(name);
  if (value == nullptr) return;
  Report& report = fields.report();
  const Path path = fields.path(name);
  if (!value->isMap() || value->map.size() > kMaxHeaders) {
    fields.refuse(name, value->isMap() ? fmt::format("has {} headers; Envoy takes {}", value->map.size(), kMaxHeaders)
                                       : "must be a map from names to values, but is " + describe(*value));
    return;
  }
  std::vector<HeaderValue> headers;
  for (const Value::Entry& entry : value->map) {
    const bool was_null = entry.second.text(kWrittenInV2) == "null" && entry.second.text("value").empty();
    if (entry.second.isNull() || was_null) continue;
    const Path at(&path, entry.first);
    const int line = entry.second.line;
    HeaderValue header{entry.first, "", true};
    if (std::string problem = nameProblem(header.name, true); !problem.empty()) {
      report.error(at.text(), line, problem + "; it is left out");
      continue;
    }
    if (!readValue(report, entry.second, at, header)) continue;
    const std::string doubled = withPercentsDoubled(header.value);
    if (std::string problem = formatProblem(doubled); !problem.empty()) {
      report.error(at.text(), line, problem + "; the header is left out");
      continue;
    }
    if (header.value != doubled)
      report.notice(at.text(), line, "has a '%' that begins no operator and is taken as it is; write %%");
    header.value = doubled;
    headers.push_back(std::move(header));
  }
  std::sort(headers.begin(), headers.end(), [](const HeaderValue& a, const HeaderValue& b) { return a.name < b.name; });
  out = std::move(headers);
}

void readRemovedHeaders(Fields& fields, std::string_view name, std::optional<std::vector<std::string>>& out) {
  std::vector<std::string> names;
  if (!fields.read(name, names)) return;
  const auto bad = [&](const std::string& header) {
    const std::string problem = nameProblem(header, false);
    if (!problem.empty()) fields.error(name, problem + "; it is left out");
    return !problem.empty();
  };
  std::erase_if(names, bad);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  if (names.size() > kMaxHeaders) {
    fields.refuse(name, fmt::format("has {} headers; Envoy takes {}", names.size(), kMaxHeaders));
    return;
  }
  out = std::move(names);
}

}  // namespace emissary::model
