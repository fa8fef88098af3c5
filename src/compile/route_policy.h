#pragma once
// What few Mappings ask for on their route, with the Module's defaults.

#include "compile/context.h"
#include "ir/ir.h"

namespace emissary::compile {

struct MappingContext;
struct MappingResult;

/// Where the Mapping redirects: its `service` is the host to go to, as written. False, with a finding: it is no host.
bool compileRedirect(const Object& object, const model::Mapping& mapping, MappingResult& result);

/// Fills `result.leg.policy`; the leg's upstream is already there.
void compileRoutePolicy(const model::Mapping& mapping, const MappingContext& context, MappingResult& result);

}  // namespace emissary::compile
