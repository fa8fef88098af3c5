#pragma once
// TLS to an upstream: the TLSContext that an object names, with its Secrets. Whatever is missing fails closed: the upstream cannot
// be used then, and never goes out in the clear.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "compile/mapping.h"
#include "compile/upstream.h"

namespace emissary::compile {

struct Origination {
  /// What was asked for cannot be had.
  bool failed = false;
  /// Absent: the upstream is spoken to in the clear.
  std::optional<ir::TlsOrigination> tls;
  /// The TLSContext, "<name>.<namespace>"; "" without one.
  std::string context;
};

using FindingSink = std::function<void(Severity severity, std::string_view field, std::string message, About about)>;

/// `scheme` and `host` are the service's.
Origination originate(const Object& object, const UpstreamRequest& request, std::string_view scheme, std::string_view host,
                      const MappingContext& context, const FindingSink& find);

}  // namespace emissary::compile
