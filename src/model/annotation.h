#pragma once
// getambassador.io/config: objects of ours, written as YAML in an annotation of a Service or an Ingress. Pure, any
// thread.

#include <optional>
#include <string_view>
#include <vector>

#include "manifest/value.h"
#include "model/fields.h"

namespace emissary::model {

inline constexpr std::string_view kConfigAnnotation = "getambassador.io/config";
inline constexpr std::string_view kConfigField = "metadata.annotations.getambassador.io/config";

/// The documents in the annotation of `annotated`, in the form of manifests: what a flat one says beside `kind` is brought under
/// metadata and spec, and where it names no namespace or labels it has those of report.object(). Each is of a kind of ours; lines
/// are those of the file, as far as they can be told. What cannot be read is told as a finding.
std::vector<manifest::Value> annotatedDocuments(const manifest::Value& annotated, Report& report);

/// A document of an annotation in the form of a manifest; nothing when it is of no kind of ours.
std::optional<manifest::Value> asManifest(manifest::Value document);

}  // namespace emissary::model
