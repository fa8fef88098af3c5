#pragma once
// From a document to objects. Pure: equal documents give equal objects.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/value.h"
#include "model/object.h"

namespace emissary::model {

/// Name → text.
using Variables = std::map<std::string, std::string>;

struct ParseContext {
  /// The file, for findings; empty when there is none.
  std::string path;
  /// Namespace of an object that names none (AMBASSADOR_NAMESPACE).
  std::string default_namespace = "default";
  /// What ${NAME} stands for, where it counts (expand.h). Null: for nothing.
  std::shared_ptr<const Variables> variables;
};

struct ParsedDocument {
  /// Objects in the order written; several where the document is a List. An object that is wrong is among them, with
  /// `usable` false, as long as its kind, name and namespace can be read.
  std::vector<ObjectPtr> objects;
  /// What belongs to no object: no kind, no name, kind unknown.
  std::vector<Finding> findings;
};

ParsedDocument parseDocument(const manifest::Value& document, const ParseContext& context);

}  // namespace emissary::model
