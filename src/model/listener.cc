// Listener: a port, the protocols on it, and which Hosts it takes.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/readers.h"
#include "model/text.h"

namespace emissary::model {
namespace {

using manifest::Value;
using Layer = Listener::Layer;

constexpr std::array<std::string_view, 5> kLayers = {"HTTP", "PROXY", "TLS", "TCP", "UDP"};
constexpr std::array<std::string_view, 7> kProtocols = {"HTTP", "HTTPS", "HTTPPROXY", "HTTPSPROXY", "TCP", "TLS", "UDP"};
constexpr std::array<std::string_view, 3> kModels = {"XFP", "SECURE", "INSECURE"};
constexpr std::array<std::string_view, 3> kFroms = {"ALL", "SELF", "SELECTOR"};
/// Envoy's bound on max_concurrent_streams.
constexpr int64_t kMaxStreams = 2147483647;

/// In the order of kProtocols. UDP alone is no stack.
std::vector<Layer> stackOf(int protocol) {
  switch (protocol) {
    case 0: return {Layer::HTTP, Layer::TCP};
    case 1: return {Layer::TLS, Layer::HTTP, Layer::TCP};
    case 2: return {Layer::PROXY, Layer::HTTP, Layer::TCP};
    case 3: return {Layer::TLS, Layer::PROXY, Layer::HTTP, Layer::TCP};
    case 4: return {Layer::TCP};
    case 5: return {Layer::TLS, Layer::TCP};
    default: return {};
  }
}

/// False when the stack was refused.
bool readLayers(Fields& spec, std::vector<Layer>& out) {
  const Value* value = spec.take("protocolStack");
  if (!value->isList()) {
    spec.refuse("protocolStack", fmt::format("must be a list such as [TLS, HTTP, TCP], but is {}", describe(*value)));
    return false;
  }
  const Path list = spec.path("protocolStack");
  for (size_t i = 0; i < value->list.size(); ++i) {
    const Value& item = value->list[i];
    const auto found = item.isString() ? std::find(kLayers.begin(), kLayers.end(), item.string) : kLayers.end();
    if (found == kLayers.end()) {
      spec.report().refuse(Path(&list, i).text(), item.line,
                           fmt::format("must be one of {}, but is {}", fmt::join(kLayers, ", "), describe(item)));
      return false;
    }
    const auto layer = static_cast<Layer>(found - kLayers.begin());
    if (std::find(out.begin(), out.end(), layer) == out.end()) out.push_back(layer);
  }
  return true;
}

void checkStack(Fields& spec, std::string_view field, const Listener& listener) {
  const Layer last = listener.stack.back();
  if (last != Layer::TCP && last != Layer::UDP) {
    spec.refuse(field, "must end with TCP or UDP");
  } else if (listener.has(Layer::UDP) && !listener.has(Layer::HTTP)) {
    spec.refuse(field, "UDP carries HTTP only (HTTP/3); write [TLS, HTTP, UDP]");
  } else if (listener.has(Layer::UDP) && !listener.has(Layer::TLS)) {
    spec.refuse(field, "HTTP over UDP (HTTP/3) needs TLS; write [TLS, HTTP, UDP]");
  } else if (listener.has(Layer::UDP) && listener.has(Layer::TCP)) {
    spec.refuse(field, "must not hold both TCP and UDP; write a Listener for each");
  }
}

void readStack(Fields& spec, Listener& listener) {
  const Value* stack = spec.take("protocolStack");
  const Value* protocol_value = spec.take("protocol");
  const bool has_stack = stack != nullptr && !(stack->isList() && stack->list.empty());
  const bool has_protocol = protocol_value != nullptr && !(protocol_value->isString() && protocol_value->string.empty());
  const int protocol = has_protocol ? spec.readChoice("protocol", kProtocols) : -1;
  if (!has_stack && !has_protocol) {
    spec.refuse("protocol", "is missing; write for example protocol: HTTPS, or a protocolStack");
    return;
  }
  if (has_stack) {
    if (has_protocol) spec.error("protocol", "is not used, for protocolStack is given too; remove one of them");
    if (readLayers(spec, listener.stack)) checkStack(spec, "protocolStack", listener);
    return;
  }
  if (protocol < 0) return;
  listener.stack = stackOf(protocol);
  if (listener.stack.empty()) {
    spec.refuse("protocol", "protocol UDP is not valid; for HTTP/3 write protocolStack: [TLS, HTTP, UDP]");
  }
}

void readFrom(Fields& binding, Listener& listener, bool& named) {
  const Value* value = binding.take("namespace");
  if (value == nullptr) return;
  Fields ns(binding.report(), value, binding.path("namespace"));
  named = !value->isMap() || !ns.empty();
  const bool selected = readSelector(ns, "selector", listener.namespace_selector);
  const Value* from = ns.take("from");
  const bool unset = from == nullptr || (from->isString() && from->string.empty());
  const int choice = unset ? -1 : ns.readChoice("from", kFroms, true);
  if (choice >= 0) listener.from = static_cast<Listener::From>(choice);
  if (listener.from == Listener::From::SELECTOR && !selected && choice >= 0) {
    listener.from = Listener::From::SELF;
    ns.error("from", "SELECTOR needs a selector beside it; until then only Hosts of the Listener's own namespace are taken");
  } else if (listener.from != Listener::From::SELECTOR && ns.has("selector")) {
    ns.warning("selector", "has no effect without from: SELECTOR");
  }
  ns.finish();
}

void readBinding(Fields& spec, Listener& listener) {
  constexpr std::string_view kCure = "write for example hostBinding: {namespace: {from: ALL}}";
  if (!spec.require("hostBinding", fmt::format("without it the Listener takes no Host; {}", kCure))) {
    spec.take("hostBinding");
    return;
  }
  const Value* value = spec.take("hostBinding");
  Fields binding(spec.report(), value, spec.path("hostBinding"));
  bool named = false;
  readFrom(binding, listener, named);
  LabelSelector selector;
  if (readSelector(binding, "selector", selector)) {
    const bool empty = selector.match_labels.empty() && selector.match_expressions.empty();
    named = named || !empty;
    if (!empty) listener.host_selector = std::move(selector);
  } else if (binding.has("selector")) {
    named = true;  // wrong, and told so
  }
  if (value->isMap() && !named) {
    spec.refuse("hostBinding", fmt::format("names neither namespace nor selector, so the Listener takes no Host; {}", kCure));
  }
  binding.finish();
}

}  // namespace

void readListener(Fields& spec, Object& object) {
  Listener listener;
  int64_t number = 0;
  if (spec.require("port", "write the port to accept on") && spec.read("port", number, 1, 65535)) {
    listener.port = static_cast<uint32_t>(number);
  }
  spec.take("port");
  readStack(spec, listener);
  int model = -1;
  if (spec.require("securityModel", "write XFP, SECURE or INSECURE")) model = spec.readChoice("securityModel", kModels);
  spec.take("securityModel");
  if (model >= 0) listener.security_model = static_cast<Listener::SecurityModel>(model);
  spec.read("statsPrefix", listener.stats_prefix);
  if (spec.read("l7Depth", number, INT64_MIN, UINT32_MAX)) {
    if (number < 0) spec.warning("l7Depth", fmt::format("{} counts as 0", number));
    listener.l7_depth = static_cast<uint32_t>(std::max<int64_t>(number, 0));
  }
  if (spec.read("http2MaxConcurrentStreams", number, 1, kMaxStreams)) {
    listener.http2_max_concurrent_streams = static_cast<uint32_t>(number);
  }
  readBinding(spec, listener);
  object.spec = std::move(listener);
}

}  // namespace emissary::model
