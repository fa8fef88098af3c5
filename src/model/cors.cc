// cors: which other sites' pages may read the answers.

#include <fmt/format.h>

#include <algorithm>

#include "model/readers.h"
#include "model/text.h"

namespace emissary::model {
namespace {

using manifest::Value;

constexpr size_t kMaxItems = 1000;
constexpr int64_t kMaxAge = 10LL * 365 * 24 * 3600;

/// A list of texts or one text, each with one item or with several and commas between, as Envoy writes them itself. Blanks around
/// an item and empty items do not count. False: it is wrong.
bool readItems(Fields& fields, std::string_view name, std::vector<std::string>& items) {
  const Value* value = fields.take(name);
  std::vector<std::string> texts;
  if (value != nullptr && value->isString()) {
    if (!fields.read(name, texts.emplace_back())) return false;
  } else if (!fields.read(name, texts) && value != nullptr) {
    return false;
  }
  for (const std::string_view text : texts) {
    for (size_t at = 0; at <= text.size();) {
      const size_t end = std::min(text.find(',', at), text.size());
      const std::string_view item = trimmed(text.substr(at, end - at));
      if (!item.empty()) items.emplace_back(item);
      at = end + 1;
    }
  }
  if (items.size() > kMaxItems) {
    fields.refuse(name, fmt::format("has {} items; there may be {}", items.size(), kMaxItems));
    return false;
  }
  return true;
}

/// Items that are one word each; others are told and left out.
void readWords(Fields& fields, std::string_view name, std::vector<std::string>& out) {
  if (!readItems(fields, name, out)) return;
  const auto bad = [&](const std::string& item) {
    if (isToken(item)) return false;
    fields.error(name, fmt::format("{} is not one word such as X-Token; it is left out", quoted(item)));
    return true;
  };
  std::erase_if(out, bad);
}

void readOrigins(Fields& fields, std::vector<std::string>& out) {
  if (!readItems(fields, "origins", out)) return;
  const auto bad = [&](const std::string& origin) {
    const size_t star = origin.find('*');
    if (star == std::string::npos || star == 0 || star + 1 == origin.size()) {
      if (star == origin.rfind('*')) return false;  // no regular expression is needed
    }
    const std::string problem = regexProblem(globRegex(origin));
    if (problem.empty()) return false;
    fields.error("origins", fmt::format("{} is left out: as a regular expression it {}", quoted(origin), problem));
    return true;
  };
  std::erase_if(out, bad);
  if (out.empty()) {
    fields.warning("origins", "names no origin, so no other site is let in; write for example [https://app.example.com]");
  }
}

void readMaxAge(Fields& fields, std::string& out) {
  const Value* value = fields.take("max_age");
  if (value == nullptr) return;
  std::optional<int64_t> seconds = wholeNumber(*value);
  if (value->isString()) {
    const std::string_view text = trimmed(value->string);
    const bool digits = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    const auto ms = durationMs(digits ? std::string(text) + "s" : std::string(text));
    if (ms) seconds = *ms / 1000;
  }
  if (!seconds || *seconds < 0 || *seconds > kMaxAge) {
    fields.error("max_age",
                 fmt::format("must be a number of seconds up to {}, as text such as \"86400\", but is {}; it is left out", kMaxAge,
                             describe(*value)));
    return;
  }
  out = std::to_string(*seconds);
}

}  // namespace

void readCors(Fields& fields, std::string_view name, std::optional<Cors>& out) {
  const Value* value = fields.take(name);
  if (value == nullptr) return;
  Fields inner(fields.report(), value, fields.path(name));
  if (!value->isMap()) return;
  Cors cors;
  readOrigins(inner, cors.origins);
  readWords(inner, "methods", cors.methods);
  readWords(inner, "headers", cors.headers);
  readWords(inner, "exposed_headers", cors.exposed_headers);
  inner.read("credentials", cors.credentials);
  readMaxAge(inner, cors.max_age);
  inner.accept("v2CommaSeparatedOrigins");  // remembered by conversion
  inner.finish();
  out = std::move(cors);
}

}  // namespace emissary::model
