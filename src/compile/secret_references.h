#pragma once
// Which Secrets an object may look up. More than it will: whether a dot in a name leads to a namespace can depend on other objects,
// and on what there is. So a source keeps the Secrets that matter and no others.

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "compile/secret_name.h"
#include "model/object.h"

namespace emissary::compile {

struct SecretReference {
  SecretName secret;
  /// Where it is named.
  std::string field;
  /// It is what the name means unless something unusual is there.
  bool likely = true;
  auto operator<=>(const SecretReference&) const = default;
};

/// Of `object` and of those in its annotation that are for the installation `id`. In no particular order; none twice for one field.
std::vector<SecretReference> secretReferences(const Object& object, std::string_view id);

}  // namespace emissary::compile
