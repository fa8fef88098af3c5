#pragma once
// The overview and the detail as HTML: one page each, without scripts and without anything from elsewhere. All text is escaped but
// the operator's own banner.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace emissary::diagnostics {

/// Of overviewForPage().
std::string overviewPage(const nlohmann::ordered_json& overview);

/// Of detail(), whole.
std::string detailPage(const nlohmann::ordered_json& detail);

/// SVG; browsers take it for an icon.
std::string_view favicon();

}  // namespace emissary::diagnostics
