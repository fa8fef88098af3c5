#pragma once
// For tests of this folder: a scratch folder, a parser of documents that knows only names, and a sink that adds up events.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "model/parse.h"
#include "source/event.h"

namespace emissary::source {

class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "emissary-source-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = std::filesystem::canonical(pattern).string();
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// In place.
inline void writeFile(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::trunc) << text; }

/// By rename, as editors and tools do.
inline void replaceFile(const std::string& path, const std::string& text) {
  const size_t slash = path.rfind('/');
  const std::string draft = path.substr(0, slash) + "/.draft-" + path.substr(slash + 1);
  writeFile(draft, text);
  ASSERT_EQ(std::rename(draft.c_str(), path.c_str()), 0);
}

inline std::string manifest(const std::string& name, const std::string& value, const std::string& kind = "Mapping") {
  return "---\nkind: " + kind + "\nmetadata: {name: " + name + "}\nspec: {value: \"" + value + "\"}\n";
}

inline ObjectRef mapping(const std::string& name) { return {Kind::Mapping, "default", name}; }

/// Reads kind, name and namespace; the hash is that of `spec`.
inline model::ParsedDocument parseByName(const manifest::Value& document, const model::ParseContext& context) {
  model::ParsedDocument result;
  Finding finding;
  finding.path = context.path;
  finding.line = document.line;
  const manifest::Value* metadata = document.find("metadata");
  const std::string name(metadata == nullptr ? "" : metadata->text("name"));
  const std::string ns(metadata == nullptr ? "" : metadata->text("namespace"));
  const Kind kind = kindNamed(document.text("kind"));
  if (kind == Kind::Unknown || name.empty()) {
    finding.message = kind == Kind::Unknown ? "kind is unknown" : "metadata.name is missing";
    result.findings.push_back(finding);
    return result;
  }
  auto object = std::make_shared<Object>();
  object->ref = {kind, ns.empty() ? context.default_namespace : ns, name};
  object->path = context.path;
  object->line = document.line;
  const manifest::Value* spec = document.find("spec");
  object->hash = hashBytes(spec == nullptr ? "" : spec->canonical());
  if (spec != nullptr && spec->text("value") == "odd") {
    finding.object = object->ref;
    finding.severity = Severity::Warning;
    finding.message = "odd";
    object->findings.push_back(finding);
  }
  result.objects.push_back(object);
  return result;
}

inline Hash128 hashOfValue(const std::string& value) { return hashBytes("{\"value\":\"" + value + "\"}"); }

/// What a store would hold after the events.
struct State {
  std::map<ObjectRef, ObjectPtr> objects;
  std::map<std::string, std::vector<Finding>> findings;
  int synced = 0;

  void apply(const Batch& batch) {
    for (const Event& event : batch.events) {
      if (const auto* upsert = std::get_if<Upsert>(&event)) objects[upsert->object->ref] = upsert->object;
      if (const auto* deletion = std::get_if<Delete>(&event)) objects.erase(deletion->ref);
      if (const auto* file = std::get_if<FileFindings>(&event)) {
        findings[file->path] = file->findings;
        if (file->findings.empty()) findings.erase(file->path);
      }
      if (std::holds_alternative<Synced>(event)) ++synced;
    }
  }
  bool has(const std::string& name, const std::string& value) const {
    const auto found = objects.find(mapping(name));
    return found != objects.end() && found->second->hash == hashOfValue(value);
  }
  bool lacks(const std::string& name) const { return !objects.contains(mapping(name)); }
  /// "path:line" of an object in use.
  std::string place(const std::string& name) const {
    const auto found = objects.find(mapping(name));
    return found == objects.end() ? "" : found->second->path + ":" + std::to_string(found->second->line);
  }
  std::string messages(const std::string& path) const {
    std::string all;
    const auto found = findings.find(path);
    if (found == findings.end()) return all;
    for (const Finding& finding : found->second) all += std::to_string(finding.line) + ": " + finding.message + "\n";
    return all;
  }
  /// All that is observable, as text.
  std::string text() const {
    std::string all;
    for (const auto& [ref, object] : objects) {
      all += ref.text() + " " + object->path + ":" + std::to_string(object->line) + " " + object->hash.hex() + "\n";
    }
    for (const auto& [path, found] : findings) all += path + "\n" + messages(path);
    return all;
  }
};

/// A sink; waits for conditions on what it was told.
class Collector {
 public:
  Sink sink() {
    return [this](Batch batch) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !held_; });
      state_.apply(batch);
      batches_.push_back(std::move(batch));
      changed_.notify_all();
    };
  }
  /// Make the sink's caller wait.
  void hold(bool held) {
    std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }
  bool waitFor(const std::function<bool(const State&)>& condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60), [&] { return condition(state_); });
  }
  bool waitForSync() {
    return waitFor([](const State& state) { return state.synced > 0; });
  }
  State state() {
    std::lock_guard lock(mutex_);
    return state_;
  }
  /// Batches since the call before.
  std::vector<Batch> takeBatches() {
    std::lock_guard lock(mutex_);
    return std::exchange(batches_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  State state_;
  std::vector<Batch> batches_;
  bool held_ = false;
};

}  // namespace emissary::source
