#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "cli/commands.h"
#include "cli/manifests.h"
#include "cli/offline.h"
#include "source/directory/tree.h"

namespace emissary::cli {
namespace {

namespace fs = std::filesystem;

/// As other commands look for manifests in a folder.
class Files : public source::Tree::Visitor {
 public:
  void file(const std::string& path, const struct stat&, bool) override { found.push_back(path); }
  void gone(const std::string&) override {}
  void problem(const std::string& path, Severity severity, std::string message) override {
    std::fprintf(stderr, "%s\n", line({.severity = severity, .message = std::move(message), .path = path}).c_str());
    failed |= severity == Severity::Error;
  }
  void fine(const std::string&) override {}

  std::vector<std::string> found;
  bool failed = false;
};

}  // namespace

int convert(const settings::Settings& settings) {
  Files files;
  for (const std::string& path : settings.paths) {
    std::error_code failed;
    if (path != "-" && !fs::exists(path, failed)) {
      std::fprintf(stderr, "emissary convert: %s: there is no such file or folder\n", path.c_str());
      return 2;
    }
    if (fs::is_directory(path, failed)) source::Tree(path, files, nullptr).scan();
    else files.found.push_back(path);
  }
  bool failed = files.failed;
  std::string all;
  for (const std::string& path : files.found) {
    std::ifstream file;
    if (path != "-") file.open(path, std::ios::binary);
    std::istream& in = path == "-" ? std::cin : file;
    const std::string text(std::istreambuf_iterator<char>(in), {});
    if (!in.good() && !in.eof()) {
      std::fprintf(stderr, "%s:0: error: cannot be read\n", path.c_str());
      failed = true;
      continue;
    }
    const Rewritten done = rewrite(text, settings.convert_to, path);
    if (!all.empty() && !done.text.empty()) all += "---\n";
    all += done.text;
    for (const Finding& finding : done.findings) {
      std::fprintf(stderr, "%s\n", line(finding).c_str());
      failed |= finding.severity == Severity::Error;
    }
  }
  std::fwrite(all.data(), 1, all.size(), stdout);
  return failed ? 1 : 0;
}

}  // namespace emissary::cli
