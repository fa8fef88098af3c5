#include "compile/listener.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "compile/glob.h"
#include "compile/partners.h"
#include "compile/tcp_chains.h"
#include "compile/withheld.h"

namespace emissary::compile {
namespace {

using ir::Treatment;
using Action = model::Host::InsecureAction;
using Layer = model::Listener::Layer;
using Security = model::Listener::SecurityModel;

Treatment insecure(Action action, bool forwarded) {
  switch (action) {
    case Action::Route: return Treatment::Route;
    case Action::Redirect: return forwarded ? Treatment::ForwardedRedirect : Treatment::Redirect;
    case Action::Reject: return forwarded ? Treatment::ForwardedReject : Treatment::Reject;
  }
  return Treatment::Reject;
}

// Envoy overwrites X-Forwarded-Proto with the real transport unless a proxy in front is trusted; only then is it asked.
Treatment treatment(const model::Listener& listener, const model::HttpSettings& http, const ir::Host& host, bool tls) {
  switch (listener.security_model) {
    case Security::SECURE: return Treatment::Route;
    case Security::INSECURE: return insecure(host.insecure_action, false);
    case Security::XFP:
      if (listener.l7_depth > 0 || !http.use_remote_address) return insecure(host.insecure_action, true);
      return tls ? Treatment::Route : insecure(host.insecure_action, false);
  }
  return Treatment::Reject;
}

std::string_view treatmentName(Treatment treatment) {
  switch (treatment) {
    case Treatment::Route: return "route";
    case Treatment::Redirect: return "redirect";
    case Treatment::Reject: return "reject";
    case Treatment::ForwardedRedirect: return "forwarded-redirect";
    case Treatment::ForwardedReject: return "forwarded-reject";
  }
  return "";
}

bool routes(Treatment t) { return t != Treatment::Redirect && t != Treatment::Reject; }

std::string dotted(const ObjectRef& ref) { return ref.name + "." + ref.ns; }

// Envoy knows exact names, "*.suffix" and all names.
bool validSni(const std::string& sni) {
  if (sni == "*" || isExact(sni)) return !sni.empty();
  return sni.starts_with("*.") && sni.size() > 2 && sni.find('*', 1) == std::string::npos;
}

bool namesPort(const ir::VirtualHost& host) { return sniOf(host.hostname) != host.hostname; }

std::string statPrefix(const model::Listener& spec) {
  if (!spec.stats_prefix.empty()) return spec.stats_prefix;
  const bool tls = spec.has(Layer::TLS);
  if (spec.has(Layer::HTTP)) return tls ? "ingress_https" : "ingress_http";
  return fmt::format("ingress_{}_{}", tls ? "tls" : "tcp", spec.port);
}

class Builder {
 public:
  Builder(const TopologyInput& input, const Installation& installation)
      : input_(input), installation_(installation), tcp_(input, installation, out_) {}

  Topology run() {
    std::map<uint32_t, ObjectRef> owners;
    std::vector<ObjectPtr> used;
    for (const ObjectPtr& object : input_.listeners) {
      const auto& spec = std::get<model::Listener>(object->spec);
      if (!supported(*object, spec)) continue;
      if (std::string problem = ownPortProblem(installation_, installation_.bind_address, spec.port); !problem.empty()) {
        find(object->ref, Severity::Error, "spec.port", std::move(problem));
        continue;
      }
      const auto [owner, first] = owners.emplace(spec.port, object->ref);
      if (!first) {
        find(object->ref, Severity::Error, "spec.port",
             fmt::format("{} is taken by {}, which is used; choose another port or remove one of the two", spec.port,
                         owner->second.text()),
             About::Conflict);
        continue;
      }
      used.push_back(object);
    }
    // Before any chain: what TCPMappings take is not there for Hosts, nor for redirects to go to.
    for (const ObjectPtr& object : used) claim(*object);
    for (const ObjectPtr& object : used) noteTlsPorts(*object);
    for (const ObjectPtr& object : used) listener(*object, std::get<model::Listener>(object->spec));
    tcp_.openOthers();
    taken_.insert(out_.tcp_hosts.begin(), out_.tcp_hosts.end());
    std::vector<ObjectPtr> for_hosts;
    for (const ObjectPtr& object : input_.listeners) {
      if (std::get<model::Listener>(object->spec).has(Layer::HTTP)) for_hosts.push_back(object);
    }
    for (const ir::Host* host : input_.hosts) {
      if (taken_.contains(host->ref)) continue;
      find(host->ref, Severity::Warning, "", noListener(*host, for_hosts, input_.namespace_labels, installation_.strict_labels),
           About::NoPartner);
    }
    return std::move(out_);
  }

