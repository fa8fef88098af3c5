#include "serve/resource_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/endpoint/v3/endpoint.pb.h"
#include "envoy/extensions/transport_sockets/tls/v3/tls.pb.h"

namespace emissary::serve {
namespace {

using Json = nlohmann::ordered_json;

std::map<ResourceKey, ResourcePtr> of(const std::vector<ResourcePtr>& list) {
  std::map<ResourceKey, ResourcePtr> result;
  for (const auto& resource : list) result[{resource->type, resource->name}] = resource;
  return result;
}

TEST(ResourceJson, NothingIsFiveEmptyLists) {
  EXPECT_EQ(envoyJson({}).dump(), R"({"listeners":[],"routes":[],"clusters":[],"endpoints":[],"secrets":[]})");
}

TEST(ResourceJson, ProtoNamesSortedAndExpanded) {
  envoy::config::cluster::v3::Cluster a, b;
  a.set_name("a");
  a.mutable_connect_timeout()->set_seconds(3);
  envoy::extensions::transport_sockets::tls::v3::UpstreamTlsContext tls;
  tls.set_sni("example.com");
  a.mutable_transport_socket()->set_name("envoy.transport_sockets.tls");
  a.mutable_transport_socket()->mutable_typed_config()->PackFrom(tls);
  b.set_name("b");
  const Json json = envoyJson(
      of({makeResource(Type::Cluster, "b", b.SerializeAsString()), makeResource(Type::Cluster, "a", a.SerializeAsString())}));
  ASSERT_EQ(json["clusters"].size(), 2u);
  EXPECT_EQ(json["clusters"][0]["name"], "a");
  EXPECT_EQ(json["clusters"][0]["connect_timeout"], "3s");
  EXPECT_EQ(json["clusters"][0]["transport_socket"]["typed_config"]["sni"], "example.com");
  EXPECT_EQ(json["clusters"][1]["name"], "b");
}

TEST(ResourceJson, KeysAreRedactedCertificatesAreNot) {
  envoy::extensions::transport_sockets::tls::v3::Secret secret;
  secret.set_name("s");
  secret.mutable_tls_certificate()->mutable_certificate_chain()->set_inline_string("CERT");
  secret.mutable_tls_certificate()->mutable_private_key()->set_inline_bytes("TOPSECRET");
  secret.mutable_tls_certificate()->mutable_password()->set_inline_string("PASSWORD");
  const Json json = envoyJson(of({makeResource(Type::Secret, "s", secret.SerializeAsString())}));
  const Json& certificate = json["secrets"][0]["tls_certificate"];
  EXPECT_EQ(certificate["certificate_chain"]["inline_string"], "CERT");
  EXPECT_EQ(certificate["private_key"]["inline_bytes"], "<redacted>");
  EXPECT_EQ(certificate["password"]["inline_string"], "<redacted>");
}

TEST(ResourceJson, ListsOfSecretsAreRedacted) {
  Json json = Json::parse(R"({"session_ticket_keys":{"keys":[{"inline_string":"a"},{"filename":"b"}]},"keep":["c"]})");
  redact(json);
  EXPECT_EQ(json.dump(),
            R"({"session_ticket_keys":{"keys":[{"inline_string":"<redacted>"},{"filename":"<redacted>"}]},"keep":["c"]})");
}

}  // namespace
}  // namespace emissary::serve
