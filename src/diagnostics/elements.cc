// What was written and what Envoy gets of it, by the keys of the objects.

#include <algorithm>
#include <set>

#include "compile/built_in.h"
#include "diagnostics/names.h"
#include "diagnostics/selection.h"
#include "manifest/yaml_writer.h"
#include "serve/resource_json.h"

namespace emissary::diagnostics {
namespace {

std::string sourceOf(const Object& object) {
  if (compile::isBuiltIn(object.ref)) return "# built in; the Module describes it\n";
  if (object.source.empty()) return "# too large to be shown\n";
  const Json json = Json::parse(object.source, nullptr, false);
  return json.is_discarded() ? object.source + "\n" : manifest::yaml(json);
}

Json sentences(const std::vector<const Finding*>& findings, const ObjectRef& ref, bool errors) {
  Json out = Json::array();
  for (const Finding* finding : findings) {
    if (finding->object == ref && (finding->severity == Severity::Error) == errors) out.push_back(sentence(*finding));
  }
  return out;
}

bool active(const Index& index, const Object& object) {
  const ObjectRef& ref = object.ref;
  const engine::View& view = index.view;
  switch (ref.kind) {
    case Kind::Mapping: {
      const auto it = index.group_of.find(ref);
      if (it == index.group_of.end() || view.groups[it->second].hosts == 0) return false;
      const auto& members = view.groups[it->second].members;
      return std::any_of(members.begin(), members.end(), [&](const auto& m) { return m.mapping->ref == ref && m.used(); });
    }
    case Kind::Host: return std::any_of(view.hosts.begin(), view.hosts.end(), [&](const auto& h) { return h.ref == ref; });
    case Kind::Listener:
      return std::any_of(view.listeners.begin(), view.listeners.end(), [&](const auto& l) { return l.ref == ref; });
    default: return object.usable;
  }
}

Json elementOf(const Index& index, const Object& object) {
  static const std::vector<const Finding*> kNone;
  const std::string key = rkey(object.ref);
  const auto found = index.findings.find(key);
  const auto& findings = found == index.findings.end() ? kNone : found->second;
  Json out = {{"key", key}, {"kind", kindName(object.ref.kind)}, {"name", object.ref.name}, {"namespace", object.ref.ns}};
  if (!object.path.empty()) out["location"] = object.path + ":" + std::to_string(object.line);
  out["active"] = active(index, object);
  out["errors"] = sentences(findings, object.ref, true);
  out["notices"] = sentences(findings, object.ref, false);
  if (const auto group = index.group_of.find(object.ref); group != index.group_of.end()) {
    out["group"] = "grp-" + index.group_ids[group->second];
  }
  out["serialization"] = sourceOf(object);
  return out;
}

/// Objects that share a key stand together.
std::map<std::string, std::vector<const Object*>> byKey(const Selection& of) {
  std::map<std::string, std::vector<const Object*>> out;
  for (const Object* object : of.objects) out[rkey(object->ref)].push_back(object);
  return out;
}

struct EnvoyPieces {
  std::vector<size_t> groups;
  std::set<const engine::View::Cluster*> clusters;
  std::vector<const ir::Listener*> listeners;
};

EnvoyPieces piecesOf(const Index& index, const std::vector<const Object*>& objects) {
  EnvoyPieces out;
  for (const Object* object : objects) {
    for (const ir::Listener& listener : index.view.listeners) {
      if (listener.ref == object->ref) out.listeners.push_back(&listener);
    }
    const auto group = index.group_of.find(object->ref);
    if (group == index.group_of.end()) continue;
    out.groups.push_back(group->second);
    for (const auto& member : index.view.groups[group->second].members) {
      const auto cluster = index.clusters.find(member.cluster);
      if (member.mapping->ref == object->ref && cluster != index.clusters.end()) out.clusters.insert(cluster->second);
    }
  }
  return out;
}

}  // namespace

Json ambassadorElementsJson(const Selection& of) {
  Json out = Json::object();
  for (const auto& [key, objects] : byKey(of)) {
    Json one = {{"location", key}, {"objects", Json::object()}};
    for (const Object* object : objects) {
      append(one["objects"], std::string(kindName(object->ref.kind)) + " " + object->ref.name, elementOf(of.index, *object));
    }
    append(out, key, std::move(one));
  }
  return out;
}

Json ambassadorResourcesJson(const Selection& of) {
  Json out = Json::object();
  for (const auto& [key, objects] : byKey(of)) {
    std::string text;
    for (const Object* object : objects) text += (text.empty() ? "" : "---\n") + sourceOf(*object);
    append(out, key, text);
  }
  return out;
}

// A group's routes stand under the keys of all its Mappings.
Json envoyElementsJson(const Selection& of) {
  Json out = Json::object();
  for (const auto& [key, objects] : byKey(of)) {
    const EnvoyPieces pieces = piecesOf(of.index, objects);
    Json one = Json::object();
    for (const ir::Listener* listener : pieces.listeners) {
      if (const auto* resource = of.index.resource(serve::Type::Listener, listener->name)) {
        one["listeners"].push_back(serve::resourceJson(*resource));
      }
    }
    for (const size_t group : pieces.groups) {
      for (Json& route : serve::routesJson(of.index.view.groups[group].routes)) one["routes"].push_back(std::move(route));
    }
    for (const engine::View::Cluster* cluster : pieces.clusters) {
      if (const auto* resource = of.index.resource(serve::Type::Cluster, cluster->name)) {
        one["clusters"].push_back(serve::resourceJson(*resource));
      }
    }
    if (!one.empty()) append(out, key, std::move(one));
  }
  return out;
}

// Their names alone: the pieces themselves are envoy_elements.
Json envoyResourcesJson(const Selection& of) {
  Json out = Json::object();
  for (const auto& [key, objects] : byKey(of)) {
    const EnvoyPieces pieces = piecesOf(of.index, objects);
    Json one = Json::array();
    for (const ir::Listener* listener : pieces.listeners) one.push_back({{"type", "listener"}, {"name", listener->name}});
    for (const size_t group : pieces.groups) one.push_back({{"type", "routes"}, {"name", "grp-" + of.index.group_ids[group]}});
    for (const auto* cluster : pieces.clusters) one.push_back({{"type", "cluster"}, {"name", cluster->name}});
    if (!one.empty()) append(out, key, std::move(one));
  }
  return out;
}

Json sourceMapJson(const Selection& of) {
  Json out = Json::object();
  for (const auto& [key, objects] : byKey(of)) append(out, key, {{key, true}});
  return out;
}

Json tlsContextsJson(const Selection& of) {
  Json out = Json::array();
  for (const ir::Host& host : of.index.view.hosts) {
    if (!host.tls || !of.has(host.ref)) continue;
    const ir::TlsTermination& tls = *host.tls;
    Json one = {{"name", host.ref.name}, {"namespace", host.ref.ns}, {"rkey", rkey(host.ref)}, {"kind", "Host"}};
    one["hosts"] = Json::array({host.hostname});
    one["secret_info"] = {{"secret", tls.secret_name}, {"namespace", tls.secret_namespace}};
    if (!tls.ca_name.empty()) one["secret_info"]["ca_secret"] = tls.ca_name + "." + tls.ca_namespace;
    one["cert_required"] = tls.client_certificate_required;
    out.push_back(std::move(one));
  }
  for (const Object* object : of.objects) {
    const auto* context = std::get_if<model::TlsContext>(&object->spec);
    if (!context) continue;
    Json one = {{"name", object->ref.name}, {"namespace", object->ref.ns}, {"rkey", rkey(object->ref)}, {"kind", "TLSContext"}};
    one["hosts"] = context->hosts;
    one["secret_info"] = {{"secret", context->secret}};
    out.push_back(std::move(one));
  }
  return out;
}

Json activeElementsJson(const Selection& of) {
  std::set<std::string> out;
  for (const Object* object : of.objects) {
    if (active(of.index, *object)) out.insert(rkey(object->ref));
  }
  return out;
}

}  // namespace emissary::diagnostics
