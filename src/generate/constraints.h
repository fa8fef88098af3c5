#pragma once
// The constraints that Envoy's API states in its descriptors (validate.rules), checked before a resource is published: a
// resource that breaks one would cost Envoy the whole response that carries it. Any thread; the tables made of a
// message's descriptors are built once and shared.

#include <string>
#include <vector>

namespace google::protobuf {
class Descriptor;
class Message;
}  // namespace google::protobuf

namespace emissary::generate {

/// "path.of.field[0]: what is wrong" of the first constraint that `message`, or a message packed in it whose type is
/// linked in, breaks; "" when there is none. Never holds a value of the message.
std::string violation(const google::protobuf::Message& message);

/// Rules below this type that `violation` does not know, "Message.field: rule". None in the Envoy that is built with.
std::vector<std::string> unknownRules(const google::protobuf::Descriptor& type);

}  // namespace emissary::generate
