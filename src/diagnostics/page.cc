#include "diagnostics/page.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "diagnostics/html.h"

namespace emissary::diagnostics {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kTitle = "Emissary Diagnostic Overview";

/// What a person reads: text as it is, everything else as JSON.
std::string text(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  if (json.is_boolean()) return json.get<bool>() ? "yes" : "no";
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string field(std::string_view name, const std::string& html) {
  return fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", name, html);
}

std::string colored(const std::string& color, const std::string& html) {
  return fmt::format(R"(<span class="{}">{}</span>)", escaped(color), html);
}

std::string levels(const Json& loginfo) {
  std::string out;
  if (loginfo.contains("all")) {
    out = brief(text(loginfo["all"]));
  } else {
    for (const auto& [level, loggers] : loginfo.items()) {
      out += fmt::format("{}{} ({})", out.empty() ? "" : ", ", brief(level), loggers.size());
    }
    if (out.empty()) out = "unknown";
  }
  return out + R"( · <a href="?loglevel=debug">Set Debug On</a> · <a href="?loglevel=warning">Set Debug Off</a>)";
}

std::string envoyStatus(const Json& status) {
  const bool alive = status["alive"].get<bool>(), ready = status["ready"].get<bool>();
  if (!alive) return colored("red", "not reachable") + ", last statistics " + brief(text(status["since_update"]));
  return colored(ready ? "green" : "yellow", ready ? "alive and ready" : "alive, not ready") + ", up " +
         brief(text(status["uptime"])) + ", statistics " + brief(text(status["since_update"]));
}

std::string systemBox(const Json& overview) {
  const Json& system = overview["system"];
  const auto of = [&](const char* key) { return brief(text(system[key])); };
  std::string out = R"(<dl class="box">)";
  out += field("Version", of("version"));
  out += field("Hostname", of("hostname"));
  out += field("Cluster ID", of("cluster_id"));
  out += field("Ambassador ID", of("ambassador_id"));
  out += field("Namespace", of("ambassador_namespace") + (system["single_namespace"].get<bool>() ? ", and no other" : ""));
  out += field("Up", of("hr_uptime") + ", since " + of("boot_time"));
  out += field("Configuration", of("latest_snapshot"));
  out += field("Envoy", envoyStatus(overview["envoy_status"]));
  out += field("Envoy's log level", levels(overview["loginfo"]));
  out += field("Features", fmt::format("endpoint routing {}, Knative {}, statsd {}", of("endpoints_enabled"), of("knative_enabled"),
                                       of("statsd_enabled")));
  return out + "</dl>\n";
}

std::string checks(const Json& system) {
  std::string out = "<h2>Checks</h2><ul>";
  for (const auto& [name, check] : system["env_status"].items()) {
    const bool good = check["status"].get<bool>();
    out += "<li>" + colored(good ? "green" : "red", good ? "✓" : "✗") + " <strong>" + escaped(name) + "</strong>: ";
    size_t told = 0;
    for (const Json& specific : check["specifics"]) {
      if (told++ == 5) {
        out += "; …";
        break;
      }
      out += (told > 1 ? "; " : "") + brief(text(specific[1]));
    }
    out += "</li>";
  }
  return out + "</ul>\n";
}

std::string errors(const Json& errors) {
  if (errors.empty()) return "";
  std::string out = fmt::format(R"(<h2>CONFIGURATION ERRORS ({})</h2><div class="problems"><ul>)", errors.size());
  for (const Json& error : errors) {
    const auto& key = error[0].get_ref<const std::string&>();
    out += "<li>" + (key.empty() ? "" : detailLink(key, key) + ": ") + brief(text(error[1])) + "</li>";
  }
  return out + "</ul></div>\n";
}

std::string notices(const Json& notices) {
  if (notices.empty()) return "";
  std::string out = fmt::format("<h2>Notices ({})</h2><ul>", notices.size());
  for (const Json& notice : notices) {
    out += fmt::format(R"(<li><span class="dim">{}</span> {}</li>)", brief(text(notice["level"])), brief(text(notice["message"])));
  }
  return out + "</ul>\n";
}

std::string services(const Json& services) {
  std::string out = "<h2>Services in use</h2>";
  if (services.empty()) return out + R"(<p class="dim">none</p>)";
  out += R"(<table><tr><th class="narrow">Type</th><th>Name</th><th>Cluster</th><th>Source</th></tr>)";
  for (const Json& one : services) {
    const std::string source = text(one["_source"]), cluster = text(one["cluster"]);
    out += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", brief(text(one["type"])), brief(text(one["name"])),
                       detailLink(cluster, cluster), detailLink(source, source));
  }
  return out + "</table>\n";
}

std::string resolvers(const Json& resolvers) {
  std::string out = "<h2>Resolvers in use</h2>";
  if (resolvers.empty()) return out + R"(<p class="dim">none</p>)";
  out += R"(<table><tr><th>Kind</th><th>Name</th><th>Source</th><th class="narrow">Groups</th></tr>)";
  for (const Json& one : resolvers) {
    const std::string source = text(one["_source"]);
    const std::string shown = source.starts_with("--") ? R"(<span class="dim">built in</span>)" : detailLink(source, source);
    out += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", brief(text(one["kind"])), brief(text(one["name"])),
                       shown, one["groups"].size());
  }
  return out + "</table>\n";
}

