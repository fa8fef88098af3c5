#pragma once
// The parts of a Module's config; each file reads its own keys. All are called while a Part lives, so that a wrong key is told and
// left out by itself. Internal to this folder.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "model/fields.h"
#include "model/module.h"
#include "model/text.h"

namespace emissary::model {

void readHttpSettings(Fields& config, HttpSettings& out);
void readHttpFilters(Fields& config, HttpSettings& out);
void readAccessLog(Fields& config, AccessLog& out);
void readErrorResponses(Fields& config, HttpSettings& out);
void readMappingDefaults(Fields& config, Module& out);
void readBuiltInMappings(Fields& config, Module& out);

/// A whole number from `min` to `max`.
void readNumber(Fields& fields, std::string_view name, std::optional<uint32_t>& out, uint32_t min = 0, uint32_t max = UINT32_MAX);
/// true, false, or a text that means one of them (yes, on, 1 …).
void readSwitch(Fields& fields, std::string_view name, bool& out);
/// As Fields::read, but of several lines, `most` bytes together.
bool readLines(Fields& fields, std::string_view name, std::string& out, size_t most = kMaxText);
/// One of several lines; false after refusing it.
bool linesAreGood(Report& report, const manifest::Value& value, const Path& path, size_t most = kMaxText);

/// A map from keys to Envoy format strings. What is wrong is told and left out.
void readJsonFormat(Report& report, const manifest::Value& value, const Path& path, std::map<std::string, std::string>& out);

}  // namespace emissary::model
