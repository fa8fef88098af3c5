#pragma once
// What every file defines, and from it the events that keep the store right: which of several definitions of an object
// counts, which files must be told what. Owned by a Loader, called by its thread; knows nothing of the file system.

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/finding.h"
#include "model/object.h"
#include "source/event.h"

namespace emissary::source {

class Catalogue {
 public:
  /// What `path` holds now, in order.
  void put(const std::string& path, std::vector<ObjectPtr> objects, std::vector<Finding> findings);
  /// `path` cannot be read: its objects stay, until the next put() or remove().
  void blame(const std::string& path, Finding problem);
  /// End of a blame for a path without objects (a folder).
  void absolve(const std::string& path);
  void remove(const std::string& path);

  size_t objectsIn(const std::string& path) const;

  /// What changed since the last call: Upserts and Deletes by reference, then FileFindings by path.
  std::vector<Event> takeEvents();

 private:
  struct File {
    std::string path;
    std::vector<ObjectPtr> objects;
    std::vector<Finding> findings;
    std::optional<Finding> problem;
    /// By position in the file: of objects that are not used because another place defines them too.
    std::map<size_t, Finding> duplicates;
    std::vector<Finding> told;
    bool gone = false;
  };
  struct Place {
    const File* file;
    size_t position;
    bool operator<(const Place& other) const {
      if (file != other.file) return file->path < other.file->path;
      return position < other.position;
    }
  };
  struct Definitions {
    /// The first is used.
    std::map<Place, ObjectPtr> places;
    ObjectPtr told;
  };

  File& at(const std::string& path);
  void define(File& file, size_t position, const ObjectPtr& object);
  void undefine(File& file, size_t position, const ObjectRef& ref);
  void settle(const ObjectRef& ref, std::vector<Event>& events);
  void judgeDuplicates(const Definitions& definitions);

  std::map<std::string, File> files_;
  std::unordered_map<ObjectRef, Definitions> definitions_;
  std::set<ObjectRef> touched_;
  std::set<std::string> touched_files_;
};

}  // namespace emissary::source
