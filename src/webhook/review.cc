#include "webhook/review.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>
#include <utility>

#include "base/dom.h"
#include "convert/convert.h"
#include "manifest/json_writer.h"
#include "manifest/value.h"
#include "model/text.h"

namespace emissary::webhook {

using emissary::textAt;  // beside the one of json.h

namespace {

namespace dom = simdjson::dom;
using convert::Version;
using manifest::Value;

constexpr std::string_view kReviewVersion = "apiextensions.k8s.io/v1";
/// Deeper than API servers let anything be; the reader needs no stack for it.
constexpr size_t kReadDepth = 12'000;
/// The most that is written by recursion. What lies deeper in one object costs the review.
constexpr int kDepth = 1'000;

/// False: nested too deeply.
bool toValue(const dom::element& from, int depth, Value& out) {
  if (depth > kDepth) return false;
  switch (from.type()) {
    case dom::element_type::NULL_VALUE: return true;
    case dom::element_type::BOOL:
      out.type = Value::Type::Bool;
      out.boolean = bool(from);
      return true;
    case dom::element_type::INT64:
      out.type = Value::Type::Int;
      out.integer = int64_t(from);
      return true;
    case dom::element_type::UINT64:  // above what int64 holds: a number to an API server too
    case dom::element_type::DOUBLE:
      out.type = Value::Type::Double;
      out.number = from.is_double() ? double(from) : static_cast<double>(uint64_t(from));
      return true;
    case dom::element_type::STRING:
      out.type = Value::Type::String;
      out.string = std::string_view(from);
      return true;
    case dom::element_type::ARRAY:
      out.type = Value::Type::List;
      for (const dom::element item : dom::array(from)) {
        if (!toValue(item, depth + 1, out.list.emplace_back())) return false;
      }
      return true;
    case dom::element_type::OBJECT:
      out.type = Value::Type::Map;
      for (const dom::key_value_pair field : dom::object(from)) {
        if (!toValue(field.value, depth + 1, out.map.emplace_back(std::string(field.key), Value()).second)) return false;
      }
      return true;
  }
  return false;
}

/// The version of an apiVersion of our group.
std::optional<Version> ourVersion(std::string_view api_version) {
  const size_t slash = api_version.find('/');
  if (slash == std::string_view::npos || api_version.substr(0, slash) != convert::kGroup) return std::nullopt;
  return convert::versionNamed(api_version.substr(slash + 1));
}

std::string nameOf(const dom::object& object, size_t index) {
  dom::object metadata;
  std::string name;
  if (object.at_key("metadata").get(metadata) == simdjson::SUCCESS) {
    name = fmt::format("{}/{}", model::printable(textAt(metadata, "namespace")), model::printable(textAt(metadata, "name")));
  }
  return fmt::format("objects[{}]: {} {}", index, model::printable(textAt(object, "kind")), name);
}

/// Appends the object as `wanted`; or says why that cannot be.
std::string convertOne(const dom::element& element, size_t index, Version wanted, std::optional<Version>& written,
                       std::string& out) {
  dom::object object;
  if (element.get(object) != simdjson::SUCCESS) return fmt::format("objects[{}]: is no object", index);
  const std::string kind(textAt(object, "kind"));
  const std::string_view api_version = textAt(object, "apiVersion");
  written = ourVersion(api_version);
  if (!written || !convert::exists(kind, *written)) {
    return fmt::format("{}: {} is no version of it that is known", nameOf(object, index), model::quoted(api_version));
  }
  if (!convert::exists(kind, wanted)) {
    return fmt::format("{}: there is no {}/{} of it", nameOf(object, index), convert::kGroup, convert::versionName(wanted));
  }
  Value value;
  if (!toValue(element, 0, value)) {
    return fmt::format("{}: is nested more than {} levels deep", nameOf(object, index), kDepth);
  }
  manifest::appendJson(out, convert::between(std::move(value), kind, *written, wanted).object);
  return {};
}

std::string jsonText(std::string_view text) {
  std::string out;
  Value value;
  value.type = Value::Type::String;
  value.string = text;
  manifest::appendJson(out, value);
  return out;
}

Answer finish(std::string_view uid, size_t count, std::string_view objects, std::string problem) {
  Answer out;
  out.objects = count;
  out.body = fmt::format(R"({{"apiVersion":"{}","kind":"ConversionReview","response":{{"uid":{},"result":)", kReviewVersion,
                         jsonText(uid));
  if (problem.empty()) {
    out.body += R"({"status":"Success"},"convertedObjects":[)";
    out.body += objects;
    out.body += "]}}";
  } else {
    out.body += fmt::format(R"({{"status":"Failure","message":{}}}}}}})", jsonText(problem));
  }
  out.problem = std::move(problem);
  return out;
}

}  // namespace

Answer answer(std::string review) {
  dom::parser parser;
  review.reserve(review.size() + simdjson::SIMDJSON_PADDING);
  dom::element root;
  dom::object document, request;
  dom::array objects;
  if (parser.allocate(review.size() + 1, kReadDepth) != simdjson::SUCCESS || parser.parse(review).get(root) != simdjson::SUCCESS) {
    return finish("", 0, "", "the request is no JSON");
  }
  if (root.get(document) != simdjson::SUCCESS || textAt(document, "kind") != "ConversionReview") {
    return finish("", 0, "", "the request is no ConversionReview");
  }
  if (textAt(document, "apiVersion") != kReviewVersion) {
    return finish("", 0, "", fmt::format("the request is no ConversionReview of {}", kReviewVersion));
  }
  if (document.at_key("request").get(request) != simdjson::SUCCESS)
    return finish("", 0, "", "the ConversionReview holds no request");
  const std::string_view uid = textAt(request, "uid");
  const std::string_view desired = textAt(request, "desiredAPIVersion");
  const auto wanted = ourVersion(desired);
  if (!wanted) return finish(uid, 0, "", fmt::format("desiredAPIVersion: {} is not known", model::quoted(desired)));
  if (request.at_key("objects").get(objects) != simdjson::SUCCESS) return finish(uid, 0, "", "objects: must be a list");
  std::string converted;
  size_t count = 0;
  std::array<size_t, convert::kVersions> versions{};
  for (const dom::element element : objects) {
    if (count > 0) converted += ',';
    std::optional<Version> written;
    if (std::string problem = convertOne(element, count, *wanted, written, converted); !problem.empty()) {
      Answer out = finish(uid, count, "", std::move(problem));
      out.wanted = wanted;
      out.failed = written;
      return out;
    }
    ++versions[static_cast<size_t>(*written)];
    ++count;
  }
  Answer out = finish(uid, count, converted, "");
  out.wanted = wanted;
  out.converted = versions;
  return out;
}

}  // namespace emissary::webhook
