#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "cli/commands.h"
#include "cli/manifests.h"
#include "cli/offline.h"

namespace emissary::cli {
namespace {

namespace fs = std::filesystem;

bool isManifest(const fs::path& path) {
  const fs::path kind = path.extension();
  return kind == ".yaml" || kind == ".yml" || kind == ".json";
}

/// As other commands look for manifests in a folder: what is hidden is not seen.
void collect(const fs::path& folder, std::vector<std::string>& out) {
  std::vector<fs::path> names;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder, failed)) names.push_back(entry.path());
  std::sort(names.begin(), names.end());
  for (const fs::path& path : names) {
    if (path.filename().string().starts_with('.')) continue;
    if (fs::is_directory(fs::symlink_status(path, failed))) collect(path, out);
    else if (isManifest(path) && fs::is_regular_file(path, failed)) out.push_back(path.string());
  }
}

}  // namespace

int convert(const settings::Settings& settings) {
  std::vector<std::string> files;
  for (const std::string& path : settings.paths) {
    std::error_code failed;
    if (path != "-" && !fs::exists(path, failed)) {
      std::fprintf(stderr, "emissary convert: %s: there is no such file or folder\n", path.c_str());
      return 2;
    }
    if (fs::is_directory(path, failed)) collect(path, files);
    else files.push_back(path);
  }
  bool failed = false;
  std::string all;
  for (const std::string& path : files) {
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
