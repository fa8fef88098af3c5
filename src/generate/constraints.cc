#include "generate/constraints.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/message.h>

#include <memory>
#include <mutex>
#include <set>
#include <unordered_map>

#include "generate/constraint_rules.h"
#include "validate/validate.pb.h"

namespace emissary::generate {
namespace {

using google::protobuf::Any;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::OneofDescriptor;
using google::protobuf::Reflection;

enum class Special : uint8_t { None, Wrapper, Time, Any };

struct Program;

struct FieldProgram {
  const FieldDescriptor* field;
  /// Null: none of its own.
  std::unique_ptr<Rules> rules;
  /// Of a message (of a map: of its values); null: nothing to look for in there.
  const Program* below = nullptr;
  Special special = Special::None;
};

/// What is to be checked in messages of one type.
struct Program {
  std::vector<FieldProgram> fields;
  std::vector<const OneofDescriptor*> oneofs;
  /// There is a rule here or below.
  bool needed = false;
};

Special specialOf(const Descriptor& type) {
  const std::string& name = type.full_name();
  if (name == "google.protobuf.Any") return Special::Any;
  if (name == "google.protobuf.Duration" || name == "google.protobuf.Timestamp") return Special::Time;
  if (name.starts_with("google.protobuf.") && name.ends_with("Value") && name != "google.protobuf.Value" &&
      name != "google.protobuf.ListValue") {
    return Special::Wrapper;
  }
  return Special::None;
}

/// The type of the messages in a field: of a map, of its values.
const Descriptor* messageType(const FieldDescriptor& field) {
  const Descriptor* type = field.message_type();
  return field.is_map() ? type->map_value()->message_type() : type;
}

/// The programs of all types seen. They live for ever and do not change once `of` returned them.
class Programs {
 public:
  static Programs& instance() {
    static auto* programs = new Programs();
    return *programs;
  }

  const Program& of(const Descriptor& type) {
    std::lock_guard lock(mutex_);
    if (const auto it = programs_.find(&type); it != programs_.end()) return *it->second;
    std::vector<Program*> added;
    Program& program = compile(type, added);
    // Types may be recursive, so what is needed spreads until nothing moves.
    for (bool moved = true; std::exchange(moved, false);) {
      for (Program* p : added) {
        if (p->needed) continue;
        for (const FieldProgram& f : p->fields) p->needed |= f.rules || f.special == Special::Any || (f.below && f.below->needed);
        moved |= p->needed;
      }
    }
    for (Program* p : added) {
      for (FieldProgram& f : p->fields) {
        if (f.below && !f.below->needed) f.below = nullptr;
      }
      std::erase_if(p->fields, [](const FieldProgram& f) { return !f.rules && !f.below && f.special != Special::Any; });
    }
    return program;
  }

 private:
  Program& compile(const Descriptor& type, std::vector<Program*>& added) {
    const auto [it, fresh] = programs_.try_emplace(&type);
    if (!fresh) return *it->second;
    it->second = std::make_unique<Program>();
    Program& program = *it->second;
    added.push_back(&program);
    const auto& options = type.options();
    if (options.GetExtension(validate::disabled) || options.GetExtension(validate::ignored)) return program;
    for (int i = 0; i < type.field_count(); ++i) {
      FieldProgram f{.field = type.field(i), .rules = rulesOf(*type.field(i))};
      if (const Descriptor* inner = messageType(*f.field)) {
        f.special = specialOf(*inner);
        if (f.special == Special::None && !(f.rules && f.rules->skip)) f.below = &compile(*inner, added);
      }
      program.fields.push_back(std::move(f));
    }
    for (int i = 0; i < type.real_oneof_decl_count(); ++i) {
      if (type.oneof_decl(i)->options().GetExtension(validate::required)) program.oneofs.push_back(type.oneof_decl(i));
    }
    program.needed = !program.oneofs.empty();
    return program;
  }