std::string matches(const Json& list, std::string_view what) {
  std::string out;
  for (const Json& one : list) {
    out += fmt::format(R"(<p class="dim">{} {}{}{}</p>)", what, brief(text(one["name"])), one["regex"].get<bool>() ? " ~ " : " = ",
                       brief(text(one["value"])));
  }
  return out;
}

void addRoute(std::string& out, const Json& route) {
  out += route.contains("diag_class") && route["diag_class"] == "private" ? R"(<tr class="private"><td>)" : "<tr><td>";
  out += "<p>" + detailLink("grp-" + text(route["_group_id"]), text(route["key"])) + "</p>";
  if (route.contains("prefix_regex")) out += R"(<p class="dim">its path is a regular expression</p>)";
  if (route["method"] != "*") out += fmt::format(R"(<p class="dim">method {}</p>)", brief(text(route["method"])));
  out += matches(route["headers"], "header");
  if (route.contains("query_parameters")) out += matches(route["query_parameters"], "query");
  out += "</td><td>";
  for (const Json& target : route["clusters"]) {
    const std::string cluster = text(target["name"]), service = text(target["service"]);
    const std::string shown = cluster.empty() ? brief(service) : detailLink(cluster, service);
    out += fmt::format(R"(<p><span class="dot {0}" title="{1}">●</span>{2} <span class="{0}">{1}</span>{3}</p>)",
                       escaped(text(target["_hcolor"])), brief(text(target["_health"])), shown,
                       target.contains("type_label") ? " (" + brief(text(target["type_label"])) + ")" : "");
  }
  out += "</td><td>";
  for (const Json& target : route["clusters"]) out += "<p>" + brief(text(target["weight"])) + "%</p>";
  out += "</td></tr>\n";
}

std::string routes(const Json& route_info) {
  std::string out = fmt::format("<h2>Route table ({})</h2>", route_info.size());
  if (route_info.empty()) return out + R"(<p class="dim">none</p>)";
  out += R"(<table><tr><th>URL</th><th>Service</th><th class="narrow">Weight</th></tr>)";
  for (const Json& route : route_info) addRoute(out, route);
  return out + "</table>\n";
}

std::string tcpMappings(const Json& groups) {
  std::string out = "<h2>TCP Mappings</h2>", rows;
  for (const auto& [key, group] : groups.items()) {
    for (const Json& mapping : group["mappings"]) {
      const std::string cluster = text(mapping["cluster_name"]), service = text(mapping["cluster_service"]);
      rows += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", brief(text(group["host"])),
                          text(group["port"]), detailLink(text(mapping["_rkey"]), text(mapping["_rkey"])),
                          cluster.empty() ? brief(service) : detailLink(cluster, service), text(mapping["weight"]));
    }
  }
  if (rows.empty()) return out + R"(<p class="dim">none</p>)";
  return out + "<table><tr><th>Name</th><th>Port</th><th>Source</th><th>Service</th><th>Weight</th></tr>" + rows + "</table>\n";
}

