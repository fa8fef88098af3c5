#include "source/kubernetes/kind_watch.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "base/log.h"
#include "model/annotation.h"
#include "model/parse.h"

namespace emissary::source {
namespace {

std::string pathOf(const Resource& resource, size_t version, const KubernetesOptions& options) {
  return resourcePath(resource, resource.versions[version], options.single_namespace ? options.ns : "");
}

/// What breaks a limit is there, and of no use.
ObjectPtr refused(const ObjectPtr& object, const std::string& problem) {
  auto out = std::make_shared<Object>(*object);
  out->usable = false;
  out->spec = std::monostate{};
  out->annotated.clear();
  out->source.clear();
  Finding finding;
  finding.object = out->ref;
  finding.message = problem + "; nothing of it is used";
  out->findings = {std::move(finding)};
  out->hash = hashBytes(out->hash.hex() + problem);
  return out;
}

}  // namespace

ObjectPtr objectOf(const Item& item, const Resource& resource, std::string_view version, const KubernetesOptions& options) {
  if (resource.kind == Kind::Ingress && !item.annotated(model::kConfigAnnotation)) return nullptr;
  std::string problem;
  const manifest::Value document = item.document(resource, version, options.limits, problem);
  model::ParseContext context;
  context.default_namespace = options.ns;
  context.variables = options.variables;
  model::ParsedDocument parsed = model::parseDocument(document, context);
  if (parsed.objects.empty()) return nullptr;
  ObjectPtr object = std::move(parsed.objects.front());
  if (!object->isFor(options.ambassador_id)) return nullptr;
  return problem.empty() ? object : refused(object, problem);
}

std::string selectorsOf(const Resource& resource, const KubernetesOptions& options, const std::string& more_fields) {
  std::string fields(resource.field_selector);
  const auto addFields = [&](const std::string& text) {
    if (!text.empty()) fields += (fields.empty() ? "" : ",") + text;
  };
  addFields(more_fields);
  if (resource.selected) addFields(options.field_selector);
  std::string out;
  if (resource.selected && !options.label_selector.empty()) out += "&labelSelector=" + kube::escaped(options.label_selector);
  if (!fields.empty()) out += "&fieldSelector=" + kube::escaped(fields);
  return out;
}

KindWatch::KindWatch(Shared& shared, Outlet& outlet, Contact& contact, Discovery& discovery, const Resource& resource)
    : shared_(shared),
      outlet_(outlet),
      discovery_(discovery),
      resource_(resource),
      stats_(shared.stats.kinds[resourceIndex(resource.kind)]),
      trouble_(shared, outlet, contact, resourceName(resource)),
      reflector_(shared, {pathOf(resource, 0, shared.options), selectorsOf(resource, shared.options), resource.namespaced}, *this,
                 stats_) {
  if (resource.optional) {
    trouble_.refused_patience = std::chrono::milliseconds(0);
    trouble_.severity = Severity::Warning;
  }
  trouble_.on_refused = [this] {
    if (listed_ && on_refusal) on_refusal();
    if (state_ == State::Trying) become(State::Refused);
  };
}

KindWatch::~KindWatch() { stop(); }

void KindWatch::asSubstituted(std::string consequence) {
  trouble_.consequence = std::move(consequence);
  trouble_.severity = Severity::Notice;
}

void KindWatch::start() {
  if (std::exchange(running_, true)) return;
  stats_.waiting = true;
  reflector_.start();
}

void KindWatch::stop() {
  running_ = false;
  reflector_.stop();
  stopAsking();
  trouble_.withdraw();
  staged_.clear();
  state_ = State::Trying;
  stats_.waiting = false;
}

void KindWatch::forget() {
  for (const auto& [key, entry] : entries_) outlet_.remove(refOf(key));
  entries_.clear();
  listed_ = false;
  stats_.objects = 0;
  stats_.waiting = running_;
}

void KindWatch::become(State state) {
  state_ = state;
  stats_.waiting = state != State::Listed;
  if (on_state) on_state();
}

std::string KindWatch::keyOf(std::string_view ns, std::string_view name) { return fmt::format("{}/{}", ns, name); }

ObjectRef KindWatch::refOf(const std::string& key) const {
  const size_t slash = key.find('/');
  return {resource_.kind, key.substr(0, slash), key.substr(slash + 1)};
}

bool KindWatch::same(const Entry& entry, const Object& object) const {
  if (entry.hash != object.hash) return false;
  // Of others' kinds nobody asks.
  return !resource_.ours() || (entry.generation == object.generation && entry.uid == hashBytes(object.uid).low);
}

/// The object; what its status says is told on the way.
ObjectPtr KindWatch::read(const Item& item) {
  ObjectPtr object = objectOf(item, resource_, resource_.versions[version_], shared_.options);
  if (object && resource_.ours()) {
    const manifest::Value status = item.status(shared_.options.limits);
    outlet_.observe(
        model::Observed{object->ref, object->uid, object->generation, model::readLiveStatus(status.isNull() ? nullptr : &status)});
  }
  return object;
}

void KindWatch::put(const ObjectPtr& object) {
  Entry& entry = entries_[keyOf(object->ref.ns, object->ref.name)];
  entry = {object->hash, hashBytes(object->uid).low, object->generation, round_};
  outlet_.upsert(object);
}

bool KindWatch::drop(const std::string& key) {
  if (entries_.erase(key) == 0) return false;
  const ObjectRef ref = refOf(key);
  if (resource_.ours()) outlet_.observe(model::Gone{ref});
  outlet_.remove(ref);
  return true;
}

void KindWatch::begin() {
  ++round_;
  staged_.clear();
}

void KindWatch::add(const Item& item) {
  ObjectPtr object = read(item);
  if (!object) return;
  const auto it = entries_.find(keyOf(item.ns, item.name));
  if (it != entries_.end()) it->second.round = round_;
  if (it == entries_.end() || !same(it->second, *object)) staged_.push_back(std::move(object));
}

void KindWatch::finish() {
  for (const ObjectPtr& object : std::exchange(staged_, {})) put(object);
  std::vector<std::string> gone;
  for (const auto& [key, entry] : entries_) {
    if (entry.round != round_) gone.push_back(key);
  }
  const size_t before = entries_.size();
  for (const std::string& key : gone) drop(key);
  if (before > 1 && gone.size() == before) warnVanished(before);
  stats_.objects = entries_.size();
  listed_ = true;
  stopAsking();
  looks_ = 0;
  become(State::Listed);
  outlet_.flush();
}

void KindWatch::changed(const Item& item) {
  const ObjectPtr object = read(item);
  const std::string key = keyOf(item.ns, item.name);
  if (!object) {
    drop(key);
  } else if (const auto it = entries_.find(key); it == entries_.end() || !same(it->second, *object)) {
    put(object);
  }
  stats_.objects = entries_.size();
}

void KindWatch::deleted(const Item& item) {
  if (!drop(keyOf(item.ns, item.name))) return;
  stats_.objects = entries_.size();
  countBurst();
}

void KindWatch::countBurst() {
  const auto now = shared_.loop.now();
  if (now - last_deletion_ > shared_.options.bounds.burst) burst_ = 0;
  last_deletion_ = now;
  ++burst_;
  if (entries_.empty() && burst_ > 1) warnVanished(std::exchange(burst_, 0));
}

void KindWatch::warnVanished(size_t count) {
  ++stats_.vanished;
  log::warn(fmt::format("all {} objects of a kind were deleted at once", count), {{"resource", resourceName(resource_)}});
}

void KindWatch::healthy() { trouble_.over(); }

void KindWatch::failed(const Failure& failure) {
  const bool was_refused = trouble_.refused();
  trouble_.failed(failure);
  if (failure.what == Failure::What::NotFound) askDiscovery();
  if (failure.what == Failure::What::Refused && !was_refused && !listed_ && on_refusal) on_refusal();
  outlet_.flush();
}

void KindWatch::follow(size_t version) {
  if (state_ == State::Absent) log::info("the API server serves a kind now", {{"resource", resourceName(resource_)}});
  version_ = version;
  reflector_.stop();
  reflector_.retarget(pathOf(resource_, version, shared_.options));
  reflector_.start();
}

void KindWatch::askDiscovery() {
  if (std::exchange(asking_, true)) return;
  looks_ = 0;
  for (size_t i = 0; i < std::size(resource_.versions) && !resource_.versions[i].empty(); ++i) {
    missing_[i] = false;
    discovery_.ask(groupPath(resource_.group, resource_.versions[i]), std::string(resource_.plural), &missing_[i],
                   [this, i](bool served) { onDiscovery(i, served); });
  }
}

void KindWatch::stopAsking() {
  for (const bool& missing : missing_) discovery_.forget(&missing);
  asking_ = false;
}

void KindWatch::onDiscovery(size_t version, bool served) {
  const KubernetesBounds& bounds = shared_.options.bounds;
  missing_[version] = !served;
  if (served) {
    looks_ = 0;
    // Else the list is tried again anyway.
    if (state_ == State::Absent || (version != version_ && missing_[version_])) follow(version);
    return;
  }
  if (state_ == State::Absent) return;
  for (size_t i = 0; i < std::size(missing_) && !resource_.versions[i].empty(); ++i) {
    if (!missing_[i]) return;
  }
  const auto now = shared_.loop.now();
  if (looks_++ == 0) first_look_ = now;
  // A server that has just started does not know of custom resources for a moment.
  const int needed = listed_ ? bounds.gone_looks : resource_.ours() ? 2 : 1;
  const auto least = listed_ ? bounds.gone_time : std::chrono::milliseconds(0);
  if (looks_ >= needed && now - first_look_ >= least) gone();
}

/// The kind is not served.
void KindWatch::gone() {
  reflector_.stop();
  staged_.clear();
  trouble_.withdraw();
  if (const size_t count = entries_.size(); count > 0) {
    ++stats_.vanished;
    log::warn(fmt::format("the API server does not serve a kind any more; its {} objects are gone", count),
              {{"resource", resourceName(resource_)}});
    std::vector<std::string> keys;
    for (const auto& [key, entry] : entries_) keys.push_back(key);
    for (const std::string& key : keys) drop(key);
    stats_.objects = 0;
  }
  listed_ = false;
  become(State::Absent);
  outlet_.flush();
}

}  // namespace emissary::source
