#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "base/lower.h"

namespace emissary::log {
namespace {

bool as_json = false;
std::string process_name;

spdlog::level::level_enum native(Level level) {
  switch (level) {
    case Level::Debug: return spdlog::level::debug;
    case Level::Info: return spdlog::level::info;
    case Level::Warn: return spdlog::level::warn;
    case Level::Error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string text(std::string_view message, const Fields& fields) {
  std::string line(message);
  for (const auto& [key, value] : fields) line += fmt::format(" {}={}", key, value);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';  // one event, one line, no escape sequences
  }
  return line;
}

std::string json(Level level, std::string_view message, const Fields& fields) {
  nlohmann::ordered_json line;
  const auto now = std::chrono::system_clock::now();
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char stamp[32];
  std::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
  line["time"] = fmt::format("{}.{:03}Z", stamp, millis);
  const auto name = spdlog::level::to_string_view(native(level));
  line["level"] = std::string(name.data(), name.size());
  line["process"] = process_name;
  line["message"] = message;
  for (const auto& [key, value] : fields) line[std::string(key)] = value;
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

void init(Level level, bool json_lines, std::string_view process) {
  as_json = json_lines;
  process_name = process;
  auto logger = spdlog::stderr_color_mt("emissary");
  logger->set_level(native(level));
  logger->set_pattern(as_json ? "%v" : fmt::format("%H:%M:%S.%e %^%-5l%$ {}: %v", process));
  spdlog::set_default_logger(std::move(logger));
}

bool parseLevel(std::string_view written, Level& level) {
  const std::string text = lower(written);
  if (text == "debug" || text == "trace") level = Level::Debug;
  else if (text == "info") level = Level::Info;
  else if (text == "warn" || text == "warning") level = Level::Warn;
  else if (text == "error" || text == "fatal" || text == "panic") level = Level::Error;
  else return false;
  return true;
}

void write(Level level, std::string_view message, const Fields& fields) {
  spdlog::logger& logger = *spdlog::default_logger_raw();
  if (!logger.should_log(native(level))) return;
  logger.log(native(level), "{}", as_json ? json(level, message, fields) : text(message, fields));
}

}  // namespace emissary::log
