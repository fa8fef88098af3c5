#include "compile/tcp_chains.h"

#include <fmt/format.h>

#include <algorithm>

#include "compile/glob.h"

namespace emissary::compile {

TcpTopology::TcpTopology(const TopologyInput& input, const Installation& installation, Topology& out)
    : input_(input), installation_(installation), out_(out) {
  for (const TcpGroup* group : input.tcp) sockets_[{group->key.address, group->key.port}].push_back(group);
  if (sockets_.empty()) return;
  std::vector<const ir::Host*> hosts;
  for (const ir::Host* host : input.hosts) {
    if (host->tls) hosts.push_back(host);
  }
  std::stable_sort(hosts.begin(), hosts.end(), [](const ir::Host* a, const ir::Host* b) { return a->hostname < b->hostname; });
  for (size_t rank = 0; rank < hosts.size(); ++rank) {
    const std::string name = sniOf(hosts[rank]->hostname);
    if (isExact(name)) {
      exact_hosts_.emplace(name, RankedHost{hosts[rank], rank});
    } else {
      wildcard_hosts_.push_back({hosts[rank], rank});
    }
  }
}

TcpClaims TcpTopology::claim(const std::string& address, uint32_t port, const ObjectRef& listener, bool tls,
                             const std::string& stat_prefix) {
  TcpClaims claims;
  const auto node = sockets_.extract({address, port});
  if (node.empty()) return claims;
  for (const TcpGroup* group : node.mapped()) {
    const std::string& host = group->key.host;
    if (!host.empty() && !tls) {
      refuse(*group, "spec.host",
             fmt::format("\"{}\" is told by TLS only, which {} on port {} does not have in its protocol; write protocol: TLS "
                         "there, or leave host out",
                         host, listener.text(), port));
      continue;
    }
    std::optional<ir::FilterChain> made = chain(*group, stat_prefix);
    if (!made) continue;
    const ObjectRef& first = group->mappings.front();
    if (host.empty()) {
      claims.rest = first;
    } else {
      claims.names.emplace(host, first);
    }
    claims.chains.push_back(std::move(*made));
  }
  return claims;
}

void TcpTopology::openOthers() {
  while (!sockets_.empty()) {
    const auto& [socket, groups] = *sockets_.begin();
    const auto [address, port] = socket;
    if (const std::string problem = ownPortProblem(installation_, address, port); !problem.empty()) {
      for (const TcpGroup* group : groups) refuse(*group, "spec.port", problem);
      sockets_.erase(sockets_.begin());
      continue;
    }
    const bool tls = std::any_of(groups.begin(), groups.end(), [](const TcpGroup* group) { return !group->key.host.empty(); });
    ir::Listener listener;
    listener.ref = groups.front()->mappings.front();
    listener.name = fmt::format("listener-{}-{}", address, port);
    listener.address = address;
    listener.port = port;
    listener.tls_inspector = tls;
    listener.http = input_.http;
    listener.stat_prefix = fmt::format("ingress_{}_{}", tls ? "tls" : "tcp", port);
    listener.chains = claim(address, port, listener.ref, tls, listener.stat_prefix).chains;
    if (!listener.chains.empty()) out_.listeners.push_back(std::move(listener));
  }
}

std::optional<ir::FilterChain> TcpTopology::chain(const TcpGroup& group, const std::string& stat_prefix) {
  ir::FilterChain chain;
  const ObjectRef& first = group.mappings.front();
  chain.name = fmt::format("tcphost-{}.{}", first.name, first.ns);
  chain.sni = group.key.host;
  if (!group.passthrough && !chain.sni.empty() && !terminate(group, chain)) return std::nullopt;
  if (group.targets.empty()) {
    out_.unrouted.insert(group.mappings.begin(), group.mappings.end());  // why is told already
    return std::nullopt;
  }
  chain.tcp = ir::TcpProxy{stat_prefix, group.targets, group.idle_timeout_ms};
  return chain;
}

bool TcpTopology::terminate(const TcpGroup& group, ir::FilterChain& chain) {
  if (const ir::Host* host = hostFor(group.key.host)) {
    out_.tcp_hosts.insert(host->ref);
    chain.tls = host->tls;
    return true;
  }
  if (group.termination.tls) {
    chain.tls = group.termination.tls;
    return true;
  }
  refuse(
      group, "spec.host",
      group.termination.problem.empty()
          ? fmt::format("No matching TLSContext found, disabling! No Host with a tlsSecret serves \"{0}\", and no TLSContext has "
                        "it in its hosts; add for example a Host with hostname: \"{0}\" and a tlsSecret",
                        group.key.host)
          : fmt::format("No matching TLSContext found, disabling! {}", group.termination.problem),
      group.termination.problem.empty() ? About::MissingReference : About::BadReference);
  return false;
}

// The first by host name whose names overlap.
const ir::Host* TcpTopology::hostFor(const std::string& name) const {
  RankedHost best{nullptr, SIZE_MAX};
  const auto consider = [&](const RankedHost& host) {
    if (host.rank < best.rank && globsOverlap(sniOf(host.host->hostname), name)) best = host;
  };
  if (isExact(name)) {
    if (const auto it = exact_hosts_.find(name); it != exact_hosts_.end()) consider(it->second);
  } else {
    for (const auto& [exact, host] : exact_hosts_) consider(host);
  }
  for (const RankedHost& host : wildcard_hosts_) consider(host);
  return best.host;
}

void TcpTopology::refuse(const TcpGroup& group, const std::string& field, const std::string& message, About about) {
  for (const ObjectRef& ref : group.mappings) {
    out_.unrouted.insert(ref);
    out_.findings.push_back({Severity::Error, ref, field, message, "", 0, about});
  }
}

}  // namespace emissary::compile
