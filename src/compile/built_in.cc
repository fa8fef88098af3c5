#include "compile/built_in.h"

#include <algorithm>
#include <array>

namespace emissary::compile {
namespace {

constexpr int64_t kTimeoutMs = 10'000;

struct Kinds {
  std::string_view name;
  std::string_view key;  // of the Module
  model::BuiltInMapping model::Module::* settings;
};

constexpr std::array kBuiltIn = {
    Kinds{"internal_diagnostics_probe_mapping", "diagnostics", &model::Module::diagnostics},
    Kinds{"internal_liveness_probe_mapping", "liveness_probe", &model::Module::liveness_probe},
    Kinds{"internal_readiness_probe_mapping", "readiness_probe", &model::Module::readiness_probe},
};

const Kinds* find(const ObjectRef& ref) {
  if (ref.kind != Kind::Mapping) return nullptr;
  const auto it = std::find_if(kBuiltIn.begin(), kBuiltIn.end(), [&](const Kinds& kind) { return kind.name == ref.name; });
  return it == kBuiltIn.end() ? nullptr : &*it;
}

}  // namespace

bool isBuiltIn(const ObjectRef& ref) { return find(ref) != nullptr; }

std::vector<ObjectRef> builtInRefs(const Installation& installation) {
  std::vector<ObjectRef> out;
  for (const Kinds& kind : kBuiltIn) out.push_back({Kind::Mapping, installation.ns, std::string(kind.name)});
  return out;
}

ObjectPtr builtInMapping(const ObjectRef& ref, const model::Module& module, const Installation& installation) {
  const model::BuiltInMapping& settings = module.*find(ref)->settings;
  if (!settings.enabled) return nullptr;
  // The address that upstream's examples write for the administration server, wherever that is.
  const bool ours = settings.service.empty() || settings.service == "127.0.0.1:8877" || settings.service == "localhost:8877";
  model::Mapping mapping;
  mapping.hostname = "*";
  mapping.prefix = settings.prefix;
  mapping.rewrite = settings.rewrite == settings.prefix ? "" : settings.rewrite;
  mapping.service = ours ? installation.administration : settings.service;
  mapping.resolver = "kubernetes-service";
  mapping.timeout_ms = kTimeoutMs;
  mapping.policy.edit().bypass_auth = true;
  auto object = std::make_shared<Object>();
  object->ref = ref;
  object->ambassador_id = {"default"};
  object->spec = std::move(mapping);
  return object;
}

MappingResult compileBuiltIn(const Object& object, const MappingContext& context, const Object* module) {
  MappingResult result = compileMapping(object, context);
  result.match.host = {ir::HostMatch::Kind::Every, "*"};
  result.match.labels.clear();
  result.labels.clear();
  if (module == nullptr) result.findings.clear();
  for (Finding& finding : result.findings) {
    finding = findingOn(*module, finding.severity, "spec.config." + std::string(find(object.ref)->key), std::move(finding.message));
  }
  return result;
}

}  // namespace emissary::compile
