#pragma once
// What is watched: one row a resource.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "model/ref.h"

namespace emissary::source {

inline constexpr std::string_view kOurGroup = "getambassador.io";

struct Resource {
  Kind kind = Kind::Unknown;
  /// "" is the core group.
  std::string_view group;
  /// In order of preference; "" ends them.
  std::string_view versions[2];
  std::string_view plural;
  bool namespaced = true;
  /// Objects of it may name Secrets: they are listed before Secrets are.
  bool refers = false;
  /// AMBASSADOR_LABEL_SELECTOR and AMBASSADOR_FIELD_SELECTOR apply.
  bool selected = true;
  /// Without it little is lost: it is not waited for when it may not be read.
  bool optional = false;
  /// Added to the field selector.
  std::string_view field_selector;

  bool ours() const { return group == kOurGroup; }
};

/// All of them, Secrets last.
std::span<const Resource> resources();
inline constexpr size_t kResources = 20;
/// The row of `kind`, which has one.
size_t resourceIndex(Kind kind);
inline const Resource& resourceOf(Kind kind) { return resources()[resourceIndex(kind)]; }

/// "v1", "getambassador.io/v3alpha1"
std::string apiVersion(const Resource& resource, std::string_view version);
/// "/apis/getambassador.io/v3alpha1"
std::string groupPath(std::string_view group, std::string_view version);
/// "/apis/getambassador.io/v3alpha1/namespaces/edge/mappings"; `ns` empty: of all namespaces.
std::string resourcePath(const Resource& resource, std::string_view version, std::string_view ns);
/// "mappings.getambassador.io", "services": as roles and kubectl name it.
std::string resourceName(const Resource& resource);

}  // namespace emissary::source
