#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/offline.h"

namespace emissary::cli {
namespace {

std::string json(const Offline& offline) {
  nlohmann::ordered_json findings = nlohmann::ordered_json::array();
  for (const Finding& finding : offline.findings) {
    const bool of_object = finding.object.kind != Kind::Unknown;
    findings.push_back({{"path", finding.path},
                        {"line", finding.line},
                        {"severity", severityName(finding.severity)},
                        {"kind", of_object ? kindName(finding.object.kind) : ""},
                        {"namespace", finding.object.ns},
                        {"name", finding.object.name},
                        {"field", finding.field},
                        {"message", finding.message}});
  }
  const nlohmann::ordered_json document = {{"findings", findings}, {"errors", offline.errors()}, {"warnings", offline.warnings()}};
  return document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

int check(const settings::Settings& settings) {
  std::string error;
  const auto offline = compileOffline(settings, error);
  if (!offline) {
    std::fprintf(stderr, "emissary check: %s\n", error.c_str());
    return 2;
  }
  std::string text;
  if (settings.output == "json") text = json(*offline);
  else
    for (const Finding& finding : offline->findings) text += line(finding) + "\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
  return offline->errors() > 0 ? 1 : 0;
}

}  // namespace emissary::cli
