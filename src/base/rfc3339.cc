#include "base/rfc3339.h"

#include <fmt/chrono.h>

#include <charconv>

namespace emissary {
namespace {

/// The `digits` digits at `at`, or -1.
int number(std::string_view text, size_t at, size_t digits) {
  int value = -1;
  if (at + digits > text.size()) return -1;
  const char* begin = text.data() + at;
  const auto [end, error] = std::from_chars(begin, begin + digits, value);
  return error == std::errc{} && end == begin + digits && *begin != '-' ? value : -1;
}

}  // namespace

std::string formatTime(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::optional<std::chrono::system_clock::time_point> parseTime(std::string_view text) {
  const int y = number(text, 0, 4), m = number(text, 5, 2), d = number(text, 8, 2);
  const int hour = number(text, 11, 2), minute = number(text, 14, 2), second = number(text, 17, 2);
  if (y < 0 || m < 0 || d < 0 || hour < 0 || minute < 0 || second < 0 || hour > 23 || minute > 59 || second > 60)
    return std::nullopt;
  if (text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':') return std::nullopt;
  using namespace std::chrono;
  const year_month_day date{year(y), month(static_cast<unsigned>(m)), day(static_cast<unsigned>(d))};
  if (!date.ok()) return std::nullopt;
  size_t at = 19;
  if (at < text.size() && text[at] == '.') {
    at = text.find_first_not_of("0123456789", at + 1);
    if (at == std::string_view::npos) return std::nullopt;
  }
  int offset = 0;  // minutes
  const std::string_view zone = text.substr(at);
  if (zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':') {
    const int ahead = number(zone, 1, 2), more = number(zone, 4, 2);
    if (ahead < 0 || more < 0) return std::nullopt;
    offset = (ahead * 60 + more) * (zone[0] == '-' ? -1 : 1);
  } else if (zone != "Z") {
    return std::nullopt;
  }
  return sys_days(date) + hours(hour) + minutes(minute - offset) + seconds(second);
}

}  // namespace emissary
