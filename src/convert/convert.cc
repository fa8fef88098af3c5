#include "convert/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "convert/rules.h"

namespace emissary::convert {
namespace {

struct KindRow {
  std::string_view kind;
  Version first;  // the oldest version that has it
};

constexpr std::array kKinds = {
    KindRow{"AuthService", Version::V1},
    KindRow{"ConsulResolver", Version::V1},
    KindRow{"DevPortal", Version::V1},
    KindRow{"Host", Version::V2},
    KindRow{"KubernetesEndpointResolver", Version::V1},
    KindRow{"KubernetesServiceResolver", Version::V1},
    KindRow{"Listener", Version::V3alpha1},
    KindRow{"LogService", Version::V1},
    KindRow{"Mapping", Version::V1},
    KindRow{"Module", Version::V1},
    KindRow{"RateLimitService", Version::V1},
    KindRow{"TCPMapping", Version::V1},
    KindRow{"TLSContext", Version::V1},
    KindRow{"TracingService", Version::V1},
};

bool originatesTls(std::string_view kind) {
  return kind == "AuthService" || kind == "Mapping" || kind == "RateLimitService" || kind == "TCPMapping";
}

void setVersion(Value& object, Version version) {
  const Value* before = find(object, "apiVersion");
  put(object, "apiVersion",
      textValue(fmt::format("{}/{}", kGroup, versionName(version)), before != nullptr ? before->line : object.line));
}

}  // namespace

void Notes::dropped(std::string_view field, int line, std::string_view instead) {
  std::string message = fmt::format("is no field of {}/{} and is ignored; ", kGroup, version_);
  message += instead.empty() ? fmt::format("write the object as {}/v3alpha1", kGroup)
                             : fmt::format("write {}, or the object as {}/v3alpha1", instead, kGroup);
  remark(std::string(field), line, std::move(message));
}

std::optional<Version> versionNamed(std::string_view name) {
  for (const Version version : {Version::V1, Version::V2, Version::V3alpha1}) {
    if (versionName(version) == name) return version;
  }
  return std::nullopt;
}

std::string_view versionName(Version version) {
  switch (version) {
    case Version::V1: return "v1";
    case Version::V2: return "v2";
    case Version::V3alpha1: return "v3alpha1";
  }
  return "";
}

bool exists(std::string_view kind, Version version) {
  return std::any_of(kKinds.begin(), kKinds.end(), [&](const KindRow& row) { return row.kind == kind && version >= row.first; });
}

Converted toV3alpha1(const Value& object, std::string_view kind, Version written) {
  Converted out{object, {}, {}};
  if (written == Version::V3alpha1) return out;
  setVersion(out.object, Version::V3alpha1);
  Value* spec = find(out.object, "spec");
  Notes notes(out, versionName(written));
  if (spec == nullptr || !spec->isMap()) return out;
  renameToNew(kind, *spec, notes);
  idsToNew(kind, *spec);
  durations(kind, *spec);
  if (originatesTls(kind)) tlsToNew(kind, *spec);
  if (kind == "TracingService") tagHeadersToNew(*spec, notes);
  if (kind != "Mapping") return out;
  hostToNew(*spec, notes);
  matchesToNew(*spec);
  headerEditsToNew(*spec);
  labelsToNew(*spec);
  return out;
}

Value fromV3alpha1(const Value& object, std::string_view kind, Version wanted) {
  Value out = object;
  if (wanted == Version::V3alpha1) return out;
  setVersion(out, wanted);
  if (find(out, "spec") == nullptr) put(out, "spec", emptyMap(object.line));
  Value& spec = *find(out, "spec");
  if (!spec.isMap()) return out;
  durations(kind, spec);
  if (kind == "TracingService") tagHeadersToOld(spec);
  if (kind == "Mapping") {
    hostToOld(spec);
    matchesToOld(spec);
    headerEditsToOld(spec);
    labelsToOld(spec);
  }
  if (originatesTls(kind)) tlsToOld(kind, spec);
  idsToOld(spec);
  renameToOld(kind, spec);
  return out;
}

Converted between(Value object, std::string_view kind, Version written, Version wanted) {
  if (written == wanted) return {std::move(object), {}, {}};
  if (wanted == Version::V3alpha1) return toV3alpha1(object, kind, written);
  if (written == Version::V3alpha1) return {fromV3alpha1(object, kind, wanted), {}, {}};
  setVersion(object, wanted);
  return {std::move(object), {}, {}};
}

}  // namespace emissary::convert
