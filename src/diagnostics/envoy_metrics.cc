#include "diagnostics/envoy_metrics.h"

#include <map>
#include <sstream>

namespace emissary::diagnostics {
namespace {

// RE2, which cannot say "not": names that do not begin with "cluster.". Each branch leaves the word at another letter.
constexpr const char* kNoCluster =
    "%5E(%5B%5Ec%5D%7Cc%5B%5El%5D%7Ccl%5B%5Eu%5D%7Cclu%5B%5Es%5D%7Cclus%5B%5Et%5D%7Cclust%5B%5Ee%5D%7Ccluste%5B%5Er%5D%7Ccluster%"
    "5B%5E.%5D)";
constexpr const char* kBase = "/stats/prometheus?usedonly";
// Envoy limits the size of a request's headers.
constexpr size_t kMaxPath = 8000;

/// Lines of one metric, in the order met.
class Joined {
 public:
  void add(const std::string& text) {
    std::istringstream lines(text);
    std::string* family = nullptr;
    for (std::string line; std::getline(lines, line);) {
      if (line.empty()) continue;
      if (line.rfind("# TYPE ", 0) == 0) {
        const auto [it, added] = families_.try_emplace(line, order_.size());
        if (added) order_.push_back(line + "\n");
        family = &order_[it->second];
      } else if (family) {
        *family += line + "\n";
      }
    }
  }
  std::string text() const {
    std::string result;
    for (const std::string& family : order_) result += family;
    return result;
  }

 private:
  std::map<std::string, size_t> families_;
  std::vector<std::string> order_;
};

}  // namespace

std::string statsName(const std::string& written) {
  std::string result = written;
  for (char& c : result) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
    if (!plain) c = '_';
  }
  return result;
}

std::vector<std::string> envoyMetricsPaths(const std::set<std::string>& names, bool all) {
  if (all) return {kBase};
  std::vector<std::string> result = {std::string(kBase) + "&filter=" + kNoCluster};
  const std::string begin = std::string(kBase) + "&filter=%5Ecluster%5C.(";
  const std::string end = ")%5C.";
  std::string path;
  for (const std::string& written : names) {
    const std::string name = statsName(written);
    if (name.empty() || name.size() > kMaxPath / 2) continue;
    if (!path.empty() && path.size() + name.size() > kMaxPath) {
      result.push_back(path + end);
      path.clear();
    }
    path += path.empty() ? begin + name : "%7C" + name;
  }
  if (!path.empty()) result.push_back(path + end);
  return result;
}

std::string envoyMetrics(const std::set<std::string>& names, bool all, const Fetch& fetch) {
  const std::vector<std::string> paths = envoyMetricsPaths(names, all);
  if (paths.size() == 1) return fetch(paths[0]).value_or("");
  Joined joined;
  for (const std::string& path : paths) {
    const auto text = fetch(path);
    if (!text) break;  // Envoy is away: do not wait for it once more
    joined.add(*text);
  }
  return joined.text();
}

}  // namespace emissary::diagnostics
