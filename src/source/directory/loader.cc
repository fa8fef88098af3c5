#include "source/directory/loader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "manifest/parse.h"

namespace emissary::source {
namespace {

struct Read {
  std::string text;
  /// Empty when all is well.
  std::string problem;
};

std::string tooBig(size_t limit) { return fmt::format("larger than the {} bytes that are read; split the file", limit); }

Read readFile(const std::string& path, size_t limit) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return {{}, fmt::format("cannot be read: {}", std::strerror(errno))};
  Read result;
  struct stat state{};
  if (fstat(fd, &state) != 0 || !S_ISREG(state.st_mode)) {
    result.problem = "cannot be read: not a regular file";
  } else if (static_cast<size_t>(state.st_size) > limit) {
    result.problem = tooBig(limit);
  }
  size_t size = 0;
  while (result.problem.empty()) {
    // One byte more than it should hold, so that the end shows at once.
    if (size == result.text.size()) result.text.resize(size == 0 ? static_cast<size_t>(state.st_size) + 1 : size * 2 + 4096);
    const ssize_t got = read(fd, result.text.data() + size, result.text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) result.problem = fmt::format("cannot be read: {}", std::strerror(errno));
    if (got <= 0) break;
    size += static_cast<size_t>(got);
    if (size > limit) result.problem = tooBig(limit);
  }
  close(fd);
  result.text.resize(size);
  return result;
}

int64_t nanoseconds(const timespec& time) { return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

/// A write soon after `state` was taken may leave the time stamps as they are: the kernel's clock ticks every few milliseconds.
bool isSettled(const struct stat& state) {
  constexpr int64_t kTick = 100'000'000;
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return nanoseconds(now) - nanoseconds(state.st_mtim) > kTick && nanoseconds(now) - nanoseconds(state.st_ctim) > kTick;
}

bool sameState(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size && a.st_mode == b.st_mode && a.st_uid == b.st_uid &&
         nanoseconds(a.st_mtim) == nanoseconds(b.st_mtim) && nanoseconds(a.st_ctim) == nanoseconds(b.st_ctim);
}

}  // namespace

void Loader::file(const std::string& path, const struct stat& state, bool certain) {
  Seen& seen = seen_[path];
  if (!certain && seen.hash && seen.settled && sameState(seen.state, state)) return;
  seen.settled = isSettled(state);  // before reading: a later write is then later than the stamps
  seen.state = state;
  const Read read = readFile(path, options_.max_file_bytes);
  if (!read.problem.empty()) {
    seen.hash.reset();
    blame(path, 0, read.problem);
    return;
  }
  const Hash128 hash = hashBytes(read.text);
  if (std::exchange(seen.hash, hash) != hash) parse(path, read.text);
}

void Loader::parse(const std::string& path, std::string_view text) {
  ++parsed_;
  const manifest::ParseResult parsed = manifest::parse(text, options_.limits);
  if (parsed.error) {
    blame(path, parsed.error->line, parsed.error->message);
    return;
  }
  const model::ParseContext context{path, options_.default_namespace, options_.variables};
  std::vector<ObjectPtr> objects;
  std::vector<Finding> findings;
  for (const manifest::Value& document : parsed.documents) {
    model::ParsedDocument result = parser_(document, context);
    std::move(result.objects.begin(), result.objects.end(), std::back_inserter(objects));
    std::move(result.findings.begin(), result.findings.end(), std::back_inserter(findings));
  }
  catalogue_.put(path, std::move(objects), std::move(findings));
}

void Loader::blame(const std::string& path, int line, std::string_view message) {
  Finding finding;
  finding.severity = Severity::Error;
  finding.path = path;
  finding.line = line;
  const size_t kept = catalogue_.objectsIn(path);
  finding.message = kept == 0 ? fmt::format("{}; nothing in the file is used until it is mended", message)
                              : fmt::format("{}; what the file held before ({} {}) stays in use until it is mended", message, kept,
                                            kept == 1 ? "object" : "objects");
  catalogue_.blame(path, std::move(finding));
}

void Loader::gone(const std::string& path) {
  seen_.erase(path);
  catalogue_.remove(path);
}

void Loader::problem(const std::string& path, Severity severity, std::string message) {
  seen_.erase(path);
  Finding finding;
  finding.severity = severity;
  finding.path = path;
  finding.message = std::move(message);
  catalogue_.blame(path, std::move(finding));
}

void Loader::fine(const std::string& path) { catalogue_.absolve(path); }

}  // namespace emissary::source
