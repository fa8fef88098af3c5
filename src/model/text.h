#pragma once
// Judging and showing text that strangers wrote: what may go to Envoy, what may stand in a message. Pure functions; any
// thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace emissary::model {

inline constexpr size_t kMaxText = 64 * 1024;

/// What keeps `text` from being sent to Envoy ("holds the control character 0x0a; remove it"); "" when nothing does. `most`: bytes.
std::string textProblem(std::string_view text, size_t most = kMaxText);

/// `text` fit for a terminal, a log and JSON: control characters and bytes that are no UTF-8 become '?', what is longer than
/// `max` bytes is cut.
std::string printable(std::string_view text, size_t max = 80);
/// The same between double quotes.
std::string quoted(std::string_view text, size_t max = 80);

/// RFC 1123 as Kubernetes reads it: lower-case letters, digits and '-'; a subdomain also '.', up to 253 characters.
bool isDnsLabel(std::string_view text);
bool isDnsSubdomain(std::string_view text);

/// An HTTP token (RFC 9110).
bool isToken(std::string_view text);
/// A token, or a pseudo-header such as :authority.
bool isHeaderName(std::string_view text);

/// Steps (insert, remove, replace a character) between the two; anything above `limit` is told as limit + 1.
size_t editDistance(std::string_view a, std::string_view b, size_t limit);

/// Milliseconds of a duration as Go writes it: "3s", "250ms", "1.5m", "1h30m"; "0" needs no unit. Nothing when it is none, or
/// negative, or longer than 9e15 ms.
std::optional<int64_t> durationMs(std::string_view text);

/// `text` without the blanks around it.
std::string_view trimmed(std::string_view text);

/// A glob ("https://*.example.com") as a regular expression.
std::string globRegex(std::string_view glob);

}  // namespace emissary::model
