#pragma once
// Every environment variable that counts here, or counted for Emissary-ingress and need not any more. What is not in the table is
// never read.

#include <span>
#include <string>
#include <string_view>

#include "settings/settings.h"

namespace emissary::settings {

struct Variable {
  std::string_view name;
  /// For people; "" where unset means off.
  std::string_view unset;
  std::string_view meaning;
};

std::span<const Variable> variables();
/// Accepted, without effect: why.
std::span<const Variable> idleVariables();

/// Its text; null when it is not set, or empty. `name` must be in the table.
const std::string* read(const Environment& environment, std::string_view name);

/// Whether a text means yes: y, yes, on, 1, t or true, in any case. Null means no.
bool isTrue(const std::string* text);

/// The table as a page of the documentation.
std::string variablesPage();

}  // namespace emissary::settings
