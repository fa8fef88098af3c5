#pragma once
// Envoy's format strings ("%REQ(X-A)% took %DURATION%"), as users write them into access log formats and answers. Envoy refuses
// a whole Listener for one operator that it does not know, and some operators read what is nobody's business: so only those
// of a list pass. Pure functions; any thread.

#include <string>
#include <string_view>

namespace emissary::model {

/// What is wrong with the format, and the cure; "" when Envoy (1.37 and later) takes it.
std::string formatProblem(std::string_view format);

/// The format with every '%' doubled that cannot be meant to begin an operator: "50% off" → "50%% off".
std::string withPercentsDoubled(std::string_view format);

/// Whether the format is one operator and nothing else: its value may then be something else than text.
bool isOneOperator(std::string_view format);

}  // namespace emissary::model
