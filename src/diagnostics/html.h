#pragma once
// Escaping, and the few shapes of HTML that pages are made of.

#include <string>
#include <string_view>

namespace emissary::diagnostics {

/// Text that stands between tags, or in quotes within one.
std::string escaped(std::string_view text);

/// The same, cut where nobody would read on.
std::string brief(std::string_view text);

/// A link to the detail of `source`, showing `text`.
std::string detailLink(std::string_view source, std::string_view text);

/// From the doctype to the end of the head, and the heading.
std::string pageBegin(std::string_view title, std::string_view heading);
std::string_view pageEnd();

}  // namespace emissary::diagnostics
