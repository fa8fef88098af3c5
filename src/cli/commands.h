#pragma once
// The commands that end by themselves. Each prints to standard output and standard error and returns the exit status.

#include "cli/settings.h"

namespace emissary::cli {

/// 0 no error, 1 errors, 2 a PATH that does not exist.
int check(const Settings& settings);
/// The same; what is left without the erroneous objects is printed in any case.
int compile(const Settings& settings);
int version(const Settings& settings, const Environment& env);

}  // namespace emissary::cli
