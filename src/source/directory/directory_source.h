#pragma once
// Manifests in a folder, followed live. Every *.yaml, *.yml and *.json below it, nested folders and symbolic links
// included (a ConfigMap mount swaps a link). One thread, which reads, parses and tells the sink.
//
// A file that does not parse keeps the objects it had last, and says so. An object that several places define is taken from
// the first of them in order of (path, position in the file); the others are told so. So what the store holds is a function
// of the files (and, for a broken file, of its last good form).
//
// A folder given that is gone (moved away, an unmounted volume, not there yet) is a finding and deletes nothing; files that
// were removed one by one before it went are deleted. Once it is back it counts as it is.

#include <memory>
#include <string>

#include "manifest/parse.h"
#include "model/parse.h"
#include "source/event.h"
#include "source/source.h"

namespace emissary::source {

struct DirectoryOptions {
  std::string path;
  std::string default_namespace = "default";
  std::shared_ptr<const model::Variables> variables;
  manifest::Limits limits;
  /// Files above this are refused unread.
  size_t max_file_bytes = 256u << 20;
};

class DirectorySource : public Source {
 public:
  DirectorySource(const DirectoryOptions& options, Sink sink);
  ~DirectorySource() override;

  /// Read everything once, in the caller's thread: one batch that ends with Synced, without following. For `check` and
  /// `compile`. `path` may also be a single file.
  static Batch readOnce(const DirectoryOptions& options);

  /// Start following. The first batch holds everything and ends with Synced.
  bool start(std::string& error) override;
  void stop() override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace emissary::source
