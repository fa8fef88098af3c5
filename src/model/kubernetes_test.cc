#include "model/testing.h"

namespace emissary::model {
namespace {

ObjectPtr core(std::string_view kind, std::string_view rest) {
  return parsedObject("{apiVersion: v1, kind: " + std::string(kind) + ", metadata: {name: a, namespace: edge}, " +
                      std::string(rest) + "}");
}

ObjectPtr slice(std::string_view rest) {
  return parsedObject(
      "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: a-1, namespace: edge, labels: "
      "{kubernetes.io/service-name: a}}, " +
      std::string(rest) + "}");
}

TEST(ModelService, Fields) {
  const ObjectPtr object = core("Service", R"(spec: {type: NodePort, clusterIP: "fd00::1", externalName: x, selector: {a: b},
    ports: [{name: web, port: 80, targetPort: http, nodePort: 30000}, {port: 81, targetPort: 9000, protocol: UDP}, {port: 82}]})");
  EXPECT_EQ(all(*object), "");
  const auto& service = std::get<Service>(object->spec);
  EXPECT_EQ(service.type, "NodePort");
  EXPECT_EQ(service.cluster_ip, "fd00::1");
  EXPECT_EQ(service.external_name, "x");
  ASSERT_EQ(service.ports.size(), 3u);
  EXPECT_EQ(service.ports[0].name, "web");
  EXPECT_EQ(service.ports[0].port, 80);
  EXPECT_EQ(service.ports[0].target, "http");
  EXPECT_EQ(service.ports[0].protocol, "TCP");
  EXPECT_EQ(service.ports[1].target, "9000");
  EXPECT_EQ(service.ports[1].protocol, "UDP");
  EXPECT_EQ(service.ports[2].target, "82");
  EXPECT_EQ(std::get<Service>(core("Service", "spec: {clusterIP: None}")->spec).cluster_ip, "None");
  EXPECT_EQ(std::get<Service>(core("Service", "spec: null")->spec).type, "ClusterIP");
}

TEST(ModelService, Mistakes) {
  struct Row {
    const char* spec;
    const char* finding;
  };
  for (const Row& row :
       {Row{"spec: {clusterIP: 10.0.0}", "error spec.clusterIP: \"10.0.0\" is no IP address\n"},
        Row{"spec: {type: Clusterip}", "error spec.type: must be one of"},
        Row{"spec: {ports: {}}", "error spec.ports: must be a list of ports"},
        Row{"spec: {ports: [80]}", "error spec.ports[0]: must be a map of fields, but is the number 80"},
        Row{"spec: {ports: [{port: 0}]}", "error spec.ports[0].port: must be from 1 to 65535"},
        Row{"spec: {ports: [{port: 1, targetPort: true}]}", "error spec.ports[0].targetPort: must be a whole number"},
        Row{"spec: []", "error spec: must be a map"}}) {
    const ObjectPtr object = core("Service", row.spec);
    EXPECT_FALSE(object->usable);
    EXPECT_TRUE(all(*object).starts_with(row.finding)) << all(*object);
  }
}

TEST(ModelEndpoints, ReadyAddressesOnly) {
  const ObjectPtr object = core("Endpoints", R"(subsets: [
    {addresses: [{ip: 10.0.0.1, nodeName: n}, {ip: "fd00::1"}], notReadyAddresses: [{ip: 10.0.0.9}], ports: [{name: web, port: 8080}, {port: 53, protocol: UDP}]},
    {notReadyAddresses: [{ip: 10.0.0.8}], ports: [{port: 1}]}])");
  EXPECT_EQ(all(*object), "");
  const auto& endpoints = std::get<Endpoints>(object->spec);
  ASSERT_EQ(endpoints.subsets.size(), 2u);
  EXPECT_EQ(endpoints.subsets[0].addresses, (std::vector<std::string>{"10.0.0.1", "fd00::1"}));
  ASSERT_EQ(endpoints.subsets[0].ports.size(), 2u);
  EXPECT_EQ(endpoints.subsets[0].ports[0].name, "web");
  EXPECT_EQ(endpoints.subsets[0].ports[0].port, 8080);
  EXPECT_EQ(endpoints.subsets[0].ports[1].protocol, "UDP");
  EXPECT_TRUE(endpoints.subsets[1].addresses.empty());
  EXPECT_TRUE(core("Endpoints", "subsets: null")->usable);
}