 private:
  void find(const ObjectRef& ref, Severity severity, std::string field, std::string message, About about = About::Content) {
    out_.findings.push_back({severity, ref, std::move(field), std::move(message), "", 0, about});
  }

  bool supported(const Object& object, const model::Listener& spec) {
    if (spec.has(Layer::UDP)) {
      find(object.ref, Severity::Error, "spec.protocolStack",
           "UDP (HTTP/3) is not supported in this version; the Listener is not used", About::Unsupported);
      return false;
    }
    if (auto problem = withheld(spec, *input_.http, installation_.envoy)) {
      find(object.ref, Severity::Error, std::move(problem->field), std::move(problem->message), About::Unsupported);
      return false;
    }
    return true;
  }

  bool takes(const Object& object, const ir::Host& host) const {
    return notTaken(object, host, input_.namespace_labels, installation_.strict_labels).none();
  }

  void claim(const Object& object) {
    const auto& spec = std::get<model::Listener>(object.spec);
    claims_.emplace(object.ref,
                    tcp_.claim(installation_.bind_address, spec.port, object.ref, spec.has(Layer::TLS), statPrefix(spec)));
  }

  // Where a redirect can go.
  void noteTlsPorts(const Object& object) {
    const auto& spec = std::get<model::Listener>(object.spec);
    const TcpClaims& claims = claims_.at(object.ref);
    if (!spec.has(Layer::TLS) || !spec.has(Layer::HTTP) || claims.rest) return;
    for (const ir::Host* host : input_.hosts) {
      const std::string sni = sniOf(host->hostname);
      if (host->tls && validSni(sni) && !claims.names.contains(sni) && takes(object, *host))
        tls_ports_[host->ref].insert(spec.port);
    }
  }

  void listener(const Object& object, const model::Listener& spec) {
    ir::Listener listener;
    listener.ref = object.ref;
    // Envoy takes no change that moves a Listener to where another still is. So one that moves is another, and those that change
    // places are removed before they come anew.
    listener.name = fmt::format("{}:{}", dotted(object.ref), spec.port);
    listener.address = installation_.bind_address;
    listener.port = spec.port;
    listener.proxy_protocol = spec.has(Layer::PROXY);
    listener.tls_inspector = spec.has(Layer::TLS);
    listener.stat_prefix = statPrefix(spec);
    listener.trusted_hops = spec.l7_depth;
    listener.http = input_.http;
    listener.http2_max_concurrent_streams = spec.http2_max_concurrent_streams;

    TcpClaims& claims = claims_.at(object.ref);
    listener.chains = std::move(claims.chains);
    if (!spec.has(Layer::HTTP)) {
      if (listener.chains.empty()) {
        find(object.ref, Severity::Error, "spec.port",
             fmt::format("No matching TCPMappings found, so the Listener is not opened; create a TCPMapping with port: {}",
                         spec.port),
             About::NoPartner);
      } else {
        out_.listeners.push_back(std::move(listener));
      }
      return;
    }
    const std::vector<const ir::Host*> hosts = hostsOf(object);
    hostChains(listener, spec, hosts, claims);
    if (listener.chains.empty()) {
      find(object.ref, Severity::Error, "spec.hostBinding",
           hosts.empty() ? noHost(object, input_.hosts, input_.namespace_labels, installation_.strict_labels)
                         : nothingToServe(spec, hosts),
           About::NoPartner);
      return;
    }
    out_.listeners.push_back(std::move(listener));
  }

