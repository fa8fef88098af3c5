// Service (core/v1): what a Mapping may point to.

#include <fmt/format.h>

#include <array>

#include "model/readers.h"
#include "model/text.h"

namespace emissary::model {
namespace {

using manifest::Value;

constexpr std::array<std::string_view, 4> kServiceTypes = {"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"};

void readTarget(Fields& fields, ServicePort& port) {
  port.target = std::to_string(port.port);  // what the API server fills in
  const Value* value = fields.take("targetPort");
  if (value == nullptr) return;
  int64_t number = 0;
  if (value->isString()) {
    std::string name;
    if (fields.read("targetPort", name) && !name.empty()) port.target = std::move(name);
  } else if (fields.read("targetPort", number, 0, 65535) && number != 0) {
    port.target = std::to_string(number);
  }
}

void readPorts(Fields& spec, Service& service) {
  const Value* value = spec.take("ports");
  if (value == nullptr) return;
  const Path list = spec.path("ports");
  if (!value->isList()) {
    spec.report().refuse(list.text(), value->line, "must be a list of ports, but is " + describe(*value));
    return;
  }
  for (size_t i = 0; i < value->list.size(); ++i) {
    Fields fields(spec.report(), &value->list[i], Path(&list, i));
    ServicePort port;
    int64_t number = 0;
    if (fields.require("port", "a port of a Service has a number") && fields.read("port", number, 1, 65535)) {
      port.port = static_cast<uint16_t>(number);
    }
    fields.read("name", port.name);
    readTarget(fields, port);
    std::string protocol;
    if (fields.read("protocol", protocol) && !protocol.empty()) port.protocol = std::move(protocol);
    service.ports.push_back(std::move(port));
  }
}

}  // namespace

void readService(const Value& document, Report& report) {
  Service service;
  Fields spec(report, document.find("spec"), Path(nullptr, "spec"));
  if (const Value* type = spec.take("type"); type != nullptr && !(type->isString() && type->string.empty())) {
    const int choice = spec.readChoice("type", kServiceTypes);
    if (choice >= 0) service.type = kServiceTypes[static_cast<size_t>(choice)];
  }
  std::string text;
  if (spec.read("clusterIP", text) && !text.empty()) {
    if (text != "None" && ipFamily(text).empty()) spec.refuse("clusterIP", fmt::format("{} is no IP address", quoted(text)));
    service.cluster_ip = std::move(text);
  }
  spec.read("externalName", service.external_name);
  readPorts(spec, service);
  report.object().spec = std::move(service);
}

}  // namespace emissary::model
