#include "control_plane/board.h"

#include <algorithm>
#include <iterator>

#include "base/log.h"

namespace emissary::control_plane {
namespace {

std::vector<Finding> withoutLines(std::vector<Finding> findings) {
  for (Finding& finding : findings) finding.line = 0;
  std::sort(findings.begin(), findings.end());
  return findings;
}

log::Fields fieldsOf(const Finding& finding) {
  log::Fields fields;
  if (finding.object.kind != Kind::Unknown || !finding.object.name.empty()) fields.emplace_back("object", finding.object.text());
  if (!finding.field.empty()) fields.emplace_back("field", finding.field);
  if (!finding.path.empty()) fields.emplace_back("path", finding.path);
  return fields;
}

}  // namespace

FindingChanges compare(const std::vector<Finding>& before, const std::vector<Finding>& after) {
  FindingChanges result;
  if (before == after) return result;
  const std::vector<Finding> old = withoutLines(before), now = withoutLines(after);
  std::set_difference(now.begin(), now.end(), old.begin(), old.end(), std::back_inserter(result.appeared));
  std::set_difference(old.begin(), old.end(), now.begin(), now.end(), std::back_inserter(result.gone));
  return result;
}

void logChanges(const FindingChanges& changes) {
  for (const Finding& finding : changes.appeared) {
    // Users' mistakes are no errors of ours: warn is the highest.
    const log::Level level = finding.severity == Severity::Notice ? log::Level::Info : log::Level::Warn;
    log::Fields fields = fieldsOf(finding);
    fields.emplace_back("severity", std::string(severityName(finding.severity)));
    log::write(level, finding.message, fields);
  }
  for (const Finding& finding : changes.gone) log::info("no longer: " + finding.message, fieldsOf(finding));
}

}  // namespace emissary::control_plane
