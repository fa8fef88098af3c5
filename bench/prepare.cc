// Compiles manifests to what the floor serves, so that product and floor push the same bytes: OUT/start.bin, and for each change,
// in order, OUT/change-N.bin with the resources that differ. The format is the floor's.
//
// Usage: prepare OUT PATH... [-- CHANGE...]    (PATH: a file or a folder, CHANGE: a file whose objects replace those of before)

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "manifest/parse.h"
#include "model/parse.h"
#include "serve/wire.h"

namespace {

using namespace emissary;
namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& why) {
  std::cerr << "prepare: " << why << "\n";
  std::exit(1);
}

void read(const fs::path& path, std::vector<engine::Change>& out) {
  if (fs::is_directory(path)) {
    std::vector<fs::path> entries(fs::directory_iterator(path), {});
    std::sort(entries.begin(), entries.end());
    for (const fs::path& entry : entries) read(entry, out);
    return;
  }
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) fail("cannot read " + path.string());
  for (const manifest::Value& document : manifest::parse(text.str()).documents) {
    for (const ObjectPtr& object : model::parseDocument(document, {path.string(), "default"}).objects)
      out.push_back({object->ref, object});
  }
}

void write(const fs::path& path, const serve::Update& update) {
  if (!update.removals.empty()) fail(path.string() + ": the change removes resources, which the floor does not do");
  std::string bytes;
  for (const serve::ResourcePtr& resource : update.upserts) {
    serve::wire::varint(bytes, resource->wire.size());
    bytes += resource->wire;
  }
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  if (!file.flush()) fail("cannot write " + path.string());
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() < 2) fail("usage: prepare OUT PATH... [-- CHANGE...]");
  const fs::path out = arguments.front();
  const auto split = std::find(arguments.begin(), arguments.end(), "--");

  engine::Engine engine({});
  std::vector<engine::Change> changes;
  std::for_each(arguments.begin() + 1, split, [&](const std::string& path) { read(path, changes); });
  write(out / "start.bin", engine.apply(changes));
  for (const Finding& finding : engine.findings()) {
    if (finding.severity == Severity::Error) fail(finding.object.text() + ": " + finding.message);
  }
  int number = 0;
  for (auto each = split == arguments.end() ? split : split + 1; each != arguments.end(); ++each) {
    changes.clear();
    read(*each, changes);
    write(out / ("change-" + std::to_string(number++) + ".bin"), engine.apply(changes));
  }
  return 0;
}
