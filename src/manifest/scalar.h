#pragma once
// What a YAML scalar means, by the YAML 1.1 rules of the Kubernetes tools. Pure functions, any thread.

#include <optional>
#include <string>
#include <string_view>

#include "manifest/value.h"

namespace emissary::manifest {

/// A plain (unquoted, untagged) scalar: null, boolean, integer, number or else a string. Integers that do not fit int64
/// become numbers, dates stay strings. `line` of the result is 0.
Value resolvePlain(std::string_view text);

/// A scalar with an explicit tag ("tag:yaml.org,2002:int"). Unknown tags give a string. Nothing when the text does not have
/// the form that the tag asks for, or when the tag is !!binary, which has no meaning here.
std::optional<Value> resolveTagged(std::string_view tag, std::string_view text);

/// The text of a scalar that is used as a key: 8080 → "8080", yes → "true". Nothing for null, lists and maps.
std::optional<std::string> keyText(const Value& value);

}  // namespace emissary::manifest
