#pragma once
// The engine's tables. Each value is a pure function of its key and of values that come before it in the order of the passes
// (engine.cc lists them); a pass evaluates the keys marked dirty and marks, of what comes after, only what uses a value that moved.
//
// Private to engine/; one thread.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "compile/endpoints.h"
#include "compile/host.h"
#include "compile/listener.h"
#include "compile/mapping.h"
#include "compile/match_tree.h"
#include "compile/order.h"
#include "compile/tcp.h"
#include "engine/engine.h"
#include "engine/view.h"
#include "ir/ir.h"

namespace emissary::engine {

struct NamespacedName {
  std::string ns;
  std::string name;
  auto operator<=>(const NamespacedName&) const = default;
};

struct ClusterEntry;

struct ServiceEntry {
  ObjectPtr service;
  ObjectPtr endpoints;
  std::map<std::string, ObjectPtr> slices;  // by the slice's name
  compile::ServiceShape shape;
  std::set<ClusterEntry*> users;
};

struct AssignmentEntry {
  std::set<ClusterEntry*> users;
};

struct ClusterEntry {
  const ir::Upstream* upstream = nullptr;  // the key
  Hash128 hash;                            // of the key
  std::set<ObjectRef> mappings;            // and TCPMappings: who asks for it
  std::string name;
  std::optional<ir::Discovery> discovery;
  /// Why Envoy would refuse it; its routes then answer 503.
  std::string problem;
  /// The Service has no such port.
  std::string port_problem;
};

struct GroupEntry;

struct MappingEntry {
  ObjectPtr object;
  std::optional<compile::MappingResult> result;  // absent until evaluated
  ClusterEntry* cluster = nullptr;
  GroupEntry* group = nullptr;
  std::set<NamespacedName> secrets;  // looked up, found or not
  std::set<std::string> contexts;    // names looked up
};

/// Mappings that are for the same Hosts, whatever their paths.
struct ClassKey {
  ir::HostMatch host;
  std::vector<std::pair<std::string, std::string>> labels;
  auto operator<=>(const ClassKey&) const = default;
};

struct GroupOrder {
  bool operator()(const GroupEntry* a, const GroupEntry* b) const;
};

struct HostEntry;

struct ClassEntry {
  const ClassKey* key = nullptr;
  std::set<GroupEntry*, GroupOrder> groups;  // in the order in which routes are tried
  std::set<HostEntry*> hosts;
};

/// Serialised routes.
struct Piece {
  std::string bytes;
  uint32_t count = 0;
};

struct GroupEntry {
  const ir::Match* match = nullptr;              // the key
  std::map<std::string, MappingEntry*> members;  // by compile::orderName
  compile::SortKey sort;
  compile::PathReach reach;
  std::string first;  // the first member's order name, as of when it was put into its class
  ClassEntry* of = nullptr;
  bool acme = false;
  /// By form (see formIndex); made when first asked for.
  std::array<std::optional<Piece>, 4> pieces;
  std::vector<std::string> clusters;
  std::vector<Finding> findings;
};

struct TcpMappingEntry {
  ObjectPtr object;
  std::optional<compile::TcpMappingResult> result;  // absent until evaluated
  ClusterEntry* cluster = nullptr;
  std::optional<compile::TcpKey> group;  // absent when it cannot be used
  std::set<NamespacedName> secrets;      // looked up, found or not
  std::set<std::string> contexts;        // names looked up
};

struct TcpGroupEntry {
  std::map<std::string, ObjectRef> members;  // by compile::orderName
  compile::TcpGroup result;
  std::set<NamespacedName> secrets;  // looked up, found or not
};

struct HostEntry {
  ObjectPtr object;  // null for the stand-in
  compile::HostResult result;
  std::set<NamespacedName> secrets;  // looked up, found or not
  std::set<std::string> contexts;    // names looked up
  std::set<ClassEntry*> classes;
};

struct VirtualHostEntry {
  size_t uses = 0;
  std::string bytes;
  std::vector<std::string> clusters;
};

struct TableEntry {
  ir::RouteTable spec;
};

/// Objects of one kind, or of kinds that share their names: name → namespace.
using ByName = std::map<std::string, std::map<std::string, ObjectPtr>>;

/// What a reference in namespace `ns` means: the object there, else the first of that name, else, of "name.namespace", just that
/// one. Null: there is none.
ObjectPtr referredTo(const ByName& objects, std::string_view name, std::string_view ns);

/// The other name of a resolver that has two; "" for all others.
std::string_view otherResolverName(std::string_view name);

class Engine::Impl {
 public:
  explicit Impl(Options options);

