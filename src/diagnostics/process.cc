#include "diagnostics/process.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace emissary::diagnostics {
namespace {

std::string metric(const char* name, const char* type, const char* help, double value) {
  return fmt::format("# HELP ambassador_process_{0} {1}\n# TYPE ambassador_process_{0} {2}\nambassador_process_{0} {3:.15g}\n",
                     name, help, type, value);
}

/// Fields of /proc/self/stat from the third on: the second, the program's name, may hold spaces.
std::istringstream statFields() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const size_t name_end = line.rfind(')');
  return std::istringstream(name_end == std::string::npos ? "" : line.substr(name_end + 1));
}

double bootTime() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    double value = 0;
    if (word == "btime" && file >> value) return value;
  }
  return 0;
}

}  // namespace

std::string processMetrics() {
  std::string result;
  // proc(5): state is field 3; utime 14, stime 15, starttime 22, vsize 23, rss 24.
  std::istringstream fields = statFields();
  std::string state;
  fields >> state;
  double value[25] = {};
  for (int field = 4; field <= 24; ++field) fields >> value[field];
  if (fields) {
    const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    result += metric("cpu_seconds_total", "counter", "User and system CPU time.", (value[14] + value[15]) / ticks);
    result += metric("start_time_seconds", "gauge", "Start, since the epoch.", bootTime() + value[22] / ticks);
    result += metric("virtual_memory_bytes", "gauge", "Virtual memory.", value[23]);
    result += metric("resident_memory_bytes", "gauge", "Resident memory.", value[24] * static_cast<double>(sysconf(_SC_PAGESIZE)));
  }
  std::error_code error;
  size_t open = 0;
  for (std::filesystem::directory_iterator it("/proc/self/fd", error), end; !error && it != end; it.increment(error)) ++open;
  if (!error) result += metric("open_fds", "gauge", "Open files.", static_cast<double>(open));
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
    result += metric("max_fds", "gauge", "Limit of open files.", static_cast<double>(limit.rlim_cur));
  return result;
}

}  // namespace emissary::diagnostics
