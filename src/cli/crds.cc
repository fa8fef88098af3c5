#include "schema/crds.h"

#include <cstdio>

#include "cli/commands.h"

namespace emissary::cli {

int crds(const settings::Settings& settings) {
  const std::string text = schema::crds(settings.legacy_crds);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}

}  // namespace emissary::cli