  serve::Update apply(const std::vector<Change>& changes);
  void setEnvoy(ir::EnvoyBuild envoy);

  std::vector<Finding> findings(int64_t now) const;
  Standing standing(const ObjectRef& ref) const;
  std::set<ObjectRef> takeMoved() { return std::exchange(moved_, {}); }
  std::vector<ObjectRef> provenance(const serve::ResourceKey& key) const;
  nlohmann::ordered_json ir() const;
  std::map<Kind, ObjectCounts> objectCounts() const;
  std::vector<CertificateUse> certificates() const;
  const model::Module& module() const { return *module_; }
  std::shared_ptr<const View> view() const;

  std::map<serve::ResourceKey, serve::ResourcePtr> resources;
  std::array<uint64_t, kTables> evaluations{};

 private:
  // ---- objects.cc: the store
  void updateStore(const std::vector<Change>& changes);
  bool ours(const Object& object) const;
  void use(const ObjectRef& ref, const ObjectPtr& now);
  void place(const ObjectPtr& old, const ObjectPtr& now);
  void placeSlice(const ObjectPtr& old, const ObjectPtr& now);

  // ---- module.cc
  void updateModule();
  void checkLog(const Object& object, Boxed<model::Module>& module);
  void updateBuiltIns(bool moved);

  // ---- annotations.cc
  ObjectPtr written(const ObjectRef& ref) const;
  ObjectPtr chosen(const ObjectRef& ref, const ObjectPtr& own) const;
  void judge(const ObjectRef& ref);
  void updateAnnotated(const ObjectPtr& old, const ObjectPtr& now);
  std::vector<Finding> contested() const;

  // ---- upstreams.cc: Services, clusters, assignments
  void updateServices();
  void updateClusters();
  ClusterEntry* acquireCluster(const ir::Upstream& upstream, const ObjectRef& mapping);
  void releaseCluster(ClusterEntry* cluster, const ObjectRef& mapping);
  void nameClusters(const std::string& base_name);
  void evaluateCluster(ClusterEntry& cluster);
  void markUsers(const ClusterEntry& cluster);
  void useAssignment(ClusterEntry& cluster, bool use);
  void emitAssignment(const compile::Assignment& assignment);

  // ---- mappings.cc: Mappings, groups, association classes
  void updateMappings();
  void markMappings();
  void evaluateMapping(const ObjectRef& ref);
  void updateGroups();
  void evaluateGroup(GroupEntry& group);
  void joinGroup(MappingEntry& entry);
  void leaveGroup(MappingEntry& entry);
  ClassEntry* classOf(const GroupEntry& group);
  void dropClassIfEmpty(ClassEntry* entry);
  void associate(ClassEntry& entry);
  void associate(HostEntry& host);
  void link(HostEntry& host, ClassEntry& entry);
  void unlink(HostEntry& host);
  void markVirtualHosts(const GroupEntry& group);
  void markVirtualHosts(const HostEntry& host, bool all);
  ObjectPtr resolverObject(std::string_view name, std::string_view ns) const;
  std::optional<Kind> resolver(std::string_view name, std::string_view ns) const;
  bool resolverMoved(const std::optional<std::string>& named) const;
  compile::MappingContext mappingContext(const compile::Installation& installation, std::set<NamespacedName>& secrets,
                                         std::set<std::string>& contexts) const;