  void hostChains(ir::Listener& listener, const model::Listener& spec, const std::vector<const ir::Host*>& hosts,
                  const TcpClaims& claims) {
    if (claims.rest) {
      for (const ir::Host* host : hosts) {
        find(host->ref, Severity::Error, "",
             fmt::format(
                 "is not served on port {}, all of which {} takes; give one of the two another port, or the TCPMapping a host",
                 listener.port, claims.rest->text()),
             About::Conflict);
      }
      return;
    }
    if (spec.has(Layer::TLS)) tlsChains(listener, spec, hosts, claims);
    cleartextChain(listener, spec, hosts);
  }

  // The Hosts taken, by host name; of several with one name the first keeps it.
  std::vector<const ir::Host*> hostsOf(const Object& object) {
    std::vector<const ir::Host*> hosts;
    for (const ir::Host* host : input_.hosts) {
      if (takes(object, *host)) hosts.push_back(host);
    }
    std::stable_sort(hosts.begin(), hosts.end(), [](const ir::Host* a, const ir::Host* b) { return a->hostname < b->hostname; });
    std::vector<const ir::Host*> unique;
    for (const ir::Host* host : hosts) {
      taken_.insert(host->ref);
      if (!unique.empty() && unique.back()->hostname == host->hostname) {
        duplicate(*host, *unique.back());
        continue;
      }
      unique.push_back(host);
    }
    return unique;
  }

  void duplicate(const ir::Host& loser, const ir::Host& winner) {
    if (!duplicates_.emplace(loser.ref, winner.ref).second) return;
    find(loser.ref, Severity::Error, "spec.hostname",
         fmt::format("\"{}\" is served by {} already; the Host is not used on their common Listeners", loser.hostname,
                     winner.ref.text()),
         About::Conflict);
  }

  void tlsChains(ir::Listener& listener, const model::Listener& spec, const std::vector<const ir::Host*>& hosts,
                 const TcpClaims& claims) {
    std::map<std::string, std::vector<const ir::Host*>> by_sni;
    for (const ir::Host* host : hosts) {
      if (!host->tls) continue;
      const std::string sni = sniOf(host->hostname);
      if (!validSni(sni)) {
        find(host->ref, Severity::Error, "spec.hostname",
             fmt::format("\"{}\" cannot be served by TLS: a certificate is chosen by an exact name, \"*.suffix\" or \"*\"",
                         host->hostname));
        continue;
      }
      if (const auto taken = claims.names.find(sni); taken != claims.names.end()) {
        find(host->ref, Severity::Error, "spec.hostname",
             fmt::format("TLS for \"{}\" on port {} is not served, because it conflicts with {}, which takes that name; choose "
                         "another name or port for one of the two",
                         sni, listener.port, taken->second.text()),
             About::Conflict);
        continue;
      }
      std::vector<const ir::Host*>& sharing = by_sni[sni];
      if (!sharing.empty() && sharing.front()->tls != host->tls) {
        find(host->ref, Severity::Error, "spec.tlsSecret",
             fmt::format("TLS for \"{}\" is terminated with other settings by {} already; give both the same", sni,
                         sharing.front()->ref.text()),
             About::Conflict);
        continue;
      }
      sharing.push_back(host);
    }
    std::map<std::string, std::vector<std::string>> narrower = narrowerNames(by_sni);
    for (const auto& [sni, sharing] : by_sni) {
      ir::FilterChain chain;
      chain.name = "httpshost-" + dotted(sharing.front()->ref);
      chain.sni = sni;
      chain.tls = sharing.front()->tls;
      ir::RouteTable table;
      table.misdirected = std::move(narrower[sni]);
      for (const ir::Host* host : sharing) {
        table.virtual_hosts.push_back({host->ref, host->hostname, treatment(spec, *input_.http, *host, true), {}, 0, 0});
      }
      if (sharing.front()->hostname != "*") table.misdirected.emplace_back("*");
      // Of one name: the same for every Listener that treats it so. Of several, now or when there are narrower ones: this
      // Listener's own.
      const ir::VirtualHost& first = table.virtual_hosts.front();
      table.name = sharing.size() == 1 && isExact(sni)
                       ? fmt::format("host/{}/{}/{}", first.host.ns, first.host.name, treatmentName(first.treatment))
                       : fmt::format("listener/{}/{}/sni/{}", listener.ref.ns, listener.ref.name, sni);
      chain.table = table.name;
      tellPorts(table, spec.port);
      out_.tables.emplace(table.name, std::move(table));
      listener.chains.push_back(std::move(chain));
    }
  }

