#include "diagnostics/scene.h"

#include <fmt/format.h>

#include <algorithm>

#include "diagnostics/names.h"

namespace emissary::diagnostics {

Index::Index(const Scene& given) : scene(given), view(*given.state->view) {
  group_ids.reserve(view.groups.size());
  for (const auto& group : view.groups) group_ids.push_back(groupId(group.match));
  for (size_t i = 0; i < view.groups.size(); ++i) {
    groups.emplace(group_ids[i], i);
    for (const auto& member : view.groups[i].members) group_of.emplace(member.mapping->ref, i);
  }
  for (const auto& cluster : view.clusters) clusters.emplace(cluster.name, &cluster);
  for (const ObjectPtr& object : view.objects) objects[rkey(object->ref)].push_back(object.get());
  for (const Finding& finding : *scene.state->findings) {
    const bool of_object = !finding.object.name.empty();
    findings[of_object ? rkey(finding.object) : ""].push_back(&finding);
    if (finding.severity == Severity::Error && of_object) ++errors[finding.object];
  }
}

const serve::Resource* Index::resource(serve::Type type, std::string_view name) const {
  const auto it =
      std::lower_bound(view.resources.begin(), view.resources.end(), std::pair(type, name),
                       [](const auto& r, const auto& key) { return std::pair(r->type, std::string_view(r->name)) < key; });
  const bool found = it != view.resources.end() && (*it)->type == type && (*it)->name == name;
  return found ? it->get() : nullptr;
}

std::string sentence(const Finding& finding) {
  std::string out;
  if (!finding.object.name.empty()) out = kindName(finding.object.kind);
  else if (!finding.path.empty()) out = fmt::format("{}:{}", finding.path, finding.line);
  if (!finding.field.empty()) out += (out.empty() ? "" : " ") + finding.field;
  return out.empty() ? finding.message : out + ": " + finding.message;
}

}  // namespace emissary::diagnostics
