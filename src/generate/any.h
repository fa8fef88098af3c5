#pragma once
// Serialising, deterministically at every level. google.protobuf.Any's own PackFrom is not (maps inside come out in any order), so
// nothing else may fill an Any.

#include <google/protobuf/any.pb.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message.h>

#include <memory>
#include <string>

#ifdef EMISSARY_MUTATION
#include "generate/mutation.h"
#endif

namespace emissary::generate {

inline std::string serializeAsIs(const google::protobuf::MessageLite& message) {
  std::string bytes;
  bytes.reserve(message.ByteSizeLong());
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

inline std::string serialize(const google::protobuf::Message& message) {
#ifdef EMISSARY_MUTATION
  const std::unique_ptr<google::protobuf::Message> changed(message.New());
  changed->CopyFrom(message);
  mutate(*changed);
  return serializeAsIs(*changed);
#else
  return serializeAsIs(message);
#endif
}

inline void packAny(const google::protobuf::Message& message, google::protobuf::Any* any) {
  any->set_type_url("type.googleapis.com/" + message.GetDescriptor()->full_name());
  any->set_value(serialize(message));
}

}  // namespace emissary::generate