  // For each wildcard the names below it that have a chain of their own.
  static std::map<std::string, std::vector<std::string>> narrowerNames(
      const std::map<std::string, std::vector<const ir::Host*>>& by_sni) {
    std::map<std::string, std::vector<std::string>> out;
    for (const auto& [sni, hosts] : by_sni) {
      const auto note = [&](const std::string& wildcard) {
        if (wildcard != sni && by_sni.contains(wildcard)) out[wildcard].push_back(sni);
      };
      note("*");
      for (size_t dot = sni.find('.'); dot != std::string::npos; dot = sni.find('.', dot + 1)) note("*" + sni.substr(dot));
    }
    return out;
  }

  void cleartextChain(ir::Listener& listener, const model::Listener& spec, const std::vector<const ir::Host*>& hosts) {
    const bool tls = spec.has(Layer::TLS);
    // SECURE on a TLS port must not take plain HTTP for secure.
    if (tls && spec.security_model == Security::SECURE) return;
    std::vector<ir::VirtualHost> joined;
    size_t routing = 0;
    for (const ir::Host* host : hosts) {
      if (spec.security_model == Security::INSECURE && host->insecure_action == Action::Reject) continue;
      joined.push_back({host->ref, host->hostname, treatment(spec, *input_.http, *host, false), {}, 0, 0});
      redirectPort(spec, joined.back());
      if (routes(joined.back().treatment)) ++routing;
    }
    if (joined.empty()) return;
    ir::FilterChain chain;
    chain.name = "httphost-shared";
    // A scope is found by the name alone.
    if (routing > kScopedRoutesAboveHosts && std::none_of(joined.begin(), joined.end(), namesPort) &&
        findsScopes(installation_.envoy)) {
      scopes(listener, chain, joined);
    } else {
      chain.table = fmt::format("listener/{}/{}", listener.ref.ns, listener.ref.name);
      ir::RouteTable table{chain.table, std::move(joined)};
      tellPorts(table, spec.port);
      out_.tables.emplace(chain.table, std::move(table));
    }
    listener.chains.push_back(std::move(chain));
  }

  // A cleartext request that names the port it came to would be sent to that port again, by https.
  void redirectPort(const model::Listener& spec, ir::VirtualHost& host) const {
    if (host.treatment != Treatment::Redirect && host.treatment != Treatment::ForwardedRedirect) return;
    const auto it = tls_ports_.find(host.host);
    if (it == tls_ports_.end() || it->second.size() != 1 || *it->second.begin() == spec.port || namesPort(host)) return;
    if (spec.port == 80) return;  // no client writes it, and Envoy drops it
    host.redirect_from = spec.port;
    host.redirect_to = *it->second.begin();
  }