TEST(ModelEndpoints, BadAddressesAreSkipped) {
  const ObjectPtr object = core(
      "Endpoints", R"(subsets: [{addresses: [{ip: 10.0.0.256}, {ip: "1.2.3.4\0x"}, {ip: 3}, {hostname: h}, {ip: 10.0.0.1}]}])");
  EXPECT_TRUE(object->usable);
  EXPECT_EQ(std::get<Endpoints>(object->spec).subsets[0].addresses, std::vector<std::string>{"10.0.0.1"});
  ASSERT_EQ(object->findings.size(), 4u) << all(*object);
  EXPECT_EQ(object->findings[0].field, "subsets[0].addresses[0].ip");
  EXPECT_EQ(object->findings[0].message, "\"10.0.0.256\" is no IP address; it is skipped");
  for (const Finding& finding : object->findings) EXPECT_EQ(finding.severity, Severity::Warning);
  EXPECT_EQ(all(*core("Endpoints", "subsets: 3")), "error subsets: must be a list, but is the number 3\n");
}

TEST(ModelEndpointSlice, Conditions) {
  const ObjectPtr object = slice(R"(addressType: IPv4, ports: [{name: web, port: 8080}, {name: any}], endpoints: [
    {addresses: [10.0.0.1]},
    {addresses: [10.0.0.2], conditions: {ready: null, serving: null}},
    {addresses: [10.0.0.3], conditions: {ready: false}},
    {addresses: [10.0.0.4], conditions: {ready: false, serving: true, terminating: true}}])");
  EXPECT_EQ(all(*object), "");
  const auto& s = std::get<EndpointSlice>(object->spec);
  EXPECT_EQ(s.service, "a");
  EXPECT_EQ(s.address_type, "IPv4");
  ASSERT_EQ(s.ports.size(), 1u);
  EXPECT_EQ(s.ports[0].port, 8080);
  ASSERT_EQ(s.endpoints.size(), 4u);
  const bool expected[4][3] = {{true, true, false}, {true, true, false}, {false, false, false}, {false, true, true}};
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(s.endpoints[i].ready, expected[i][0]) << i;
    EXPECT_EQ(s.endpoints[i].serving, expected[i][1]) << i;
    EXPECT_EQ(s.endpoints[i].terminating, expected[i][2]) << i;
  }
  EXPECT_TRUE(
      parsedObject("{apiVersion: discovery.k8s.io/v1beta1, kind: EndpointSlice, metadata: {name: a}, addressType: IPv6}")->usable);
}

TEST(ModelEndpointSlice, Mistakes) {
  const ObjectPtr family = slice("addressType: IPv6, endpoints: [{addresses: [10.0.0.1, 'fd00::1']}]");
  EXPECT_EQ(all(*family), "warning endpoints[0].addresses[0]: \"10.0.0.1\" is no IPv6 address; it is skipped\n");
  EXPECT_EQ(std::get<EndpointSlice>(family->spec).endpoints[0].addresses, std::vector<std::string>{"fd00::1"});
  const ObjectPtr names = slice("addressType: FQDN, endpoints: [{addresses: [a.b]}]");
  EXPECT_EQ(names->findings[0].severity, Severity::Notice);
  EXPECT_TRUE(std::get<EndpointSlice>(names->spec).endpoints.empty());
  EXPECT_EQ(all(*slice("endpoints: []")), "error addressType: is missing; write IPv4 or IPv6\n");
  EXPECT_FALSE(slice("addressType: IPv4, endpoints: {}")->usable);
  EXPECT_FALSE(slice("addressType: IPv4, endpoints: [{addresses: [10.0.0.1], conditions: {ready: 'yes'}}]")->usable);
}

}  // namespace
}  // namespace emissary::model
