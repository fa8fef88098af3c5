// What concerns the installation as a whole: who it is, how it does, what is wrong.

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "compile/built_in.h"
#include "diagnostics/names.h"
#include "diagnostics/overview.h"
#include "diagnostics/selection.h"

namespace emissary::diagnostics {
namespace {

/// One of the checks: true while nothing of it failed.
class Check {
 public:
  void fail(std::string text) { specifics_.push_back({false, std::move(text)}); }
  void pass(std::string text) { specifics_.push_back({true, std::move(text)}); }
  bool good() const {
    return std::all_of(specifics_.begin(), specifics_.end(), [](const Json& one) { return one[0].get<bool>(); });
  }
  Json json() const { return {{"status", good()}, {"specifics", specifics_}}; }

 private:
  Json specifics_ = Json::array();
};

bool speaksOf(const Finding& finding, std::string_view word) { return sentence(finding).find(word) != std::string::npos; }

void addChecks(const Index& index, Json& out) {
  std::set<std::string> failures;
  Check errors, tls, mappings, crds;
  size_t count = 0;
  for (const Finding& finding : *index.scene.state->findings) {
    if (finding.severity != Severity::Error) continue;
    ++count;
    if (speaksOf(finding, "TLS")) {
      tls.fail(sentence(finding));
      failures.insert("TLS errors");
    }
    if (speaksOf(finding, "CRD")) {
      crds.fail(sentence(finding));
      failures.insert("other CRDs");
    }
  }
  const std::string total = fmt::format("{} total error{} logged", count, count == 1 ? "" : "s");
  if (count > 0) errors.fail(total);
  else errors.pass(total);

  const auto& hosts = index.view.hosts;
  const auto contexts = std::count_if(hosts.begin(), hosts.end(), [](const ir::Host& host) { return host.tls.has_value(); });
  if (contexts > 0) {
    tls.pass(fmt::format("{} Host{} TLS", contexts, contexts == 1 ? " terminates" : "s terminate"));
  } else {
    tls.fail("No Host terminates TLS");
    failures.insert("no TLS contexts");
  }
  const auto active = std::count_if(index.view.groups.begin(), index.view.groups.end(), [](const engine::View::Group& group) {
    return !compile::isBuiltIn(group.members.front().mapping->ref);
  });
  if (active > 0) {
    mappings.pass(fmt::format("{} group{} of Mappings in use", active, active == 1 ? "" : "s"));
  } else {
    mappings.fail("No Mappings are active");
    failures.insert("no Mappings");
  }
  if (crds.good()) crds.pass("No errors about CRDs");

  out["env_good"] = errors.good() && tls.good() && mappings.good() && crds.good();
  out["env_failures"] = failures;
  out["env_status"] = {{"Error check", errors.json()}, {"TLS", tls.json()}, {"Mappings", mappings.json()}, {"CRDs", crds.json()}};
}

}  // namespace

std::string durationText(int64_t seconds) {
  if (seconds < 60) return fmt::format("{} second{}", seconds, seconds == 1 ? "" : "s");
  const std::pair<int64_t, const char*> parts[] = {
      {seconds / 86400, "day"}, {seconds / 3600 % 24, "hour"}, {seconds / 60 % 60, "minute"}};
  std::string out;
  for (const auto& [number, unit] : parts) {
    if (number == 0) continue;
    out += fmt::format("{}{} {}{}", out.empty() ? "" : ", ", number, unit, number == 1 ? "" : "s");
  }
  return out;
}

Json systemJson(const Selection& all) {
  const Scene& scene = all.index.scene;
  const About& about = *scene.about;
  const auto up = std::chrono::duration_cast<std::chrono::seconds>(scene.now - about.boot).count();
  Json out;
  out["version"] = about.version;
  out["hostname"] = about.hostname;
  out["ambassador_id"] = about.ambassador_id;
  out["ambassador_namespace"] = about.ns;
  out["single_namespace"] = about.single_namespace;
  out["knative_enabled"] = false;
  out["statsd_enabled"] = about.statsd;
  out["endpoints_enabled"] = about.load_balancers;
  out["cluster_id"] = about.cluster_id;
  out["boot_time"] = fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(about.boot));
  out["hr_uptime"] = durationText(std::max<int64_t>(up, 0));
  out["latest_snapshot"] = fmt::format("generation {}", scene.state->generation);
  addChecks(all.index, out);
  out["debug_mode"] = all.index.view.module->debug_mode;
  return out;
}

Json envoyStatusJson(const Selection& all) {
  const EnvoyState& envoy = *all.index.scene.envoy;
  Json out;
  out["alive"] = envoy.alive;
  out["ready"] = envoy.ready;
  out["uptime"] = envoy.alive ? durationText(envoy.uptime) : "unknown";
  out["since_update"] = envoy.updated ? durationText(all.index.scene.envoy_age) + " ago" : "never";
  return out;
}

Json logInfoJson(const Selection& all) {
  const auto& levels = all.index.scene.envoy->levels;
  if (levels.size() == 1) return {{"all", levels.begin()->first}};
  Json out = Json::object();
  for (const auto& [level, loggers] : levels) out[level] = loggers;
  return out;
}

Json bannerJson(const Selection& all) {
  const std::string& banner = all.index.scene.banner;
  return banner.empty() ? Json() : Json(banner);
}

Json noticesJson(const Selection& of) {
  Json out = Json::array();
  for (const Finding& finding : *of.index.scene.state->findings) {
    if (finding.severity == Severity::Error || !of.has(finding.object)) continue;
    const std::string key = finding.object.name.empty() ? "" : rkey(finding.object) + ": ";
    out.push_back({{"level", finding.severity == Severity::Warning ? "WARNING" : "NOTICE"}, {"message", key + sentence(finding)}});
  }
  return out;
}

Json errorsJson(const Selection& of) {
  Json out = Json::array();
  for (const Finding& finding : *of.index.scene.state->findings) {
    if (finding.severity != Severity::Error || !of.has(finding.object)) continue;
    out.push_back(Json::array({finding.object.name.empty() ? "" : rkey(finding.object), sentence(finding)}));
  }
  return out;
}

}  // namespace emissary::diagnostics