  // ---- tcp.cc: TCPMappings and their groups
  void placeContextHosts(const ObjectPtr& old, const ObjectPtr& now, bool moved);
  void markTcpMappings();
  void updateTcpMappings();
  void evaluateTcpMapping(const ObjectRef& ref);
  void leaveTcpGroup(TcpMappingEntry& entry, const ObjectRef& ref);
  void updateTcpGroups();
  void evaluateTcpGroup(const compile::TcpKey& key, TcpGroupEntry& group);
  void judgeTcpMappings();

  // ---- hosts.cc: Secrets, Hosts, Listeners
  void updateSecrets();
  void updateHosts();
  void evaluateHost(HostEntry& entry);
  void setHost(HostEntry& entry, compile::HostResult result);
  void updateStandIn();
  void updateSelectorKeys();
  void updateTopology();
  void emitTopology(const compile::Topology& before);
  void emitSecrets();
  compile::SecretState stateOf(const NamespacedName& key) const;
  compile::SecretState secretState(std::string_view ns, std::string_view name) const;
  ObjectPtr tlsContext(std::string_view name, std::string_view ns) const;
  ObjectPtr lookUpContext(std::string_view name, std::string_view ns, std::set<std::string>& looked) const;

  // ---- unmatched.cc: what has no partner
  void addUnmatched(std::vector<Finding>& out) const;
  std::string hostsNear(const std::string& name) const;
  const ir::Host* hostOfOtherLabels(const std::string& name) const;
  void addWithoutHost(const ClassEntry& of, std::vector<Finding>& out) const;
  void addWithoutMapping(std::vector<Finding>& out) const;
  void addUnusedContexts(std::vector<Finding>& out) const;
  void addStandIn(std::vector<Finding>& out) const;
  void addMissingSecrets(const Object& object, const model::TlsContext& context, std::vector<Finding>& out) const;
  void addExpired(int64_t now, std::vector<Finding>& out) const;

  // ---- tables.cc: virtual hosts, RouteConfigurations, the set of resources
  void updateVirtualHosts();
  void updateTables();
  void useVirtualHosts(const ir::RouteTable& table, bool use);
  void evaluateVirtualHost(const ir::VirtualHost& key, VirtualHostEntry& entry);
  const Piece& piece(GroupEntry& group, bool forwarded, bool host_known);
  void put(serve::Type type, const std::string& name, const std::string& bytes, std::vector<std::string> clusters = {},
           std::string endpoints = {});
  void remove(serve::Type type, const std::string& name);
  serve::Update finish();

  // ---- view.cc
  std::vector<View::Resolver> resolversInUse() const;
  std::vector<View::TcpGroup> tcpGroupsView() const;

  void count(Table table) { ++evaluations[static_cast<size_t>(table)]; }
  void reject(const ObjectRef& ref, bool rejected);
  void noteMoved(const ObjectRef& ref);

  Options options_;
  compile::Installation installation_;
  compile::Installation own_installation_;  // of built-in Mappings: they may lead to our own server

  // The store. Objects of other installations are not in it.
  std::unordered_map<ObjectRef, ObjectPtr> objects_;
  // Those in annotations, used or not: who is annotated, and the place in the annotation.
  std::unordered_map<ObjectRef, std::map<std::pair<ObjectRef, size_t>, ObjectPtr>> annotated_;
  std::set<ObjectRef> contested_;  // in an annotation, and elsewhere too
  std::map<Kind, uint64_t> totals_;
  std::set<ObjectRef> rejected_;
  std::set<ObjectRef> moved_;  // of getambassador.io, since somebody asked
  ByName tls_contexts_;
  std::map<std::string, std::map<std::string, ObjectPtr>> context_hosts_;  // TLSContexts: listed host → compile::orderName
  ByName resolvers_;
  std::map<std::string, ObjectPtr> namespaces_;
  std::map<std::string, ObjectPtr> modules_;    // called "ambassador", by compile::orderName
  std::map<std::string, ObjectPtr> listeners_;  // by compile::orderName

