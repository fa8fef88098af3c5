#pragma once
// The gateway's own Mappings: to the probes and the diagnostics of its administration server, through every Host. Made from the
// Module, unless it switches them off.

#include <string_view>
#include <vector>

#include "compile/context.h"
#include "compile/mapping.h"

namespace emissary::compile {

/// Whether `ref` is one of them. Their names are no names that an object can have.
bool isBuiltIn(const ObjectRef& ref);

/// The references of all three, whether switched on or not.
std::vector<ObjectRef> builtInRefs(const Installation& installation);

/// Null where `module` switches it off.
ObjectPtr builtInMapping(const ObjectRef& ref, const model::Module& module, const Installation& installation);

/// As compileMapping, for every Host whatever it selects. `module`: whom to tell what is wrong; null when there is no Module.
MappingResult compileBuiltIn(const Object& object, const MappingContext& context, const Object* module);

}  // namespace emissary::compile
