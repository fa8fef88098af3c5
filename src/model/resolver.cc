// The two Kubernetes resolvers, which have no fields of their own.

#include "model/readers.h"

namespace emissary::model {

void readResolver(Fields&, Object& object) { object.spec = Resolver{}; }

}  // namespace emissary::model
