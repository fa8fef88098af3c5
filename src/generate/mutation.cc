#ifdef EMISSARY_MUTATION

#include "generate/mutation.h"

#include <google/protobuf/descriptor.h>

#include <cstdlib>
#include <fstream>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace emissary::generate {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

void see(const FieldDescriptor* field) {
  static const std::string path = variable("EMISSARY_MUTATION_SEEN");
  static std::mutex mutex;
  static std::set<const FieldDescriptor*> seen;
  if (path.empty()) return;
  const std::lock_guard lock(mutex);
  if (seen.insert(field).second) std::ofstream(path, std::ios::app) << field->full_name() << '\n';
}

}  // namespace

void mutate(Message& message) {
  static const std::string drop = variable("EMISSARY_MUTATION_DROP");
  const google::protobuf::Reflection* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    see(field);
    if (field->full_name() == drop) {
      reflection->ClearField(&message, field);
      continue;
    }
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      mutate(*reflection->MutableMessage(&message, field));
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) mutate(*reflection->MutableRepeatedMessage(&message, field, i));
  }
}

}  // namespace emissary::generate

#endif
