#pragma once
// Which Hosts a Listener takes; and where something finds no partner, what stands between it and the nearest one, and the YAML
// that would cure it.

#include <functional>
#include <string>
#include <vector>

#include "ir/ir.h"
#include "model/object.h"

namespace emissary::compile {

using NamespaceLabels = std::function<Labels(const std::string& ns)>;

/// What keeps a Listener from taking a Host.
struct NotTaken {
  bool by_namespace = false;
  bool by_labels = false;
  bool none() const { return !by_namespace && !by_labels; }
};

NotTaken notTaken(const Object& listener, const ir::Host& host, const NamespaceLabels& namespace_labels, bool strict);

/// For a Host that none of `listeners` takes.
std::string noListener(const ir::Host& host, const std::vector<ObjectPtr>& listeners, const NamespaceLabels& namespace_labels,
                       bool strict);
/// For a Listener that takes none of `hosts`.
std::string noHost(const Object& listener, const std::vector<const ir::Host*>& hosts, const NamespaceLabels& namespace_labels,
                   bool strict);
/// For a Listener that takes `hosts` and can serve none of them.
std::string nothingToServe(const model::Listener& listener, const std::vector<const ir::Host*>& hosts);

/// "{app: shop, tier: gold}": labels that the selector asks for, as one would write them; "" when it asks by expressions only.
std::string labelsYaml(const model::LabelSelector& selector);

}  // namespace emissary::compile
