#include "cli/resource_json.h"

#include <google/protobuf/util/json_util.h>

#include <array>
#include <nlohmann/json.hpp>

#include "envoy/service/discovery/v3/discovery.pb.h"

namespace emissary::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* keyOf(serve::Type type) {
  switch (type) {
    case serve::Type::Listener: return "listeners";
    case serve::Type::Routes: return "routes";
    case serve::Type::Cluster: return "clusters";
    case serve::Type::Endpoints: return "endpoints";
    case serve::Type::Secret: return "secrets";
    case serve::Type::ScopedRoutes: return "scoped_routes";
  }
  return "";
}

bool holdsSecret(const std::string& field) {
  constexpr std::array kFields = {"private_key", "password", "session_ticket_keys", "generic_secret", "pkcs12"};
  return std::find(kFields.begin(), kFields.end(), field) != kFields.end();
}

void hide(Json& json) {
  if (json.is_structured()) {
    for (auto& value : json) hide(value);
  } else {
    json = "<redacted>";
  }
}

Json toJson(const serve::Resource& resource) {
  envoy::service::discovery::v3::Resource wrapper;
  std::string text;
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  if (!wrapper.ParseFromString(resource.wire) ||
      !google::protobuf::util::MessageToJsonString(wrapper.resource(), &text, options).ok()) {
    return {{"name", resource.name}, {"error", "this resource cannot be printed"}};
  }
  Json json = Json::parse(text);
  json.erase("@type");  // the list says it
  redact(json);
  return json;
}

}  // namespace

void redact(Json& json) {
  if (json.is_array()) {
    for (auto& value : json) redact(value);
  }
  if (!json.is_object()) return;
  for (auto& [key, value] : json.items()) {
    if (holdsSecret(key)) hide(value);
    else redact(value);
  }
}

Json envoyJson(const std::map<serve::ResourceKey, serve::ResourcePtr>& resources) {
  Json result;
  for (const auto type :
       {serve::Type::Listener, serve::Type::Routes, serve::Type::Cluster, serve::Type::Endpoints, serve::Type::Secret}) {
    result[keyOf(type)] = Json::array();
  }
  for (const auto& [key, resource] : resources) result[keyOf(key.type)].push_back(toJson(*resource));
  return result;
}

}  // namespace emissary::cli
