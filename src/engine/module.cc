// The Module "ambassador": of several the first by name counts.

#include <fmt/format.h>

#include "compile/mapping.h"
#include "engine/state.h"

namespace emissary::engine {

void Engine::Impl::updateModule() {
  if (!dirty_modules_) return;
  dirty_modules_ = false;
  module_findings_.clear();
  Boxed<model::Module> now;
  ObjectPtr chosen;
  for (const auto& [name, object] : modules_) {
    if (!chosen) {
      chosen = object;
      now = std::get<Boxed<model::Module>>(object->spec);
      continue;
    }
    module_findings_.push_back(
        compile::findingOn(*object, Severity::Error, "metadata.name",
                           fmt::format("is not used, because {} comes first; keep one of them", chosen->ref.text())));
  }
  if (now == module_) return;
  if (now->tls_secret_namespacing != module_->tls_secret_namespacing) {
    for (const auto& [name, host] : hosts_) dirty_hosts_.insert(name);
  }
  module_ = std::move(now);
  for (const auto& [ref, entry] : mappings_) dirty_mappings_.insert(ref);
  dirty_topology_ = true;
}

}  // namespace emissary::engine
