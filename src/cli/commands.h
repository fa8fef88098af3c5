#pragma once
// The commands that end by themselves. Each prints to standard output and standard error and returns the exit status.

#include "settings/settings.h"

namespace emissary::cli {

/// 0 no error, 1 errors, 2 a PATH that does not exist.
int check(const settings::Settings& settings);
/// The same; what is left without the erroneous objects is printed in any case.
int compile(const settings::Settings& settings);
/// The CustomResourceDefinitions.
int crds(const settings::Settings& settings);
/// Manifests in another API version. 0 all of them, 1 not all: what could not be read is left out, what could not be converted left
/// as it was, 2 a PATH that does not exist.
int convert(const settings::Settings& settings);
/// Objects of an API server stored as v3alpha1. 0 all of them, 1 not all.
int migrateStorage(const settings::Settings& settings);
int version(const settings::Settings& settings, const settings::Environment& env);

}  // namespace emissary::cli
