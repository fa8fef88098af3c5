#include "generate/constraint_rules.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>

#include "validate/validate.pb.h"

namespace emissary::generate {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// What the validate library means by these names: header names as in RFC 7230 with HTTP/2's leading colon, header
// values without control characters, and whatever cannot split a header when not strict.
constexpr char kHeaderName[] = R"(^:?[0-9a-zA-Z!#$%&'*+-.^_|~\x60]+$)";
constexpr char kHeaderValue[] = R"(^[^\x00-\x08\x0A-\x1F\x7F]*$)";
constexpr char kHeaderLoose[] = R"(^[^\x00\x0A\x0D]*$)";

Number numberOf(const Message& rules, const FieldDescriptor& f, int index = -1) {
  const Reflection& r = *rules.GetReflection();
  const bool one = index < 0;
  switch (f.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32: return one ? r.GetInt32(rules, &f) : r.GetRepeatedInt32(rules, &f, index);
    case FieldDescriptor::CPPTYPE_INT64: return one ? r.GetInt64(rules, &f) : r.GetRepeatedInt64(rules, &f, index);
    case FieldDescriptor::CPPTYPE_UINT32: return one ? r.GetUInt32(rules, &f) : r.GetRepeatedUInt32(rules, &f, index);
    case FieldDescriptor::CPPTYPE_UINT64: return one ? r.GetUInt64(rules, &f) : r.GetRepeatedUInt64(rules, &f, index);
    case FieldDescriptor::CPPTYPE_FLOAT: return one ? r.GetFloat(rules, &f) : r.GetRepeatedFloat(rules, &f, index);
    case FieldDescriptor::CPPTYPE_DOUBLE: return one ? r.GetDouble(rules, &f) : r.GetRepeatedDouble(rules, &f, index);
    case FieldDescriptor::CPPTYPE_BOOL: return r.GetBool(rules, &f);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return nanoseconds(one ? r.GetMessage(rules, &f) : r.GetRepeatedMessage(rules, &f, index));
    default: return 0;
  }
}

std::vector<Number> numbersOf(const Message& rules, const FieldDescriptor& f) {
  std::vector<Number> numbers;
  for (int i = 0; i < rules.GetReflection()->FieldSize(rules, &f); ++i) numbers.push_back(numberOf(rules, f, i));
  return numbers;
}

std::vector<std::string> textsOf(const Message& rules, const FieldDescriptor& f) {
  std::vector<std::string> texts;
  const Reflection& r = *rules.GetReflection();
  for (int i = 0; i < r.FieldSize(rules, &f); ++i) texts.push_back(r.GetRepeatedString(rules, &f, i));
  return texts;
}

std::unique_ptr<RE2> regex(std::string_view pattern, bool bytes) {
  RE2::Options options;
  options.set_log_errors(false);
  if (bytes) options.set_encoding(RE2::Options::EncodingLatin1);
  return std::make_unique<RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
}

std::unique_ptr<Rules> compile(const validate::FieldRules& source);

/// What numbers, enums, bools, durations and timestamps share. False: not one of these.
bool takeNumberRule(const Message& source, const FieldDescriptor& f, Rules& to) {
  const std::string& name = f.name();
  if (name == "const") {
    to.in = {numberOf(source, f)};
  } else if (name == "lt" || name == "lte") {
    to.upper = Bound{numberOf(source, f), name == "lte"};
  } else if (name == "gt" || name == "gte") {
    to.lower = Bound{numberOf(source, f), name == "gte"};
  } else if (name == "in") {
    to.in = numbersOf(source, f);
  } else if (name == "not_in") {
    to.not_in = numbersOf(source, f);
  } else if (name == "defined_only") {
    to.defined_only = numberOf(source, f) != 0;
  } else if (name == "required") {
    to.required = numberOf(source, f) != 0;
    return true;
  } else if (name == "ignore_empty") {
    to.ignore_empty = numberOf(source, f) != 0;
    return true;
  } else {
    return false;
  }
  to.value = true;
  return true;
}

void takeWellKnown(const validate::StringRules& s, Rules& to) {
  const bool name = s.well_known_regex() == validate::KnownRegex::HTTP_HEADER_NAME;
  to.pattern = regex(!s.strict() ? kHeaderLoose : name ? kHeaderName : kHeaderValue, false);
}

bool takeTextRule(const Message& source, const FieldDescriptor& f, bool bytes, Rules& to) {
  const std::string& name = f.name();
  const auto text = [&] { return source.GetReflection()->GetString(source, &f); };
  const auto size = [&] { return static_cast<uint64_t>(numberOf(source, f)); };
  Sizes& length = bytes ? to.bytes : to.characters;
  to.value = true;
  if (name == "const") {
    to.one_of = {text()};
  } else if (name == "len") {
    length = {size(), size()};
  } else if (name == "min_len") {
    length.least = size();
  } else if (name == "max_len") {
    length.most = size();
  } else if (name == "len_bytes") {
    to.bytes = {size(), size()};
  } else if (name == "min_bytes") {
    to.bytes.least = size();
  } else if (name == "max_bytes") {
    to.bytes.most = size();
  } else if (name == "prefix") {
    to.prefix = text();
  } else if (name == "suffix") {
    to.suffix = text();
  } else if (name == "contains") {
    to.contains = text();
  } else if (name == "not_contains") {
    to.not_contains = text();
  } else if (name == "in") {
    to.one_of = textsOf(source, f);
  } else if (name == "not_in") {
    to.none_of = textsOf(source, f);
  } else if (name == "pattern") {
    to.pattern = regex(text(), bytes);
  } else if (name == "well_known_regex") {
    takeWellKnown(static_cast<const validate::StringRules&>(source), to);
  } else if (name == "strict") {
    // Says how to read well_known_regex.
  } else if (name == "ignore_empty") {
    to.ignore_empty = numberOf(source, f) != 0;
  } else {
    return false;
  }
  return true;
}

void takeRepeated(const validate::RepeatedRules& source, Rules& to) {
  if (source.has_min_items()) to.items.least = source.min_items();
  if (source.has_max_items()) to.items.most = source.max_items();
  to.unique = source.unique();
  to.ignore_empty = source.ignore_empty();
  if (source.has_items()) to.elements = compile(source.items());
}

void takeMap(const validate::MapRules& source, Rules& to) {
  if (source.has_min_pairs()) to.items.least = source.min_pairs();
  if (source.has_max_pairs()) to.items.most = source.max_pairs();
  to.ignore_empty = source.ignore_empty();
  if (source.has_keys()) to.keys = compile(source.keys());
  if (source.has_values()) to.values = compile(source.values());
  if (source.no_sparse()) to.unknown.push_back("map.no_sparse");
}

std::unique_ptr<Rules> compile(const validate::FieldRules& source) {
  auto rules = std::make_unique<Rules>();
  rules->required = source.message().required();
  rules->skip = source.message().skip();
  if (source.has_repeated()) {
    takeRepeated(source.repeated(), *rules);
  } else if (source.has_map()) {
    takeMap(source.map(), *rules);
  } else if (const auto* oneof = source.GetDescriptor()->FindOneofByName("type")) {
    const FieldDescriptor* set = source.GetReflection()->GetOneofFieldDescriptor(source, oneof);
    if (!set) return rules;
    const Message& stated = source.GetReflection()->GetMessage(source, set);
    std::vector<const FieldDescriptor*> fields;
    stated.GetReflection()->ListFields(stated, &fields);
    const bool text = source.has_string() || source.has_bytes();
    for (const FieldDescriptor* f : fields) {
      const bool known = text                                          ? takeTextRule(stated, *f, source.has_bytes(), *rules)
                         : source.has_any() && f->name() != "required" ? false
                                                                       : takeNumberRule(stated, *f, *rules);
      if (!known) rules->unknown.push_back(set->name() + "." + f->name());
    }
  }
  return rules;
}

std::string list(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all.append(all.empty() ? "" : ", ").append(text);
  return all;
}

uint64_t codePoints(std::string_view text) {
  return static_cast<uint64_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string show(Number number) {
  if (number == static_cast<Number>(static_cast<long long>(number))) return std::to_string(static_cast<long long>(number));
  return std::to_string(static_cast<double>(number));
}

}  // namespace

std::unique_ptr<Rules> rulesOf(const FieldDescriptor& field) {
  if (!field.options().HasExtension(validate::rules)) return nullptr;
  return compile(field.options().GetExtension(validate::rules));
}

Number nanoseconds(const Message& message) {
  const auto& type = *message.GetDescriptor();
  const Reflection& r = *message.GetReflection();
  return static_cast<Number>(r.GetInt64(message, type.FindFieldByNumber(1))) * 1'000'000'000 +
         r.GetInt32(message, type.FindFieldByNumber(2));
}

std::string Sizes::check(uint64_t size, std::string_view unit) const {
  if (least && size < *least) return "at least " + std::to_string(*least) + std::string(unit);
  if (most && size > *most) return "at most " + std::to_string(*most) + std::string(unit);
  return "";
}

std::string Rules::checkNumber(Number number) const {
  if (ignore_empty && number == 0) return "";
  const bool low = !lower || (lower->inclusive ? number >= lower->value : number > lower->value);
  const bool high = !upper || (upper->inclusive ? number <= upper->value : number < upper->value);
  // A lower bound above the upper one means: not between them.
  const bool outside = lower && upper && lower->value > upper->value;
  if (outside ? !(low || high) : !low) {
    return std::string("must be ").append(lower->inclusive ? "at least " : "greater than ").append(show(lower->value));
  }
  if (!outside && !high) {
    return std::string("must be ").append(upper->inclusive ? "at most " : "less than ").append(show(upper->value));
  }
  if (!in.empty() && std::find(in.begin(), in.end(), number) == in.end()) return "is not one of the values allowed";
  if (std::find(not_in.begin(), not_in.end(), number) != not_in.end()) return "has a value that is not allowed";
  return "";
}

std::string Rules::checkEnum(int number, const google::protobuf::EnumDescriptor& type) const {
  if (ignore_empty && number == 0) return "";
  if (defined_only && !type.FindValueByNumber(number)) return "is not a value of " + type.name();
  return checkNumber(number);
}

std::string Rules::checkString(std::string_view text) const {
  if (ignore_empty && text.empty()) return "";
  if (characters.any()) {
    if (std::string wrong = characters.check(codePoints(text), " characters"); !wrong.empty()) return "must have " + wrong;
  }
  if (std::string wrong = bytes.check(text.size(), " bytes"); !wrong.empty()) return "must have " + wrong;
  if (!text.starts_with(prefix)) return "must start with " + prefix;
  if (!text.ends_with(suffix)) return "must end with " + suffix;
  if (text.find(contains) == text.npos) return "must contain " + contains;
  if (!not_contains.empty() && text.find(not_contains) != text.npos) return "must not contain " + not_contains;
  if (!one_of.empty() && std::find(one_of.begin(), one_of.end(), text) == one_of.end()) return "must be one of " + list(one_of);
  if (std::find(none_of.begin(), none_of.end(), text) != none_of.end()) return "must not be one of " + list(none_of);
  if (pattern && !RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *pattern)) {
    return "must match " + pattern->pattern();
  }
  return "";
}

}  // namespace emissary::generate
