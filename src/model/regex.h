#pragma once
// How large a regular expression may be: as many steps of its RE2 program as the Module allows.

#include <cstdint>
#include <string>

namespace emissary::model {

/// However high the Module sets regex_max_size. Envoy is started with twice that: its RE2 may count a little differently.
inline constexpr uint32_t kMostRegexSteps = 10'000;
/// Why a regular expression of so many steps is not taken; "" when it is.
std::string regexSizeProblem(uint32_t steps, uint32_t max);

}  // namespace emissary::model