std::string legend() {
  return R"(<h2>Colours</h2><ul><li><span class="green">●</span> 90% or more of the requests were answered other than 5xx</li>
<li><span class="yellow">●</span> 70% or more</li><li><span class="red">●</span> fewer, or the Mapping has no upstream and is answered 503</li>
<li><span class="orange">●</span> Envoy does not know the cluster</li><li><span class="grey">●</span> no requests or no statistics yet</li></ul>
<h2>Documentation</h2><p><a href="https://emissary-ingress.dev/docs/">Emissary-ingress</a> ·
<a href="https://www.envoyproxy.io/docs">Envoy</a> · <a href="?json=true">this page as JSON</a></p>
)";
}

std::string clusters(const Json& info, const Json& stats) {
  if (info.empty()) return "";
  std::string out =
      "<h2>Clusters</h2><table><tr><th>Name</th><th>Service</th><th>Health</th><th>Endpoints</th><th>Requests</th></tr>";
  for (const auto& [name, one] : info.items()) {
    const Json& s = stats[name];
    const bool valid = s["valid"].get<bool>();
    out += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td>", detailLink(name, name), brief(text(one["service"])),
                       colored(text(s["hcolor"]), brief(text(s["health"]))));
    out += valid ? fmt::format("<td>{} of {} healthy</td><td>{} good, {} 4xx, {} 5xx</td></tr>", text(s["healthy_members"]),
                               text(s["total_members"]), text(s["upstream_ok"]), text(s["upstream_4xx"]), text(s["upstream_5xx"]))
                 : "<td></td><td></td></tr>";
  }
  return out + "</table>\n";
}

}  // namespace

std::string overviewPage(const Json& overview) {
  const bool debug = overview["system"]["debug_mode"].get<bool>();
  const std::string title = std::string(kTitle) + (debug ? " — DEBUG MODE" : "");
  std::string out = pageBegin(title, title);
  if (const Json& banner = overview["banner_content"]; banner.is_string()) out += banner.get_ref<const std::string&>();
  out += systemBox(overview);
  out += checks(overview["system"]);
  out += errors(overview["errors"]);
  out += notices(overview["notices"]);
  out += services(overview["ambassador_services"]);
  out += resolvers(overview["ambassador_resolvers"]);
  out += routes(overview["route_info"]);
  out += tcpMappings(overview["tcp_groups"]);
  out += legend();
  out += pageEnd();
  return out;
}

std::string detailPage(const Json& detail) {
  const std::string source = text(detail["source"]);
  std::string out = pageBegin("Emissary Diagnostic: " + source.substr(0, 80), R"(<a href="./">Overview</a> / )" + brief(source));
  out += errors(detail["errors"]);
  out += notices(detail["notices"]);
  if (!detail["route_info"].empty()) out += routes(detail["route_info"]);
  out += clusters(detail["cluster_info"], detail["cluster_stats"]);
  for (const auto& [key, yaml] : detail["ambassador_resources"].items()) {
    out += fmt::format("<h2>Source of {}</h2><pre>{}</pre>\n", detailLink(key, key), escaped(text(yaml)));
  }
  for (const auto& [key, pieces] : detail["envoy_elements"].items()) {
    out += fmt::format("<h2>For Envoy, of {}</h2><pre>{}</pre>\n", detailLink(key, key),
                       escaped(pieces.dump(2, ' ', false, Json::error_handler_t::replace)));
  }
  out += pageEnd();
  return out;
}

std::string_view favicon() {
  return R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1a5fb4"/>)"
         R"(<path d="M7 16h12m-5-6 6 6-6 6M23 8v16" fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round"/></svg>)";
}

}  // namespace emissary::diagnostics
