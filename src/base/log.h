#pragma once
// Logs go to standard error: text on a terminal, one JSON object a line otherwise. Never log object content
// that may hold a secret; log the object's reference.

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace emissary::log {

enum class Level { Debug, Info, Warn, Error };

using Fields = std::vector<std::pair<std::string_view, std::string>>;

/// Set once at start. `process` names the process in each line ("supervisor", "control-plane").
void init(Level level, bool json, std::string_view process);
bool parseLevel(std::string_view text, Level& level);

void write(Level level, std::string_view message, const Fields& fields = {});

inline void debug(std::string_view message, const Fields& fields = {}) { write(Level::Debug, message, fields); }
inline void info(std::string_view message, const Fields& fields = {}) { write(Level::Info, message, fields); }
inline void warn(std::string_view message, const Fields& fields = {}) { write(Level::Warn, message, fields); }
inline void error(std::string_view message, const Fields& fields = {}) { write(Level::Error, message, fields); }

}  // namespace emissary::log
