#include "serve/resource_json.h"

#include <google/protobuf/util/json_util.h>

#include <array>
#include <nlohmann/json.hpp>

#include "envoy/config/route/v3/route_components.pb.h"
#include "envoy/service/discovery/v3/discovery.pb.h"

namespace emissary::serve {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* keyOf(Type type) {
  switch (type) {
    case Type::Listener: return "listeners";
    case Type::Routes: return "routes";
    case Type::Cluster: return "clusters";
    case Type::Endpoints: return "endpoints";
    case Type::Secret: return "secrets";
    case Type::ScopedRoutes: return "scoped_routes";
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

/// Null when it cannot be printed.
Json messageJson(const google::protobuf::Message& message) {
  std::string text;
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  if (!google::protobuf::util::MessageToJsonString(message, &text, options).ok()) return {};
  Json json = Json::parse(text);
  redact(json);
  return json;
}

}  // namespace

Json resourceJson(const Resource& resource) {
  envoy::service::discovery::v3::Resource wrapper;
  Json json = wrapper.ParseFromString(resource.wire) ? messageJson(wrapper.resource()) : Json();
  if (json.is_null()) return {{"name", resource.name}, {"error", "this resource cannot be printed"}};
  json.erase("@type");  // who asks knows it
  return json;
}

Json routesJson(const std::string& routes) {
  envoy::config::route::v3::VirtualHost host;
  Json json = host.ParseFromString(routes) ? messageJson(host) : Json();
  return json.contains("routes") ? std::move(json["routes"]) : Json::array();
}

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

Json envoyJson(const std::map<ResourceKey, ResourcePtr>& resources) {
  Json result;
  for (const auto type : {Type::Listener, Type::Routes, Type::Cluster, Type::Endpoints, Type::Secret}) {
    result[keyOf(type)] = Json::array();
  }
  for (const auto& [key, resource] : resources) result[keyOf(key.type)].push_back(resourceJson(*resource));
  return result;
}

}  // namespace emissary::serve