  // The tables.
  Boxed<model::Module> module_;  // the one in use
  ObjectPtr module_object_;      // which it is; null when there is none
  std::map<NamespacedName, ServiceEntry> services_;
  std::map<compile::Assignment, AssignmentEntry> assignments_;
  std::map<NamespacedName, ObjectPtr> secrets_;
  std::map<NamespacedName, compile::SecretState> secret_states_;
  std::map<std::string, HostEntry> hosts_;                     // by compile::orderName
  std::map<std::string, std::set<HostEntry*>> hosts_by_name_;  // exact host names
  std::set<HostEntry*> open_hosts_;                            // with a wildcard
  compile::SelectorKeys selector_keys_;
  std::unordered_map<ObjectRef, MappingEntry> mappings_;
  std::map<ObjectRef, TcpMappingEntry> tcp_mappings_;
  std::map<compile::TcpKey, TcpGroupEntry> tcp_groups_;
  bool tcp_judged_ = true;
  std::map<ir::Upstream, ClusterEntry> clusters_;
  std::map<std::string, std::set<ClusterEntry*>> cluster_names_;  // base name → those that ask for it
  std::map<ir::Match, GroupEntry> groups_;
  std::map<ClassKey, ClassEntry> classes_;
  std::set<ClassEntry*> open_classes_;  // not for one exact host name
  compile::Topology topology_;
  std::set<std::string> secret_resources_;
  std::set<NamespacedName> used_secrets_;  // that some resource holds
  std::map<ir::VirtualHost, VirtualHostEntry> virtual_hosts_;
  std::map<std::string, TableEntry> tables_;

  // Who has something to say, so that asking for the findings costs as much as there are.
  std::set<ObjectRef> objects_with_findings_;
  std::set<ObjectRef> mappings_with_findings_;
  std::set<ClusterEntry*> clusters_with_problems_;
  std::set<ClusterEntry*> clusters_with_secrets_;  // that TLS to them needs
  std::set<GroupEntry*> groups_with_findings_;
  std::set<ClassEntry*> classes_without_hosts_;

  std::set<ObjectRef> mappings_with_lookups_;  // of Secrets or TLSContexts
  std::vector<Finding> module_findings_;

  // What is dirty. Empty between two calls of apply.
  std::set<NamespacedName> dirty_services_;
  std::set<NamespacedName> dirty_secrets_;
  std::set<NamespacedName> moved_secrets_;  // whose state is another
  std::set<std::string> dirty_contexts_;
  std::set<std::string> dirty_resolvers_;
  std::set<std::string> dirty_hosts_;  // order names
  std::set<ObjectRef> dirty_mappings_;
  std::set<ObjectRef> dirty_tcp_mappings_;
  std::set<compile::TcpKey> dirty_tcp_groups_;
  std::set<std::string> dirty_context_hosts_;
  std::set<std::string> dirty_cluster_names_;
  std::set<ClusterEntry*> dirty_clusters_;
  std::set<GroupEntry*> dirty_groups_;
  bool dirty_hosts_set_ = false;  // a Host came, went or moved in a way that selectors may see
  bool dirty_modules_ = false;
  bool dirty_topology_ = false;
  bool dirty_envoy_ = false;  // with which every Listener
  bool dirty_secret_resources_ = false;
  std::set<ir::VirtualHost> dirty_virtual_hosts_;
  std::set<std::string> dirty_tables_;
  std::map<serve::ResourceKey, serve::ResourcePtr> touched_;  // what there was before
};

inline size_t formIndex(bool forwarded, bool host_known) { return (forwarded ? 2u : 0u) + (host_known ? 1u : 0u); }

}  // namespace emissary::engine
