#include "source/kubernetes/outlet.h"

#include <utility>

namespace emissary::source {

Outlet::Outlet(kube::Loop& loop, const KubernetesOptions& options, Sink sink, Observer observer)
    : loop_(loop), options_(options), sink_(std::move(sink)), observer_(std::move(observer)) {}

Outlet::~Outlet() { stop(); }

void Outlet::stop() {
  stopped_ = true;
  loop_.cancel(std::exchange(patience_, 0));
}

void Outlet::upsert(ObjectPtr object) {
  references_.set(object->ref, compile::secretReferences(*object, options_.ambassador_id));
  if (batch_.events.empty()) batch_.arrived = loop_.now();
  batch_.events.emplace_back(Upsert{std::move(object)});
}

void Outlet::remove(const ObjectRef& ref) {
  references_.set(ref, {});
  if (batch_.events.empty()) batch_.arrived = loop_.now();
  batch_.events.emplace_back(Delete{ref});
}

void Outlet::observe(model::Sighting sighting) {
  if (observer_) sightings_.push_back(std::move(sighting));
}

void Outlet::tell(const std::string& path, std::vector<Finding> findings) {
  for (Finding& finding : findings) {
    if (finding.object.kind == Kind::Unknown) finding.path = path;
  }
  std::vector<Finding>& told = told_[path];
  if (told == findings) return;
  told = findings;
  if (findings.empty()) told_.erase(path);
  if (batch_.events.empty()) batch_.arrived = loop_.now();
  batch_.events.emplace_back(FileFindings{path, std::move(findings)});
}

void Outlet::refer(std::vector<compile::SecretReference> references) { references_.set({}, std::move(references)); }

void Outlet::flush() {
  if (stopped_) return;
  const std::set<SecretKey> touched = references_.takeTouched();
  if (!touched.empty() && on_references) on_references(touched);
  if (!sightings_.empty()) observer_(std::exchange(sightings_, {}));
  if (held_.empty()) send();
}

void Outlet::send() {
  if (!synced_ || batch_.events.empty()) return;
  sink_(std::exchange(batch_, {}));
}

void Outlet::hold(const SecretKey& secret) {
  if (!synced_) return;
  held_.insert(secret);
  if (patience_ != 0) return;
  patience_ = loop_.after(options_.bounds.hold, [this] {
    patience_ = 0;
    held_.clear();
    flush();
  });
}

void Outlet::release(const SecretKey& secret) {
  held_.erase(secret);
  if (held_.empty()) loop_.cancel(std::exchange(patience_, 0));
}

void Outlet::sync() {
  if (synced_) return;
  if (batch_.events.empty()) batch_.arrived = loop_.now();
  batch_.events.emplace_back(Synced{});
  synced_ = true;
  flush();
}

}  // namespace emissary::source
