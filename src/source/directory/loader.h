#pragma once
// Reads the files that a Tree finds, parses those whose bytes changed, and keeps the Catalogue. Owned and called by one thread.

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/hash.h"
#include "manifest/value.h"
#include "model/parse.h"
#include "source/directory/catalogue.h"
#include "source/directory/directory_source.h"
#include "source/directory/tree.h"

namespace emissary::source {

using DocumentParser = std::function<model::ParsedDocument(const manifest::Value&, const model::ParseContext&)>;

class Loader : public Tree::Visitor {
 public:
  Loader(const DirectoryOptions& options, DocumentParser parser) : options_(options), parser_(std::move(parser)) {}

  void file(const std::string& path, const struct stat& state, bool certain) override;
  void gone(const std::string& path) override;
  void problem(const std::string& path, Severity severity, std::string message) override;
  void fine(const std::string& path) override;

  std::vector<Event> takeEvents() { return catalogue_.takeEvents(); }
  /// Files parsed since the start.
  size_t parsed() const { return parsed_; }

 private:
  /// The file as it was when it was read last.
  struct Seen {
    struct stat state{};
    /// The time stamps are old enough that a later write must have moved them.
    bool settled = false;
    /// Absent when it could not be read.
    std::optional<Hash128> hash;
  };

  void parse(const std::string& path, std::string_view text);
  void blame(const std::string& path, int line, std::string_view message);

  const DirectoryOptions options_;
  const DocumentParser parser_;
  Catalogue catalogue_;
  std::map<std::string, Seen> seen_;
  size_t parsed_ = 0;
};

}  // namespace emissary::source
