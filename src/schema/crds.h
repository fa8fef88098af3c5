#pragma once
// The kinds as CustomResourceDefinitions, as an API server takes them.

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "schema/schema.h"

namespace emissary::schema {

/// With `legacy` of all versions, which an API server then asks the conversion webhook to convert; else of v3alpha1 alone.
nlohmann::ordered_json crd(const Kind& kind, bool legacy);
/// All of them as YAML documents, by name. Plain text, the same at every call.
std::string crds(bool legacy);

}  // namespace emissary::schema
