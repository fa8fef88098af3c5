#include "generate/virtual_host.h"

#include <envoy/config/route/v3/route.pb.h>
#include <envoy/config/route/v3/route_components.pb.h>
#include <envoy/type/matcher/v3/http_inputs.pb.h>
#include <xds/type/matcher/v3/matcher.pb.h>

#include "generate/any.h"
#include "generate/common.h"
#include "generate/route.h"
#include "generate/scope.h"

namespace emissary::generate {
namespace {

namespace route_v3 = envoy::config::route::v3;
using xds::core::v3::TypedExtensionConfig;
using xds::type::matcher::v3::Matcher;

void appendVarint(size_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

// What stands before `size` bytes of a field.
std::string fieldHead(int field, size_t size) {
  std::string head;
  appendVarint(static_cast<size_t>(field) << 3 | 2, head);
  appendVarint(size, head);
  return head;
}

void appendField(int field, std::string_view bytes, std::string& out) {
  out += fieldHead(field, bytes.size());
  out += bytes;
}

void appendPieces(const std::vector<const std::string*>& pieces, std::string& out) {
  size_t size = out.size();
  for (const std::string* piece : pieces) size += piece->size();
  out.reserve(size);
  for (const std::string* piece : pieces) out += *piece;
}

// Pieces are entries of VirtualHost.routes; in a RouteList the same messages have another number.
void appendToRouteList(const std::string& piece, std::string& out) {
  static_assert(route_v3::VirtualHost::kRoutesFieldNumber < 16 && route_v3::RouteList::kRoutesFieldNumber < 16, "one byte each");
  size_t at = out.size();
  out += piece;
  while (at < out.size()) {
    out[at++] = static_cast<char>(route_v3::RouteList::kRoutesFieldNumber << 3 | 2);
    size_t size = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(out[at++]);
      size |= static_cast<size_t>(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    at += size;
  }
}

// Matcher.OnMatch: answer from these routes.
std::string listAction(const compile::MatchTree::List& list, const std::vector<const std::string*>& pieces) {
  size_t size = 0;
  for (const uint32_t i : list.routes) size += pieces[i]->size();
  std::string routes;
  routes.reserve(size);
  for (const uint32_t i : list.routes) appendToRouteList(*pieces[i], routes);
  google::protobuf::Any head;
  head.set_type_url("type.googleapis.com/" + route_v3::RouteList::descriptor()->full_name());
  std::string any = serialize(head);
  appendField(google::protobuf::Any::kValueFieldNumber, routes, any);
  TypedExtensionConfig named;
  named.set_name("routes");
  std::string config = serialize(named);
  appendField(TypedExtensionConfig::kTypedConfigFieldNumber, any, config);
  std::string out;
  appendField(Matcher::OnMatch::kActionFieldNumber, config, out);
  return out;
}

std::string pathInput() {
  Matcher::MatcherTree tree;
  envoy::type::matcher::v3::HttpRequestHeaderMatchInput path;
  path.set_header_name(":path");
  tree.mutable_input()->set_name("path");
  packAny(path, tree.mutable_input()->mutable_typed_config());
  return serialize(tree);
}

// VirtualHost.matcher: a map from the keys to their lists. The first list is for paths without a key.
void appendMatcher(const compile::MatchTree& tree, const std::vector<const std::string*>& pieces, std::string& out) {
  constexpr int kKey = 1, kValue = 2;  // of every protobuf map
  static const std::string kPathInput = pathInput();
  std::string map;
  for (size_t i = 1; i < tree.lists.size(); ++i) {
    std::string entry;
    appendField(kKey, tree.lists[i].key, entry);
    appendField(kValue, listAction(tree.lists[i], pieces), entry);
    appendField(Matcher::MatcherTree::MatchMap::kMapFieldNumber, entry, map);
  }
  std::string rest;
  if (!tree.lists[0].routes.empty()) {
    appendField(Matcher::kOnNoMatchFieldNumber, listAction(tree.lists[0], pieces), rest);
  }
  const std::string map_head = fieldHead(Matcher::MatcherTree::kPrefixMatchMapFieldNumber, map.size());
  const size_t tree_size = kPathInput.size() + map_head.size() + map.size();
  const std::string tree_head = fieldHead(Matcher::kMatcherTreeFieldNumber, tree_size);
  const size_t size = tree_head.size() + tree_size + rest.size();
  const std::string head = fieldHead(route_v3::VirtualHost::kMatcherFieldNumber, size);
  out.reserve(out.size() + head.size() + size);
  for (const std::string_view part : std::initializer_list<std::string_view>{head, tree_head, kPathInput, map_head, map, rest})
    out += part;
}

void addClosing(const std::string& prefix, route_v3::Route& route, std::vector<ClosingRoute>& out) {
  route.mutable_match()->set_prefix(prefix);
  ClosingRoute& closing = out.emplace_back();
  appendField(route_v3::VirtualHost::kRoutesFieldNumber, serialize(route), closing.bytes);
  closing.reach = compile::prefixReach(prefix);
}

// Insecure requests go to https; those that name the port `from` of their Listener to the port `to` of another.
void addRedirect(bool forwarded, uint32_t from, uint32_t to, std::vector<ClosingRoute>& out) {
  route_v3::Route redirect;
  if (forwarded) {
    // Behind a trusted proxy a secure request that no Mapping takes is answered 404, not sent in a circle.
    auto* header = redirect.mutable_match()->add_headers();
    header->set_name("x-forwarded-proto");
    header->mutable_string_match()->set_exact("https");
    header->set_invert_match(true);
  }
  redirect.mutable_redirect()->set_https_redirect(true);
  if (to != 0) {
    auto* header = redirect.mutable_match()->add_headers();
    header->set_name(":authority");
    header->mutable_string_match()->set_suffix(":" + std::to_string(from));
    redirect.mutable_redirect()->set_port_redirect(to);
  }
  addClosing("/", redirect, out);
}

}  // namespace

std::vector<ClosingRoute> closingRoutes(const ir::VirtualHost& host) {
  std::vector<ClosingRoute> out;
  const bool forwarded = host.treatment == ir::Treatment::ForwardedRedirect;
  if (host.treatment != ir::Treatment::Redirect && !forwarded) return out;
  // An insecure ACME challenge without a Mapping is not redirected.
  route_v3::Route acme;
  acme.mutable_direct_response()->set_status(404);
  addClosing(std::string(kAcmePrefix), acme, out);
  if (host.redirect_to != 0) addRedirect(forwarded, host.redirect_from, host.redirect_to, out);
  addRedirect(forwarded, 0, 0, out);
  return out;
}

std::string virtualHost(const ir::VirtualHost& host, const std::vector<const std::string*>& pieces,
                        const compile::MatchTree& tree) {
  route_v3::VirtualHost head;
  head.set_name(host.hostname);
  head.add_domains(host.hostname);
  for (const std::string& name : host.with_ports) head.add_domains(name);
  auto& found = (*head.mutable_metadata()->mutable_filter_metadata())[std::string(kScopeFilter)];
  (*found.mutable_fields())[std::string(kScopeFound)].set_bool_value(true);
  std::string bytes = serialize(head);
  if (tree.lists.empty()) {
    appendPieces(pieces, bytes);
  } else {
    appendMatcher(tree, pieces, bytes);
  }
  std::string out = fieldHead(route_v3::RouteConfiguration::kVirtualHostsFieldNumber, bytes.size());
  out += bytes;
  return out;
}

}  // namespace emissary::generate
