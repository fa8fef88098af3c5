#include "serve/client_node.h"

#include <fmt/format.h>

#include "base/log.h"

namespace emissary::serve {

namespace core_v3 = envoy::config::core::v3;

std::string versionOf(const core_v3::Node& node) {
  if (!node.has_user_agent_build_version()) return node.user_agent_version();
  const auto& build = node.user_agent_build_version();
  const auto& version = build.version();
  std::string out = fmt::format("{}.{}.{}", version.major_number(), version.minor_number(), version.patch());
  // What a patched branch appends to its number.
  const auto label = build.metadata().fields().find("build.label");
  if (label != build.metadata().fields().end()) out += "-" + label->second.string_value();
  return out;
}

ir::EnvoyBuild buildOf(const core_v3::Node& node) {
  std::vector<std::string> extensions;
  extensions.reserve(static_cast<size_t>(node.extensions_size()));
  for (const core_v3::Extension& extension : node.extensions()) {
    if (!extension.disabled()) extensions.push_back(extension.category() + "/" + extension.name());
  }
  const std::string version = versionOf(node);
  for (const std::string_view name : ir::indispensable(extensions)) {
    log::error("this Envoy lacks what nearly every configuration needs", {{"version", version}, {"extension", std::string(name)}});
  }
  const ir::EnvoyBuild build = ir::envoyBuild(version, extensions);
  for (size_t i = 0; i < ir::kExtensions; ++i) {
    const auto extension = static_cast<ir::Extension>(i);
    if (build.has(extension)) continue;
    log::warn("this Envoy lacks an extension: what needs it is left out",
              {{"version", version}, {"extension", std::string(ir::extensionName(extension))}});
  }
  return build;
}

}  // namespace emissary::serve
