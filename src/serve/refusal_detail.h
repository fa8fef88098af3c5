#pragma once
// What may be shown of Envoy's words about a refused resource. Envoy quotes the whole resource in some of its errors,
// private keys included, so quotations are cut out. Pure.

#include <string>
#include <string_view>

namespace emissary::serve {

std::string publicDetail(std::string_view detail);

}  // namespace emissary::serve
