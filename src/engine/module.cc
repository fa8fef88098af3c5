// The Module "ambassador": of several the first by name counts. And the built-in Mappings, which it describes.

#include <fmt/format.h>

#include "compile/built_in.h"
#include "compile/mapping.h"
#include "compile/withheld.h"
#include "engine/state.h"

namespace emissary::engine {
namespace {

/// What a change of the Module moves.
struct Moved {
  bool http = false;      // every Listener
  bool defaults = false;  // every Mapping
  bool built_ins = false;
  bool secret_names = false;
};

Moved compare(const model::Module& before, const model::Module& after) {
  Moved moved;
  moved.http = before.http != after.http;
  moved.secret_names = before.tls_secret_namespacing != after.tls_secret_namespacing;
  moved.built_ins = before.liveness_probe != after.liveness_probe || before.readiness_probe != after.readiness_probe ||
                    before.diagnostics != after.diagnostics;
  model::Module rest = before;  // with all of that as it is after
  rest.http = after.http;
  rest.liveness_probe = after.liveness_probe;
  rest.readiness_probe = after.readiness_probe;
  rest.diagnostics = after.diagnostics;
  rest.diagnostics_allow_non_local = after.diagnostics_allow_non_local;
  rest.debug_mode = after.debug_mode;
  moved.defaults = rest != after || before.http.preserve_case != after.http.preserve_case;  // which clusters need too
  return moved;
}

}  // namespace

void Engine::Impl::checkLog(const Object& object, Boxed<model::Module>& module) {
  const std::string path = module->http.access_log.path;
  const std::string problem = options_.log_problem && path != model::AccessLog().path ? options_.log_problem(path) : "";
  if (problem.empty()) return;
  module.edit().http.access_log.path = model::AccessLog().path;
  module_findings_.push_back(
      compile::findingOn(object, Severity::Error, "spec.config.envoy_log_path",
                         fmt::format("{} cannot be opened: {}; the log goes to the standard output until the Module changes or the "
                                     "gateway starts again",
                                     path, problem)));
}

void Engine::Impl::updateModule() {
  if (!dirty_modules_) return;
  dirty_modules_ = false;
  module_findings_.clear();
  Boxed<model::Module> now;
  ObjectPtr chosen;
  for (const auto& [name, object] : modules_) {
    reject(object->ref, chosen != nullptr);
    if (!chosen) {
      chosen = object;
      now = std::get<Boxed<model::Module>>(object->spec);
      continue;
    }
    module_findings_.push_back(compile::findingOn(
        *object, Severity::Error, "metadata.name",
        fmt::format("is not used, because {} comes first; keep one of them", chosen->ref.text()), About::Conflict));
  }
  if (chosen) {
    checkLog(*chosen, now);
    compile::withhold(*chosen, installation_.envoy, now, module_findings_);
  }
  const Moved moved = compare(*module_, *now);
  module_ = std::move(now);
  module_object_ = std::move(chosen);
  if (moved.http) dirty_topology_ = true;
  if (moved.secret_names) {
    for (const auto& [name, host] : hosts_) dirty_hosts_.insert(name);
  }
  if (moved.defaults) {
    for (const auto& [ref, entry] : mappings_) dirty_mappings_.insert(ref);
  }
  if (moved.defaults || moved.secret_names) {
    for (const auto& [ref, entry] : tcp_mappings_) dirty_tcp_mappings_.insert(ref);
  }
  updateBuiltIns(moved.built_ins);
}

// Whose findings they are may have changed even where they have not.
void Engine::Impl::updateBuiltIns(bool moved) {
  for (const ObjectRef& ref : compile::builtInRefs(installation_)) {
    const auto it = mappings_.find(ref);
    if (it != mappings_.end() && !moved) {
      if (!it->second.result || !it->second.result->findings.empty()) dirty_mappings_.insert(ref);
      continue;
    }
    ObjectPtr object = compile::builtInMapping(ref, *module_, installation_);
    if (!object && it == mappings_.end()) continue;
    mappings_[ref].object = std::move(object);
    dirty_mappings_.insert(ref);
  }
}

}  // namespace emissary::engine
