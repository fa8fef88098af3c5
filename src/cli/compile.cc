#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/offline.h"
#include "serve/resource_json.h"

namespace emissary::cli {

int compile(const settings::Settings& settings) {
  std::string error;
  const auto offline = compileOffline(settings, error);
  if (!offline) {
    std::fprintf(stderr, "emissary compile: %s\n", error.c_str());
    return 2;
  }
  for (const Finding& finding : offline->findings) std::fprintf(stderr, "%s\n", line(finding).c_str());
  const nlohmann::ordered_json json =
      settings.output == "ir" ? offline->engine->ir() : serve::envoyJson(offline->engine->resources());
  const std::string text = json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
  return offline->errors() > 0 ? 1 : 0;
}

}  // namespace emissary::cli
