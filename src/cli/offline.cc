#include "cli/offline.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <map>
#include <tuple>

#include "settings/engine_options.h"
#include "source/directory/directory_source.h"

namespace emissary::cli {
namespace {

std::string canonical(const std::string& path) {
  std::error_code failed;
  const std::filesystem::path result = std::filesystem::weakly_canonical(path, failed);
  return failed ? path : result.string();
}

size_t count(const std::vector<Finding>& findings, Severity severity) {
  return static_cast<size_t>(
      std::count_if(findings.begin(), findings.end(), [&](const Finding& f) { return f.severity == severity; }));
}

/// One line, whatever a file's author put into a name.
std::string plain(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return text;
}

}  // namespace

size_t Offline::errors() const { return count(findings, Severity::Error); }
size_t Offline::warnings() const { return count(findings, Severity::Warning); }

std::vector<engine::Change> merge(const std::vector<source::Batch>& batches, std::vector<Finding>& findings) {
  std::map<ObjectRef, ObjectPtr> objects;
  std::vector<engine::Change> changes;
  std::map<std::string, std::vector<Finding>> of_files;  // by canonical path: a file reached twice speaks once
  for (const source::Batch& batch : batches) {
    for (const source::Event& event : batch.events) {
      if (const auto* file = std::get_if<source::FileFindings>(&event)) of_files.try_emplace(canonical(file->path), file->findings);
      const auto* upsert = std::get_if<source::Upsert>(&event);
      if (!upsert) continue;
      const Object& object = *upsert->object;
      const auto [it, added] = objects.try_emplace(object.ref, upsert->object);
      if (added) {
        changes.push_back({object.ref, upsert->object});
        continue;
      }
      const Object& first = *it->second;
      if (first.line == object.line && canonical(first.path) == canonical(object.path)) continue;
      findings.push_back({Severity::Error, object.ref, "",
                          fmt::format("is already defined at {}:{}, which is used; remove one of the two", first.path, first.line),
                          object.path, object.line});
    }
  }
  for (const auto& [path, list] : of_files) findings.insert(findings.end(), list.begin(), list.end());
  return changes;
}

std::optional<Offline> compileOffline(const settings::Settings& settings, std::string& error) {
  std::vector<source::Batch> batches;
  for (const std::string& path : settings.paths) {
    std::error_code failed;
    if (!std::filesystem::exists(path, failed)) {
      error = fmt::format("{}: {}", path, failed ? failed.message() : "there is no such file or folder");
      return std::nullopt;
    }
    batches.push_back(
        source::DirectorySource::readOnce({.path = path, .default_namespace = settings.ns, .variables = settings.variables}));
  }
  Offline result;
  result.engine = std::make_unique<engine::Engine>(settings::engineOptions(settings));
  result.engine->apply(merge(batches, result.findings));
  for (Finding& finding : result.engine->findings(std::time(nullptr))) result.findings.push_back(std::move(finding));
  std::sort(result.findings.begin(), result.findings.end(),
            [](const Finding& a, const Finding& b) { return std::tie(a.path, a.line, a) < std::tie(b.path, b.line, b); });
  return result;
}

std::string line(const Finding& finding) {
  std::string result = fmt::format("{}:{}: {}: ", finding.path, finding.line, severityName(finding.severity));
  if (finding.object.kind != Kind::Unknown) result += finding.object.text() + ": ";
  if (!finding.field.empty()) result += finding.field + ": ";
  return plain(result + finding.message);
}

}  // namespace emissary::cli
