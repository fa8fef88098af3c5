#include "webhook/crd.h"

#include <algorithm>

#include "base/base64.h"
#include "convert/convert.h"
#include "webhook/authority.h"
#include "webhook/json.h"

namespace emissary::webhook {
namespace {

using Json = nlohmann::json;

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
  if (!crd.is_object() || textAt(crd, "/spec/group") != convert::kGroup) return std::nullopt;
  const Json& versions = valueAt(crd, "/spec/versions");
  Json conversion = valueAt(crd, "/spec/conversion");
  if (!versions.is_array() || versions.size() < 2 || !conversion.is_object() || conversion.value("strategy", Json()) == "None") {
    return std::nullopt;
  }
  Crd out;
  out.name = textAt(crd, "/metadata/name");
  out.resource_version = textAt(crd, "/metadata/resourceVersion");
  if (const auto bundle = decodeBase64(textAt(conversion, "/webhook/clientConfig/caBundle"))) out.trusted = certificatesIn(*bundle);
  if (valueAt(conversion, "/webhook/clientConfig").is_object()) conversion["webhook"]["clientConfig"].erase("caBundle");
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