  // Where one Host names a port, names without one must say that any port will do.
  static void tellPorts(ir::RouteTable& table, uint32_t port) {
    std::vector<ir::VirtualHost>& hosts = table.virtual_hosts;
    table.any_port = std::none_of(hosts.begin(), hosts.end(), namesPort);
    if (table.any_port) return;
    // A wildcard with the Listener's own port comes before an exact name with any port.
    const auto withPorts = [&](const std::string& name) -> std::vector<std::string> {
      const std::string own = fmt::format("{}:{}", name, port);
      if (isExact(name)) return {own, name + ":*"};
      return name.starts_with("*") && name.size() > 1 ? std::vector{own} : std::vector<std::string>();
    };
    for (const std::string& name : std::vector(table.misdirected)) {
      for (std::string& with : withPorts(name)) table.misdirected.push_back(std::move(with));
    }
    std::set<std::string_view> names;
    for (const ir::VirtualHost& host : hosts) names.insert(host.hostname);
    for (ir::VirtualHost& host : hosts) {
      if (namesPort(host)) continue;
      host.with_ports = withPorts(host.hostname);
      std::erase_if(host.with_ports, [&](const std::string& with) { return names.contains(with); });
    }
    std::set<std::string> taken;  // Envoy takes no name twice
    std::erase_if(table.misdirected, [&](const std::string& name) { return !taken.insert(name).second; });
  }

  // Exact names one table each, the wildcards one together: Envoy takes the best of those by itself.
  void scopes(const ir::Listener& listener, ir::FilterChain& chain, std::vector<ir::VirtualHost>& joined) {
    ir::RouteTable wildcards;
    wildcards.name = fmt::format("listener/{}/{}/wildcards", listener.ref.ns, listener.ref.name);
    for (ir::VirtualHost& host : joined) {
      if (!isExact(host.hostname)) {
        wildcards.virtual_hosts.push_back(std::move(host));
        continue;
      }
      ir::RouteTable table;
      table.name = fmt::format("host/{}/{}/{}", host.host.ns, host.host.name, treatmentName(host.treatment));
      if (host.redirect_to != 0) table.name += fmt::format("/{}-{}", host.redirect_from, host.redirect_to);
      table.misdirected = {"*"};
      chain.scopes.push_back({host.hostname, table.name});
      table.virtual_hosts.push_back(std::move(host));
      out_.tables.emplace(table.name, std::move(table));
    }
    if (!wildcards.virtual_hosts.empty()) {
      chain.scopes.push_back({"*", wildcards.name});
      out_.tables.emplace(wildcards.name, std::move(wildcards));
    }
  }

  const TopologyInput& input_;
  const Installation& installation_;
  Topology out_;
  TcpTopology tcp_;  // writes to out_
  std::map<ObjectRef, TcpClaims> claims_;
  std::set<ObjectRef> taken_;
  std::map<ObjectRef, std::set<uint32_t>> tls_ports_;  // of the Listeners that terminate TLS for a Host
  std::map<ObjectRef, ObjectRef> duplicates_;
};

}  // namespace

std::string ownPortProblem(const Installation& installation, const std::string& address, uint32_t port) {
  const auto any = [](const std::string& host) { return host == "0.0.0.0" || host == "::"; };
  const auto v6 = [](const std::string& host) { return host.find(':') != std::string::npos; };
  for (const std::string& own : installation.forbidden_upstreams) {
    const size_t colon = own.rfind(':');
    if (colon == std::string::npos || own.substr(colon + 1) != std::to_string(port)) continue;
    const bool bracketed = own.starts_with('[');
    const std::string host = own.substr(bracketed ? 1 : 0, colon - (bracketed ? 2 : 0));
    if (host != address && (v6(host) != v6(address) || !(any(host) || any(address)))) continue;
    return fmt::format("{} is a port of the gateway's own administration; choose another", port);
  }
  return "";
}

std::string sniOf(const std::string& hostname) {
  const size_t colon = hostname.rfind(':');
  if (colon == std::string::npos || colon + 1 == hostname.size()) return hostname;
  const bool digits = hostname.find_first_not_of("0123456789", colon + 1) == std::string::npos;
  return digits ? hostname.substr(0, colon) : hostname;
}

Topology compileTopology(const TopologyInput& input, const Installation& installation) {
  return Builder(input, installation).run();
}

}  // namespace emissary::compile
