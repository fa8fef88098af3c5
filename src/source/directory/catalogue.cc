#include "source/directory/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace emissary::source {
namespace {

/// Nothing that anybody can see differs.
bool same(const Object& a, const Object& b) {
  if (a.hash != b.hash || a.line != b.line || a.usable != b.usable || a.ref != b.ref || a.path != b.path ||
      a.findings != b.findings) {
    return false;
  }
  return std::equal(a.annotated.begin(), a.annotated.end(), b.annotated.begin(), b.annotated.end(),
                    [](const ObjectPtr& x, const ObjectPtr& y) { return same(*x, *y); });
}

Finding duplicateOf(const Object& winner, const Object& loser) {
  Finding finding;
  finding.severity = Severity::Error;
  finding.object = loser.ref;
  finding.path = loser.path;
  finding.line = loser.line;
  finding.message = fmt::format("{} is already defined at {}:{}, which is used; remove one of the two", loser.ref.text(),
                                winner.path, winner.line);
  return finding;
}

}  // namespace

Catalogue::File& Catalogue::at(const std::string& path) {
  File& file = files_[path];
  file.path = path;
  file.gone = false;
  touched_files_.insert(path);
  return file;
}

void Catalogue::define(File& file, size_t position, const ObjectPtr& object) {
  definitions_[object->ref].places[{&file, position}] = object;
  touched_.insert(object->ref);
}

void Catalogue::undefine(File& file, size_t position, const ObjectRef& ref) {
  definitions_[ref].places.erase({&file, position});
  file.duplicates.erase(position);
  touched_.insert(ref);
}

void Catalogue::put(const std::string& path, std::vector<ObjectPtr> objects, std::vector<Finding> findings) {
  File& file = at(path);
  file.problem.reset();
  file.findings = std::move(findings);
  for (size_t i = 0; i < std::max(file.objects.size(), objects.size()); ++i) {
    const ObjectPtr before = i < file.objects.size() ? file.objects[i] : nullptr;
    const ObjectPtr after = i < objects.size() ? objects[i] : nullptr;
    if (before && after && same(*before, *after)) {
      objects[i] = before;
      continue;
    }
    if (before) undefine(file, i, before->ref);
    if (after) define(file, i, after);
  }
  file.objects = std::move(objects);
}

void Catalogue::blame(const std::string& path, Finding problem) { at(path).problem = std::move(problem); }

void Catalogue::absolve(const std::string& path) {
  if (files_.contains(path)) at(path).problem.reset();
}

void Catalogue::remove(const std::string& path) {
  if (!files_.contains(path)) return;
  put(path, {}, {});
  files_[path].gone = true;
}

size_t Catalogue::objectsIn(const std::string& path) const {
  const auto found = files_.find(path);
  return found == files_.end() ? 0 : found->second.objects.size();
}

std::vector<Event> Catalogue::takeEvents() {
  std::vector<Event> events;
  for (const ObjectRef& ref : touched_) settle(ref, events);
  touched_.clear();
  for (const std::string& path : touched_files_) {
    File& file = files_[path];
    std::vector<Finding> findings;
    if (file.problem) {
      findings.push_back(*file.problem);
    } else {
      findings = file.findings;
    }
    for (const auto& [position, finding] : file.duplicates) findings.push_back(finding);
    if (findings != file.told) {
      file.told = findings;
      events.emplace_back(FileFindings{path, std::move(findings)});
    }
    if (file.gone) files_.erase(path);
  }
  touched_files_.clear();
  return events;
}

void Catalogue::settle(const ObjectRef& ref, std::vector<Event>& events) {
  const auto found = definitions_.find(ref);
  if (found == definitions_.end()) return;
  Definitions& definitions = found->second;
  if (definitions.places.empty()) {
    if (definitions.told) events.emplace_back(Delete{ref});
    definitions_.erase(found);
    return;
  }
  const ObjectPtr& winner = definitions.places.begin()->second;
  if (!definitions.told || !same(*definitions.told, *winner)) {
    definitions.told = winner;
    events.emplace_back(Upsert{winner});
  }
  judgeDuplicates(definitions);
}

void Catalogue::judgeDuplicates(const Definitions& definitions) {
  const ObjectPtr& winner = definitions.places.begin()->second;
  for (const auto& [place, object] : definitions.places) {
    File& file = files_.find(place.file->path)->second;
    if (object == winner) {
      if (file.duplicates.erase(place.position) > 0) touched_files_.insert(file.path);
    } else {
      file.duplicates.insert_or_assign(place.position, duplicateOf(*winner, *object));
      touched_files_.insert(file.path);
    }
  }
}

}  // namespace emissary::source
