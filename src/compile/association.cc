#include "compile/association.h"

#include <algorithm>

#include "compile/glob.h"

namespace emissary::compile {

bool selects(const model::LabelSelector& selector, const Labels& labels, bool strict) {
  if (strict) return selector.matches(labels);
  const auto equal = [&](const auto& pair) {
    const auto it = labels.find(pair.first);
    return it != labels.end() && it->second == pair.second;
  };
  if (std::any_of(selector.match_labels.begin(), selector.match_labels.end(), equal)) return true;
  return selector.match_labels.empty() && selector.matches(labels);
}

bool takes(const ir::Host& host, const ir::HostMatch& host_match, const std::vector<std::pair<std::string, std::string>>& labels,
           bool strict) {
  using Kind = ir::HostMatch::Kind;
  if (host_match.kind == Kind::Every) return true;
  const bool named = host_match.kind != Kind::None;
  const bool name_allows = host_match.kind == Kind::Regex || (named && globsOverlap(host.hostname, host_match.text));
  const auto& selector = host.mapping_selector;
  // An empty selector says nothing, though in Kubernetes it selects everything: upstream takes no Mapping by it.
  if (!selector || (selector->match_labels.empty() && selector->match_expressions.empty())) return name_allows;
  const bool selected = selects(*selector, {labels.begin(), labels.end()}, strict);
  if (!strict) return selected || name_allows;
  return selected && (!named || name_allows);
}

}  // namespace emissary::compile
