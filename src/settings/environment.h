#pragma once
// What flags and variables say, checked. Internal to this folder.

#include <string>

#include "settings/command_line.h"
#include "settings/settings.h"

namespace emissary::settings {

/// A value that cannot be used. Thrown by take(), caught by parse().
struct BadValue {
  std::string message;
};

/// Into `s`, whose command is known. The environment is read here and nowhere later: what objects compile to depends on nothing
/// else.
void take(const Flags& flags, const Environment& env, Settings& s);

}  // namespace emissary::settings
