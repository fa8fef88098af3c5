#include "compile/endpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/lower.h"
#include "compile/service_text.h"

namespace emissary::compile {
namespace {

// From what an endpoint's port is called or numbered to the Service ports that it stands for ("" : the only one).
class PortMap {
 public:
  explicit PortMap(const model::Service& service) {
    for (const model::ServicePort& port : service.ports) {
      if (port.protocol == "SCTP") continue;
      const std::string number = std::to_string(port.port);
      add(port.target, number);
      if (!port.name.empty()) {
        add(port.target, port.name);
        add(port.name, number);
      }
      if (service.ports.size() == 1) {
        add(port.target, "");
        add("", number);
        add("", "");
      }
    }
  }

  bool leads(const model::EndpointPort& port, const std::string& wanted) const {
    return has(std::to_string(port.port), wanted) || has(port.name, wanted) || has("", wanted);
  }

 private:
  void add(const std::string& from, const std::string& to) { map_[from].insert(to); }
  bool has(const std::string& from, const std::string& to) const {
    const auto it = map_.find(from);
    return it != map_.end() && it->second.contains(to);
  }

  std::map<std::string, std::set<std::string>> map_;
};

void addSlices(const ServiceObjects& objects, const PortMap& ports, const std::string& wanted, bool ready,
               std::vector<Address>& out) {
  for (const model::EndpointSlice* slice : objects.slices) {
    for (const model::EndpointPort& port : slice->ports) {
      if (port.protocol == "SCTP" || !ports.leads(port, wanted)) continue;
      for (const auto& endpoint : slice->endpoints) {
        if (ready ? !endpoint.ready : !(endpoint.serving && endpoint.terminating)) continue;
        for (const std::string& ip : endpoint.addresses) out.push_back({ip, port.port});
      }
    }
  }
}

// Names of this machine: an ExternalName must not lead to the gateway's own administration.
bool leadsToOurselves(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name == "localhost" || name.ends_with(".localhost") || isIpAddress(name);
}

}  // namespace

ServiceShape shapeOf(const model::Service* service) {
  ServiceShape shape;
  if (!service) return shape;
  shape.exists = true;
  shape.has_cluster_ip = service->type != "ExternalName" && isIpAddress(service->cluster_ip);
  if (service->type == "ExternalName") shape.external_name = lower(service->external_name);
  for (const model::ServicePort& port : service->ports) shape.ports.push_back(port.port);
  return shape;
}

ir::Discovery discover(const ir::Upstream& upstream, const ServiceShape& shape) {
  using Kind = ir::Discovery::Kind;
  if (isIpAddress(upstream.host)) return {Kind::Address, "", ""};
  if (upstream.service_name.empty()) return {Kind::Dns, "", ""};
  if (!shape.external_name.empty()) {
    if (leadsToOurselves(shape.external_name)) return {Kind::Endpoints, assignmentOf(upstream).name(), ""};  // and nothing is in it
    return {Kind::Dns, "", shape.external_name};
  }
  const bool endpoints = upstream.resolver == ir::Upstream::Resolver::Endpoint;
  const bool cluster_ip = !endpoints && shape.has_cluster_ip && !upstream.policy->dns_type_given;
  if (endpoints || cluster_ip) return {Kind::Endpoints, assignmentOf(upstream).name(), ""};
  return {Kind::Dns, "", ""};
}

std::string Assignment::name() const { return fmt::format("{}/{}/{}/{}", cluster_ip ? "clusterip" : "k8s", ns, service, port); }

Assignment assignmentOf(const ir::Upstream& upstream) {
  return {upstream.resolver == ir::Upstream::Resolver::Service, upstream.service_namespace, upstream.service_name, upstream.port};
}

std::vector<Address> addressesOf(const Assignment& assignment, const ServiceObjects& objects) {
  std::vector<Address> out;
  if (!objects.service || objects.service->type == "ExternalName") return out;
  if (assignment.cluster_ip) {
    if (isIpAddress(objects.service->cluster_ip)) out.push_back({objects.service->cluster_ip, assignment.port});
    return out;
  }
  const PortMap ports(*objects.service);
  const std::string wanted = std::to_string(assignment.port);
  if (!objects.slices.empty()) {
    addSlices(objects, ports, wanted, true, out);
    if (out.empty()) addSlices(objects, ports, wanted, false, out);
  } else if (objects.endpoints) {
    for (const auto& subset : objects.endpoints->subsets) {
      for (const model::EndpointPort& port : subset.ports) {
        if (port.protocol == "SCTP" || !ports.leads(port, wanted)) continue;
        for (const std::string& ip : subset.addresses) out.push_back({ip, port.port});
      }
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::string portProblem(const ir::Upstream& upstream, const ServiceShape& shape) {
  if (upstream.service_name.empty()) return "";
  if (!shape.external_name.empty()) {
    if (!leadsToOurselves(shape.external_name)) return "";
    return fmt::format("Service {}/{} has the externalName {}, which is not followed; write the name of another host",
                       upstream.service_namespace, upstream.service_name, shape.external_name);
  }
  const bool by_endpoints = upstream.resolver == ir::Upstream::Resolver::Endpoint;
  if (!shape.exists) {
    if (!by_endpoints) return "";
    return fmt::format("Service {}/{} does not exist, so \"{}:{}\" matches no endpoints", upstream.service_namespace,
                       upstream.service_name, upstream.host, upstream.port);
  }
  if (!by_endpoints && !shape.has_cluster_ip) return "";
  if (std::find(shape.ports.begin(), shape.ports.end(), upstream.port) != shape.ports.end()) return "";
  std::string known;
  for (const uint16_t port : shape.ports) known += (known.empty() ? "" : ", ") + std::to_string(port);
  return fmt::format("Service {}/{} has no port {} (it has {}), so it matches no endpoints; name one of its ports",
                     upstream.service_namespace, upstream.service_name, upstream.port, known.empty() ? "none" : known);
}

}  // namespace emissary::compile
