#include "control_plane/cluster.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/version.h"

namespace emissary::control_plane {
namespace {

constexpr auto kAskAgain = std::chrono::seconds(30);

source::KubernetesOptions sourceOptions(const settings::Settings& settings) {
  source::KubernetesOptions options;
  options.ns = settings.ns;
  options.single_namespace = settings.single_namespace;
  options.secrets_single_namespace = settings.secrets_single_namespace;
  options.ambassador_id = settings.ambassador_id;
  options.label_selector = settings.label_selector;
  options.field_selector = settings.field_selector;
  options.variables = settings.variables;
  return options;
}

std::string uidOf(const std::string& body) {
  const nlohmann::json read = nlohmann::json::parse(body, nullptr, false);
  const nlohmann::json::json_pointer uid("/metadata/uid");
  return read.is_object() && read.contains(uid) && read[uid].is_string() ? read[uid].get<std::string>() : std::string();
}

}  // namespace

std::optional<kube::Config> clusterConfig(const settings::Settings& settings, std::string& error) {
  return kube::findConfig(settings.kubeconfig, settings.kubernetes_host, settings.kubernetes_port, error);
}

Cluster::Cluster(const settings::Settings& settings, Outputs outputs) : settings_(settings), outputs_(std::move(outputs)) {}

Cluster::~Cluster() { stop(); }

bool Cluster::start(std::string& error) {
  const auto config = clusterConfig(settings_, error);
  if (!config) return false;
  log::info("following a cluster", {{"server", config->server}});
  client_ = std::make_unique<kube::CurlClient>(*config, loop_, fmt::format("emissary/{}", kVersion));
  source_ = std::make_unique<source::KubernetesSource>(sourceOptions(settings_), loop_, *client_, outputs_.sink, outputs_.observer);
  loop_.post([this] {
    source_->start();
    if (settings_.cluster_id.empty()) identify();
  });
  loop_.start();
  return true;
}

void Cluster::stop() {
  // With its loop everything of it comes to rest.
  loop_.stop();
}

void Cluster::identify() {
  kube::Request request;
  request.path = "/api/v1/namespaces/" + kube::escaped(settings_.single_namespace ? settings_.ns : "default");
  client_->send(std::move(request), [this](const kube::Response& response) {
    if (response.ok()) {
      if (const std::string uid = uidOf(response.body); !uid.empty()) outputs_.identified(uid);
    } else if (response.status == 403 || response.status == 404) {
      log::info("the cluster's id is not known", {{"why", response.text()}});
    } else {
      loop_.after(kAskAgain, [this] { identify(); });
    }
  });
}

}  // namespace emissary::control_plane
