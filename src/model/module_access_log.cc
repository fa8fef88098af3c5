// A Module's access log: envoy_log_type, envoy_log_path, envoy_log_format.

#include <fmt/format.h>

#include <array>

#include "model/format_text.h"
#include "model/module_reader.h"
#include "model/readers.h"
#include "model/text.h"

namespace emissary::model {
namespace {

using manifest::Value;

constexpr std::array<std::string_view, 3> kLogTypes = {"text", "json", "typed_json"};

void readTextFormat(Fields& config, const Value& value, AccessLog& out) {
  if (!value.isString()) {
    config.refuse("envoy_log_format",
                  fmt::format("must be text, but is {}; write envoy_log_type: json beside a map", describe(value)));
    return;
  }
  if (!linesAreGood(config.report(), value, config.path("envoy_log_format"))) return;
  if (std::string problem = formatProblem(value.string); !problem.empty()) {
    config.refuse("envoy_log_format", problem + ". The default format is used");
    return;
  }
  out.text = value.string;
}

}  // namespace

void readJsonFormat(Report& report, const Value& value, const Path& path, std::map<std::string, std::string>& out) {
  if (!value.isMap()) {
    report.refuse(path.text(), value.line, "must be a map from keys to texts, but is " + describe(value));
    return;
  }
  for (const auto& [key, item] : value.map) {
    const Path at(&path, key);
    std::string text;
    if (!textProblem(key).empty()) {
      report.refuse(path.text(), item.line, fmt::format("the key {} cannot be used: it {}", quoted(key), textProblem(key)));
    } else if (readText(report, item, at, text)) {
      if (std::string problem = formatProblem(text); !problem.empty()) {
        report.refuse(at.text(), item.line, std::move(problem));
      } else {
        out[key] = std::move(text);
      }
    }
  }
}

void readAccessLog(Fields& config, AccessLog& out) {
  const int type = config.readChoice("envoy_log_type", kLogTypes);
  if (type > 0) out.type = static_cast<AccessLog::Type>(type);
  std::string path;
  if (config.read("envoy_log_path", path) && !path.empty()) out.path = std::move(path);
  const Value* format = config.take("envoy_log_format");
  if (format == nullptr) return;
  if (out.type == AccessLog::Type::Text) {
    readTextFormat(config, *format, out);
  } else if (format->isString()) {
    config.refuse("envoy_log_format", fmt::format("must be a map with envoy_log_type: {}, but is {}",
                                                  kLogTypes[static_cast<size_t>(type)], describe(*format)));
  } else {
    readJsonFormat(config.report(), *format, config.path("envoy_log_format"), out.json);
  }
}

}  // namespace emissary::model
