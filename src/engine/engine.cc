#include "engine/engine.h"

#include <nlohmann/json.hpp>

#include "engine/state.h"

namespace emissary::engine {

std::string_view tableName(Table table) {
  switch (table) {
    case Table::Service: return "service";
    case Table::Endpoints: return "endpoints";
    case Table::Secret: return "secret";
    case Table::Host: return "host";
    case Table::Listener: return "listener";
    case Table::Mapping: return "mapping";
    case Table::Cluster: return "cluster";
    case Table::Group: return "group";
    case Table::Association: return "association";
    case Table::HostRoutes: return "host_routes";
    case Table::Resource: return "resource";
  }
  return "";
}

Engine::Impl::Impl(Options options) : options_(std::move(options)) {
  installation_ = {options_.ns,
                   options_.bind_address,
                   options_.forbidden_upstreams,
                   options_.strict_labels,
                   options_.load_balancers,
                   options_.administration,
                   options_.envoy};
  own_installation_ = installation_;
  const std::string port = options_.administration.substr(options_.administration.rfind(':'));
  std::erase_if(own_installation_.forbidden_upstreams, [&](const std::string& address) { return address.ends_with(port); });
  dirty_modules_ = true;    // without a Module there are built-in Mappings all the same
  dirty_hosts_set_ = true;  // without any object there is already a stand-in Host
}

// It rarely happens, and anything may use what one has and the other does not.
void Engine::Impl::setEnvoy(ir::EnvoyBuild envoy) {
  if (envoy == installation_.envoy) return;
  installation_.envoy = own_installation_.envoy = std::move(envoy);
  dirty_modules_ = dirty_topology_ = dirty_envoy_ = true;
  for (const auto& [ref, entry] : mappings_) dirty_mappings_.insert(ref);
  for (const auto& [ref, entry] : tcp_mappings_) dirty_tcp_mappings_.insert(ref);
  for (const auto& [key, entry] : virtual_hosts_) dirty_virtual_hosts_.insert(key);
}

// The passes, in order. Each reads what the ones before it left and marks what the ones after it must look at.
serve::Update Engine::Impl::apply(const std::vector<Change>& changes) {
  updateStore(changes);  // objects in; which keys they touch
  updateModule();        // which Module counts
  updateServices();      // the nature of each Service; the addresses of each assignment in use
  updateSecrets();       // which Secrets can be used, and for what
  updateHosts();         // Hosts with their TLS settings; the labels that selectors ask for
  updateTcpMappings();   // where each TCPMapping sends its connections; its group and its cluster
  updateMappings();      // what each Mapping takes and where it sends it; its group and its cluster
  updateClusters();      // clusters, by the settings they are asked for with
  updateGroups();        // canary groups: shares, order, and the Hosts they belong to
  updateTcpGroups();     // groups of TCPMappings: shares, TLS termination
  updateTopology();      // Listeners, filter chains, which RouteConfigurations there are
  updateVirtualHosts();  // the routes of each Host, in order
  updateTables();        // RouteConfigurations
  return finish();       // the difference to what was published before
}

Engine::Engine(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Engine::~Engine() = default;

serve::Update Engine::apply(const std::vector<Change>& changes) { return impl_->apply(changes); }
void Engine::setEnvoy(ir::EnvoyBuild envoy) { impl_->setEnvoy(std::move(envoy)); }
std::vector<Finding> Engine::findings(int64_t now) const { return impl_->findings(now); }
Engine::Standing Engine::standing(const ObjectRef& ref) const { return impl_->standing(ref); }
std::set<ObjectRef> Engine::takeMoved() { return impl_->takeMoved(); }
std::vector<ObjectRef> Engine::provenance(const serve::ResourceKey& key) const { return impl_->provenance(key); }
const std::map<serve::ResourceKey, serve::ResourcePtr>& Engine::resources() const { return impl_->resources; }
nlohmann::ordered_json Engine::ir() const { return impl_->ir(); }
std::shared_ptr<const View> Engine::view() const { return impl_->view(); }
std::map<Kind, ObjectCounts> Engine::objectCounts() const { return impl_->objectCounts(); }
std::vector<CertificateUse> Engine::certificates() const { return impl_->certificates(); }
const model::Module& Engine::module() const { return impl_->module(); }
const std::array<uint64_t, kTables>& Engine::evaluations() const { return impl_->evaluations; }

}  // namespace emissary::engine
