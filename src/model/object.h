#pragma once
// One object as a source read it: who it is, where it was written, and its fields, parsed and checked. Immutable;
// shared between the source that made it, the store and the compiler.

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/hash.h"
#include "manifest/value.h"
#include "model/finding.h"
#include "model/kinds.h"
#include "model/module.h"
#include "model/ref.h"

namespace emissary {

using Labels = std::map<std::string, std::string>;

/// Where the fields of `spec` stand in the file: of each field, and of those one level below it. Eight bytes each.
class FieldLines {
 public:
  void add(std::string_view field, int line);
  /// Of the longest part of `field` ("spec.hostBinding.namespace.from") that is known; 0 when none is.
  int find(std::string_view field) const;

 private:
  static uint32_t hash(std::string_view field);
  std::vector<std::pair<uint32_t, int32_t>> lines_;
};

struct Object {
  ObjectRef ref;
  /// As the API server counts changes of its content, and which of several objects of one name it is; 0 and "" for what came from
  /// a file or an annotation.
  int64_t generation = 0;
  std::string uid;
  /// Where it was read. `path` is empty for what came from an API server.
  std::string path;
  int line = 0;
  FieldLines field_lines;  // empty for what came from an API server
  /// The Service or Ingress in whose annotation it is written; Kind::Unknown for an object of its own.
  ObjectRef origin;
  Labels labels;
  /// The installations that it is for (`ambassador_id`); {"default"} when absent or empty.
  std::vector<std::string> ambassador_id;
  /// The fields. std::monostate for kinds without effect, and for an object that is not usable.
  std::variant<std::monostate, model::Mapping, model::Host, model::Listener, model::TlsContext, model::Resolver, model::Service,
               model::Endpoints, model::EndpointSlice, model::Secret, model::TcpMapping, Boxed<model::Module>>
      spec;
  /// False when a mistake in it keeps it from being used at all; `findings` says why.
  bool usable = true;
  /// What parsing found; `object`, `path` and `line` are filled in.
  std::vector<Finding> findings;
  /// The objects written in its annotation, in that order; `origin` of each is this one. They are not told of elsewhere: they come,
  /// change and go with it.
  std::vector<std::shared_ptr<const Object>> annotated;
  /// Of kinds of getambassador.io: what was written, as JSON, for people to look at; annotations and status left out. Empty when
  /// it is too large to be looked at.
  std::string source;
  /// Of the content that has a meaning to us, and of nothing else: not of status, resourceVersion or position in the file.
  Hash128 hash;

  /// Whether it is for the installation called `id` (AMBASSADOR_ID).
  bool isFor(std::string_view id) const {
    if (ambassador_id.empty()) return id == "default";
    if (ambassador_id.size() == 1 && ambassador_id.front() == "_automatic_") return true;
    return std::find(ambassador_id.begin(), ambassador_id.end(), id) != ambassador_id.end();
  }
};

using ObjectPtr = std::shared_ptr<const Object>;

}  // namespace emissary
