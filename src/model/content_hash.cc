#include "model/content_hash.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "model/fields.h"
#include "model/object.h"

namespace emissary::model {
namespace {

using manifest::Value;

void addSpec(ContentHash&, const std::monostate&) {}

// Those of our own group are hashed as written.
void addSpec(ContentHash&, const Mapping&) {}
void addSpec(ContentHash&, const Host&) {}
void addSpec(ContentHash&, const Listener&) {}
void addSpec(ContentHash&, const TlsContext&) {}
void addSpec(ContentHash&, const Resolver&) {}
void addSpec(ContentHash& out, const TcpMapping& mapping) { out.add(static_cast<int64_t>(mapping.tls_passthrough)); }
void addSpec(ContentHash&, const Boxed<Module>&) {}

void addSpec(ContentHash& out, const Service& service) {
  out.add(service.type);
  out.add(service.cluster_ip);
  out.add(service.external_name);
  for (const ServicePort& port : service.ports) {
    out.add(port.name);
    out.add(port.port);
    out.add(port.target);
    out.add(port.protocol);
  }
}

void addPorts(ContentHash& out, const std::vector<EndpointPort>& ports) {
  out.add(static_cast<int64_t>(ports.size()));
  for (const EndpointPort& port : ports) {
    out.add(port.name);
    out.add(port.port);
    out.add(port.protocol);
  }
}

void addTexts(ContentHash& out, const std::vector<std::string>& texts) {
  out.add(static_cast<int64_t>(texts.size()));
  for (const std::string& text : texts) out.add(text);
}

void addSpec(ContentHash& out, const Endpoints& endpoints) {
  for (const Endpoints::Subset& subset : endpoints.subsets) {
    addTexts(out, subset.addresses);
    addPorts(out, subset.ports);
  }
}

void addSpec(ContentHash& out, const EndpointSlice& slice) {
  out.add(slice.address_type);
  addPorts(out, slice.ports);
  for (const EndpointSlice::Endpoint& endpoint : slice.endpoints) {
    addTexts(out, endpoint.addresses);
    out.add(static_cast<int64_t>(endpoint.ready) | endpoint.serving << 1 | endpoint.terminating << 2);
  }
}

void addSpec(ContentHash& out, const Secret& secret) {
  out.add(secret.type);
  out.add(secret.certificate);
  out.add(secret.key);
  out.add(secret.ca);
  out.add(static_cast<int64_t>(secret.cert_required ? 1 + *secret.cert_required : 0));
  out.add(secret.crl);
}

}  // namespace

void ContentHash::add(std::string_view text) {
  add(static_cast<int64_t>(text.size()));
  bytes_ += text;
}

void ContentHash::add(int64_t number) {
  char raw[sizeof(number)];
  std::memcpy(raw, &number, sizeof(number));
  bytes_.append(raw, sizeof(raw));
}

void ContentHash::add(const Value& value) {
  if (const auto whole = wholeNumber(value)) {
    bytes_ += 'i';
    add(*whole);
    return;
  }
  switch (value.type) {
    case Value::Type::Null: bytes_ += 'n'; return;
    case Value::Type::Bool: bytes_ += value.boolean ? 't' : 'f'; return;
    case Value::Type::Int:
    case Value::Type::Double: {
      int64_t bits = 0;
      static_assert(sizeof(bits) == sizeof(value.number));
      std::memcpy(&bits, &value.number, sizeof(bits));
      bytes_ += 'd';
      add(bits);
      return;
    }
    case Value::Type::String:
      bytes_ += 's';
      add(value.string);
      return;
    case Value::Type::List:
      bytes_ += 'l';
      add(static_cast<int64_t>(value.list.size()));
      for (const Value& item : value.list) add(item);
      return;
    case Value::Type::Map: break;
  }
  std::vector<const Value::Entry*> entries;
  entries.reserve(value.map.size());
  for (const Value::Entry& entry : value.map) {
    if (!entry.second.isNull()) entries.push_back(&entry);
  }
  std::sort(entries.begin(), entries.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
  bytes_ += 'm';
  add(static_cast<int64_t>(entries.size()));
  for (const Value::Entry* entry : entries) {
    add(entry->first);
    add(entry->second);
  }
}

Hash128 contentHash(const Object& object, const Value& document) {
  ContentHash out;
  out.add(static_cast<int64_t>(object.ref.kind));
  out.add(object.ref.ns);
  out.add(object.ref.name);
  out.add(static_cast<int64_t>(object.labels.size()));
  for (const auto& [key, value] : object.labels) {
    out.add(key);
    out.add(value);
  }
  // What users are told is part of it: a mistake that comes or goes is a change.
  out.add(static_cast<int64_t>(object.findings.size()));
  for (const Finding& finding : object.findings) {
    out.add(static_cast<int64_t>(finding.severity));
    out.add(finding.field);
    out.add(finding.message);
  }
  out.add(static_cast<int64_t>(object.spec.index()));
  std::visit([&](const auto& spec) { addSpec(out, spec); }, object.spec);
  for (const auto& annotated : object.annotated) {
    out.add(static_cast<int64_t>(annotated->hash.high));
    out.add(static_cast<int64_t>(annotated->hash.low));
  }
  if (kindGroup(object.ref.kind) == "getambassador.io") {
    if (const Value* spec = document.find("spec")) out.add(*spec);
  }
  return out.hash();
}

}  // namespace emissary::model
