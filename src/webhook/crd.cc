#include "webhook/crd.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "convert/convert.h"
#include "webhook/authority.h"

namespace emissary::webhook {
namespace {

using Json = nlohmann::json;

/// What is at the end of a way down; null where there is none.
Json at(const Json& json, const char* pointer) {
  const Json::json_pointer where(pointer);
  return json.contains(where) ? json[where] : Json();
}

std::string text(const Json& json) { return json.is_string() ? json.get<std::string>() : std::string(); }

Json conversionBy(const ServiceName& service) {
  Json out = {{"strategy", "Webhook"}};
  out["webhook"]["conversionReviewVersions"] = {"v1"};
  out["webhook"]["clientConfig"]["service"] = {
      {"namespace", service.ns}, {"name", service.name}, {"path", kConvertPath}, {"port", 443}};
  return out;
}

}  // namespace

bool Crd::trusts(std::string_view certificate) const {
  return std::find(trusted.begin(), trusted.end(), certificate) != trusted.end();
}

std::optional<Crd> readCrd(const Json& crd, const ServiceName& service) {
  if (!crd.is_object() || text(at(crd, "/spec/group")) != convert::kGroup) return std::nullopt;
  const Json versions = at(crd, "/spec/versions");
  Json conversion = at(crd, "/spec/conversion");
  if (!versions.is_array() || versions.size() < 2 || !conversion.is_object() || conversion.value("strategy", Json()) == "None") {
    return std::nullopt;
  }
  Crd out;
  out.name = text(at(crd, "/metadata/name"));
  out.resource_version = text(at(crd, "/metadata/resourceVersion"));
  if (const auto bundle = decodeBase64(text(at(conversion, "/webhook/clientConfig/caBundle"))))
    out.trusted = certificatesIn(*bundle);
  if (Json::json_pointer where("/webhook/clientConfig"); at(conversion, "/webhook/clientConfig").is_object()) {
    conversion[where].erase("caBundle");
  }
  out.leads_here = conversion == conversionBy(service);
  out.text = crd.dump(-1, ' ', false, Json::error_handler_t::replace);
  return out;
}

std::string converting(const Crd& crd, const ServiceName& service, const std::vector<std::string>& bundle) {
  Json out = Json::parse(crd.text);
  std::string all;
  for (const std::string& certificate : bundle) all += certificate;
  Json conversion = conversionBy(service);
  conversion["webhook"]["clientConfig"]["caBundle"] = encodeBase64(all);
  out["spec"]["conversion"] = std::move(conversion);
  return out.dump();
}

}  // namespace emissary::webhook
