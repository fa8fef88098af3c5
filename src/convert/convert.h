#pragma once
// getambassador.io objects of one API version as the same objects of another: v1 and v2 as v3alpha1 and back. What only one
// version can say is kept in fields made for it (v3…, v2…), so that nothing is lost either way. Pure, any thread.
//
// A value that no version allows is handed on as it is; whoever reads the object tells about it.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/value.h"

namespace emissary::convert {

inline constexpr std::string_view kGroup = "getambassador.io";

enum class Version : uint8_t { V1, V2, V3alpha1 };
inline constexpr size_t kVersions = 3;

std::optional<Version> versionNamed(std::string_view name);
std::string_view versionName(Version version);

/// Whether `kind` exists in `version`. False for a kind that is not of our group.
bool exists(std::string_view kind, Version version);

/// What the one who wrote the object should know.
struct Remark {
  std::string field;  // as written: "spec.tag_headers"
  int line = 0;
  std::string message;
};

/// A field under another name.
struct Renamed {
  std::string now;      // "spec.hostname"
  std::string written;  // "spec.host"
};

struct Converted {
  manifest::Value object;
  std::vector<Remark> remarks;
  std::vector<Renamed> renamed;
};

/// An object of v1 or v2 as v3alpha1. v1 is v2 by another name.
Converted toV3alpha1(const manifest::Value& object, std::string_view kind, Version written);
/// An object of v3alpha1 as v1 or v2.
manifest::Value fromV3alpha1(const manifest::Value& object, std::string_view kind, Version wanted);
/// An object of any version as that of any other.
Converted between(manifest::Value object, std::string_view kind, Version written, Version wanted);

}  // namespace emissary::convert
