#include "compile/association.h"

#include "compile/glob.h"

namespace emissary::compile {

bool takes(const ir::Host& host, const ir::HostMatch& host_match, const std::vector<std::pair<std::string, std::string>>& labels) {
  using Kind = ir::HostMatch::Kind;
  const bool named = host_match.kind != Kind::None;
  const bool name_allows = host_match.kind == Kind::Regex || (named && globsOverlap(host.hostname, host_match.text));
  const auto& selector = host.mapping_selector;
  // An empty selector says nothing, though in Kubernetes it selects everything: upstream takes no Mapping by it.
  if (!selector || (selector->match_labels.empty() && selector->match_expressions.empty())) return name_allows;
  const bool selected = selector->matches({labels.begin(), labels.end()});
  return selected && (!named || name_allows);
}

}  // namespace emissary::compile
