#pragma once
// Only in builds with EMISSARY_MUTATION (`make mutation`): leaves one field out of everything that is generated, so that the tests
// can show that they would notice. Never part of the product.

#include <google/protobuf/message.h>

namespace emissary::generate {

/// Clears the field that EMISSARY_MUTATION_DROP names ("envoy.config.route.v3.RouteAction.timeout") wherever its message occurs in
/// `message`, and appends the names of all fields seen for the first time to the file EMISSARY_MUTATION_SEEN.
void mutate(google::protobuf::Message& message);

}  // namespace emissary::generate
