#pragma once
// One Mapping → which requests it takes and what becomes of them.

#include <string>
#include <utility>
#include <vector>

#include "compile/context.h"
#include "ir/ir.h"
#include "model/finding.h"

namespace emissary::compile {

struct MappingResult {
  /// False: no route comes of it; `findings` say why.
  bool usable = true;
  ir::Match match;
  ir::Leg leg;
  /// Its labels, as far as a Host's mappingSelector asks for them.
  std::vector<std::pair<std::string, std::string>> labels;
  std::vector<Finding> findings;

  bool operator==(const MappingResult&) const = default;
};

/// What a Mapping's meaning hangs on besides itself.
struct MappingContext {
  const Installation& installation;
  const model::Module& module;
  const SelectorKeys& selector_keys;
  ResolverLookup resolver;
  SecretLookup secret;
  TlsContextLookup tls_context;
};

/// `object` holds a usable Mapping.
MappingResult compileMapping(const Object& object, const MappingContext& context);

std::vector<std::pair<std::string, std::string>> projectLabels(const Labels& labels, const SelectorKeys& keys);

/// A finding on `object`, with its position.
Finding findingOn(const Object& object, Severity severity, std::string field, std::string message, About about = About::Content);

}  // namespace emissary::compile