  std::mutex mutex_;
  std::unordered_map<const Descriptor*, std::unique_ptr<Program>> programs_;
};

// All of these return "", or the rest of the path and the reason.

std::string checkMessage(const Message& message, const Program& program);

std::string reason(const std::string& what) { return what.empty() ? what : ": " + what; }

/// The content of an Any is a resource of its own to Envoy, with rules of its own.
std::string checkPacked(const Message& message) {
  const Any& any = static_cast<const Any&>(message);
  const size_t slash = any.type_url().rfind('/');
  const Descriptor* type = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
      slash == std::string::npos ? any.type_url() : any.type_url().substr(slash + 1));
  if (!type) return "";
  const Program& program = Programs::instance().of(*type);
  if (!program.needed) return "";
  const std::unique_ptr<Message> inner(google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
  if (!inner->ParseFromString(any.value())) return reason("does not parse as " + type->full_name());
  return checkMessage(*inner, program);
}

std::string checkInner(const Message& inner, const FieldProgram& f, const Rules* rules) {
  switch (f.special) {
    case Special::Any: return checkPacked(inner);
    case Special::Time: return rules && rules->value ? reason(rules->checkNumber(nanoseconds(inner))) : "";
    case Special::None: return f.below ? checkMessage(inner, *f.below) : "";
    case Special::Wrapper: break;
  }
  if (!rules || !rules->value) return "";
  const FieldDescriptor* value = inner.GetDescriptor()->FindFieldByNumber(1);
  const Reflection& r = *inner.GetReflection();
  switch (value->cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL: return reason(rules->checkNumber(r.GetBool(inner, value)));
    case FieldDescriptor::CPPTYPE_INT32: return reason(rules->checkNumber(r.GetInt32(inner, value)));
    case FieldDescriptor::CPPTYPE_INT64: return reason(rules->checkNumber(r.GetInt64(inner, value)));
    case FieldDescriptor::CPPTYPE_UINT32: return reason(rules->checkNumber(r.GetUInt32(inner, value)));
    case FieldDescriptor::CPPTYPE_UINT64: return reason(rules->checkNumber(r.GetUInt64(inner, value)));
    case FieldDescriptor::CPPTYPE_FLOAT: return reason(rules->checkNumber(r.GetFloat(inner, value)));
    case FieldDescriptor::CPPTYPE_DOUBLE: return reason(rules->checkNumber(r.GetDouble(inner, value)));
    case FieldDescriptor::CPPTYPE_STRING: return reason(rules->checkString(r.GetString(inner, value)));
    default: return "";
  }
}

/// One value: of a field (`index` < 0) or of an element of a repeated one.
std::string checkValue(const Message& m, const FieldDescriptor& d, int index, const FieldProgram& f, const Rules* rules) {
  const Reflection& r = *m.GetReflection();
  const bool one = index < 0;
  if (d.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    return checkInner(one ? r.GetMessage(m, &d) : r.GetRepeatedMessage(m, &d, index), f, rules);
  }
  if (!rules) return "";
  switch (d.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL: return reason(rules->checkNumber(one ? r.GetBool(m, &d) : r.GetRepeatedBool(m, &d, index)));
    case FieldDescriptor::CPPTYPE_INT32:
      return reason(rules->checkNumber(one ? r.GetInt32(m, &d) : r.GetRepeatedInt32(m, &d, index)));
    case FieldDescriptor::CPPTYPE_INT64:
      return reason(rules->checkNumber(one ? r.GetInt64(m, &d) : r.GetRepeatedInt64(m, &d, index)));
    case FieldDescriptor::CPPTYPE_UINT32:
      return reason(rules->checkNumber(one ? r.GetUInt32(m, &d) : r.GetRepeatedUInt32(m, &d, index)));
    case FieldDescriptor::CPPTYPE_UINT64:
      return reason(rules->checkNumber(one ? r.GetUInt64(m, &d) : r.GetRepeatedUInt64(m, &d, index)));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return reason(rules->checkNumber(one ? r.GetFloat(m, &d) : r.GetRepeatedFloat(m, &d, index)));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reason(rules->checkNumber(one ? r.GetDouble(m, &d) : r.GetRepeatedDouble(m, &d, index)));
    case FieldDescriptor::CPPTYPE_ENUM:
      return reason(rules->checkEnum(one ? r.GetEnumValue(m, &d) : r.GetRepeatedEnumValue(m, &d, index), *d.enum_type()));
    default: break;
  }
  std::string scratch;
  return reason(
      rules->checkString(one ? r.GetStringReference(m, &d, &scratch) : r.GetRepeatedStringReference(m, &d, index, &scratch)));
}

/// Something that is equal for equal elements.
std::string elementKey(const Message& m, const FieldDescriptor& d, int index) {
  const Reflection& r = *m.GetReflection();
  switch (d.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: return r.GetRepeatedString(m, &d, index);
    case FieldDescriptor::CPPTYPE_MESSAGE: return r.GetRepeatedMessage(m, &d, index).SerializeAsString();
    case FieldDescriptor::CPPTYPE_ENUM: return std::to_string(r.GetRepeatedEnumValue(m, &d, index));
    case FieldDescriptor::CPPTYPE_BOOL: return std::to_string(r.GetRepeatedBool(m, &d, index));
    case FieldDescriptor::CPPTYPE_INT32: return std::to_string(r.GetRepeatedInt32(m, &d, index));
    case FieldDescriptor::CPPTYPE_INT64: return std::to_string(r.GetRepeatedInt64(m, &d, index));
    case FieldDescriptor::CPPTYPE_UINT32: return std::to_string(r.GetRepeatedUInt32(m, &d, index));
    case FieldDescriptor::CPPTYPE_UINT64: return std::to_string(r.GetRepeatedUInt64(m, &d, index));
    case FieldDescriptor::CPPTYPE_FLOAT: return std::to_string(r.GetRepeatedFloat(m, &d, index));
    case FieldDescriptor::CPPTYPE_DOUBLE: return std::to_string(r.GetRepeatedDouble(m, &d, index));
  }
  return "";
}

std::string checkRepeated(const Message& m, const FieldProgram& f, int size) {
  const Rules* elements = f.rules ? f.rules->elements.get() : nullptr;
  std::set<std::string> seen;
  for (int i = 0; i < size; ++i) {
    std::string wrong = checkValue(m, *f.field, i, f, elements);
    if (wrong.empty() && f.rules && f.rules->unique && !seen.insert(elementKey(m, *f.field, i)).second) wrong = ": is there twice";
    if (!wrong.empty()) return std::string("[").append(std::to_string(i)).append("]").append(wrong);
  }
  return "";
}

std::string checkMap(const Message& m, const FieldProgram& f, int size) {
  const Descriptor& entry = *f.field->message_type();
  const Rules* keys = f.rules ? f.rules->keys.get() : nullptr;
  const Rules* values = f.rules ? f.rules->values.get() : nullptr;
  for (int i = 0; i < size; ++i) {
    const Message& pair = m.GetReflection()->GetRepeatedMessage(m, f.field, i);
    const bool named = entry.map_key()->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    std::string path = "[" + (named ? pair.GetReflection()->GetString(pair, entry.map_key()) : std::to_string(i)) + "]";
    std::string wrong = keys ? checkValue(pair, *entry.map_key(), -1, f, keys) : "";
    if (wrong.empty()) wrong = checkValue(pair, *entry.map_value(), -1, f, values);
    if (!wrong.empty()) return path + wrong;
  }
  return "";
}

std::string checkField(const Message& m, const FieldProgram& f) {
  const Reflection& r = *m.GetReflection();
  if (f.field->is_repeated()) {
    const int size = r.FieldSize(m, f.field);
    if (f.rules && !(f.rules->ignore_empty && size == 0)) {
      if (std::string wrong = f.rules->items.check(static_cast<uint64_t>(size), " items"); !wrong.empty()) {
        return reason("must have " + wrong);
      }
    }
    return f.field->is_map() ? checkMap(m, f, size) : checkRepeated(m, f, size);
  }
  if (f.field->has_presence() && !r.HasField(m, f.field)) {
    const bool chosen = f.field->real_containing_oneof() == nullptr;
    return chosen && f.rules && f.rules->required ? ": is required" : "";
  }
  return checkValue(m, *f.field, -1, f, f.rules.get());
}

std::string checkMessage(const Message& message, const Program& program) {
  for (const OneofDescriptor* oneof : program.oneofs) {
    if (!message.GetReflection()->HasOneof(message, oneof)) return "." + oneof->name() + ": one of its fields is required";
  }
  for (const FieldProgram& f : program.fields) {
    if (std::string wrong = checkField(message, f); !wrong.empty()) return "." + f.field->name() + wrong;
  }
  return "";
}

void collectUnknown(const std::string& where, const Rules* rules, std::vector<std::string>& all) {
  if (!rules) return;
  for (const std::string& name : rules->unknown) all.push_back(where + ": " + name);
  for (const Rules* inner : {rules->elements.get(), rules->keys.get(), rules->values.get()}) collectUnknown(where, inner, all);
}

void collectUnknown(const Descriptor& type, std::set<const Descriptor*>& seen, std::vector<std::string>& all) {
  if (!seen.insert(&type).second) return;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    collectUnknown(field.full_name(), rulesOf(field).get(), all);
    if (const Descriptor* inner = messageType(field)) collectUnknown(*inner, seen, all);
  }
}

}  // namespace

std::string violation(const Message& message) {
  const Program& program = Programs::instance().of(*message.GetDescriptor());
  if (!program.needed) return "";
  const std::string wrong = checkMessage(message, program);
  return wrong.empty() ? wrong : wrong.substr(1);
}

std::vector<std::string> unknownRules(const Descriptor& type) {
  std::set<const Descriptor*> seen;
  std::vector<std::string> all;
  collectUnknown(type, seen, all);
  return all;
}

}  // namespace emissary::generate
