// Regular expressions as Envoy takes them: RE2 with its default options, a bounded program.

#include "model/regex.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "model/readers.h"
#include "model/text.h"

namespace emissary::model {
namespace {

/// Before compiling: a hostile pattern must not cost us memory.
constexpr size_t kMaxPattern = 4096;
/// Module regex_max_size, which is 200 unless set.
constexpr uint32_t kUsualSteps = 200;

std::string check(const std::string& pattern, const std::string* substitution, uint32_t max, uint32_t& steps) {
  if (pattern.empty()) return "must not be empty; write .* to match anything";
  if (pattern.size() > kMaxPattern) {
    return fmt::format("is {} bytes long; a regular expression may have {}", pattern.size(), kMaxPattern);
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  const re2::RE2 regex(pattern, options);
  if (!regex.ok()) return fmt::format("is no RE2 regular expression: {}", printable(regex.error()));
  steps = static_cast<uint32_t>(regex.ProgramSize());
  if (std::string problem = regexSizeProblem(steps, max); !problem.empty()) return problem;
  if (substitution == nullptr) return {};
  std::string error;
  if (!regex.CheckRewriteString(*substitution, &error)) {
    return fmt::format("does not fit its substitution {}: {}", quoted(*substitution), printable(error));
  }
  return {};
}

}  // namespace

std::string globRegex(std::string_view glob) {
  std::string out;
  for (size_t at = 0; at <= glob.size();) {
    const size_t end = std::min(glob.find('*', at), glob.size());
    out += re2::RE2::QuoteMeta(re2::StringPiece(glob.data() + at, end - at));
    if (end < glob.size()) out += ".*";
    at = end + 1;
  }
  return out;
}

std::string regexSizeProblem(uint32_t steps, uint32_t max) {
  if (steps <= max) return {};
  return fmt::format(
      "compiles to {} steps, and {} are taken; make the regular expression simpler (repetitions such as {{1,100}} count)", steps,
      max);
}

std::string regexProblem(const std::string& pattern, const std::string* substitution) {
  uint32_t steps = 0;
  return check(pattern, substitution, kUsualSteps, steps);
}

std::string regexProblem(Report& report, const Path& path, const std::string& pattern, const std::string* substitution) {
  uint32_t steps = 0;
  std::string problem = check(pattern, substitution, kMostRegexSteps, steps);
  if (problem.empty()) report.noteRegex(path, steps);
  return problem;
}

}  // namespace emissary::model
