// Endpoints (core/v1) and EndpointSlice (discovery.k8s.io): the addresses behind a Service.

#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>

#include "model/readers.h"
#include "model/text.h"

namespace emissary::model {
namespace {

using manifest::Value;

constexpr std::string_view kServiceLabel = "kubernetes.io/service-name";
constexpr std::array<std::string_view, 3> kAddressTypes = {"IPv4", "IPv6", "FQDN"};

/// The list under `name`; null pointer when absent, or wrong (the object is refused).
const Value* listOf(Fields& fields, std::string_view name) {
  const Value* value = fields.take(name);
  if (value == nullptr || value->isList()) return value;
  fields.refuse(name, "must be a list, but is " + describe(*value));
  return nullptr;
}

void readPorts(Fields& fields, std::vector<EndpointPort>& out) {
  const Value* ports = listOf(fields, "ports");
  if (ports == nullptr) return;
  const Path list = fields.path("ports");
  for (size_t i = 0; i < ports->list.size(); ++i) {
    Fields item(fields.report(), &ports->list[i], Path(&list, i));
    EndpointPort port;
    int64_t number = 0;
    std::string protocol;
    item.read("name", port.name);
    if (item.read("protocol", protocol) && !protocol.empty()) port.protocol = std::move(protocol);
    // A slice may leave the number out ("any port"); there is no address to make of it.
    if (!item.read("port", number, 1, 65535)) continue;
    port.port = static_cast<uint16_t>(number);
    out.push_back(std::move(port));
  }
}

void addAddress(Report& report, const Value& value, const Path& path, std::string_view family, std::vector<std::string>& out) {
  if (!value.isString()) {
    report.warning(path.text(), value.line, fmt::format("must be an IP address, but is {}; it is skipped", describe(value)));
    return;
  }
  const std::string_view found = ipFamily(value.string);
  if (found.empty() || (!family.empty() && found != family)) {
    const std::string_view expected = family.empty() ? "" : family == "4" ? "v4" : "v6";
    report.warning(path.text(), value.line, fmt::format("{} is no IP{} address; it is skipped", quoted(value.string), expected));
    return;
  }
  out.push_back(value.string);
}

void readSubset(Fields& subset, Endpoints& endpoints) {
  Endpoints::Subset out;
  readPorts(subset, out.ports);
  if (const Value* addresses = listOf(subset, "addresses")) {
    const Path list = subset.path("addresses");
    for (size_t i = 0; i < addresses->list.size(); ++i) {
      const Path at(&list, i);
      Fields address(subset.report(), &addresses->list[i], at);
      const Value* ip = address.take("ip");
      if (ip != nullptr) {
        addAddress(subset.report(), *ip, address.path("ip"), "", out.addresses);
      } else if (!address.empty()) {
        address.warning("ip", "is missing; the address is skipped");
      }
    }
  }
  endpoints.subsets.push_back(std::move(out));
}

void readEndpoint(Fields& fields, std::string_view family, EndpointSlice& slice) {
  EndpointSlice::Endpoint endpoint;
  if (const Value* value = fields.take("conditions")) {
    Fields conditions(fields.report(), value, fields.path("conditions"));
    conditions.read("ready", endpoint.ready);
    endpoint.serving = endpoint.ready;
    conditions.read("serving", endpoint.serving);
    conditions.read("terminating", endpoint.terminating);
  }
  if (const Value* addresses = listOf(fields, "addresses")) {
    const Path list = fields.path("addresses");
    for (size_t i = 0; i < addresses->list.size(); ++i) {
      addAddress(fields.report(), addresses->list[i], Path(&list, i), family, endpoint.addresses);
    }
  }
  if (!endpoint.addresses.empty()) slice.endpoints.push_back(std::move(endpoint));
}

}  // namespace

std::string_view ipFamily(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> buffer;
  // inet_pton reads up to a zero byte; what follows one would go unseen.
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string::npos) return {};
  if (inet_pton(AF_INET, text.c_str(), buffer.data()) == 1) return "4";
  if (inet_pton(AF_INET6, text.c_str(), buffer.data()) == 1) return "6";
  return {};
}

void readEndpoints(const Value& document, Report& report) {
  Endpoints endpoints;
  // The document's own fields have no name before them.
  if (const Value* subsets = document.find("subsets"); subsets != nullptr && !subsets->isNull()) {
    const Path list(nullptr, "subsets");
    if (!subsets->isList()) report.refuse("subsets", subsets->line, "must be a list, but is " + describe(*subsets));
    for (size_t i = 0; i < subsets->list.size(); ++i) {
      Fields subset(report, &subsets->list[i], Path(&list, i));
      readSubset(subset, endpoints);
    }
  }
  report.object().spec = std::move(endpoints);
}

void readEndpointSlice(const Value& document, Report& report) {
  Object& object = report.object();
  EndpointSlice slice;
  if (const auto label = object.labels.find(std::string(kServiceLabel)); label != object.labels.end())
    slice.service = label->second;
  Fields fields(report, &document, Path(nullptr, ""));
  if (!fields.require("addressType", "write IPv4 or IPv6")) return;
  const int type = fields.readChoice("addressType", kAddressTypes);
  if (type < 0) return;
  slice.address_type = kAddressTypes[static_cast<size_t>(type)];
  if (slice.address_type == "FQDN") {
    fields.notice("addressType", "endpoints by name are not used; only IPv4 and IPv6 are");
    object.spec = std::move(slice);
    return;
  }
  readPorts(fields, slice.ports);
  if (const Value* endpoints = listOf(fields, "endpoints")) {
    const Path list = fields.path("endpoints");
    for (size_t i = 0; i < endpoints->list.size(); ++i) {
      Fields endpoint(report, &endpoints->list[i], Path(&list, i));
      readEndpoint(endpoint, type == 0 ? "4" : "6", slice);
    }
  }
  object.spec = std::move(slice);
}

}  // namespace emissary::model
