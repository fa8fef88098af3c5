#pragma once
// One Host, with the TLSContext and the Secrets it names → what it serves and how TLS is terminated.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compile/context.h"
#include "ir/ir.h"

namespace emissary::compile {

struct HostLookups {
  SecretLookup secret;
  TlsContextLookup tls_context;
  /// The Module's default for TLSContexts that do not say whether "a.b" is Secret a of namespace b.
  bool secret_namespacing = true;
};

struct HostResult {
  /// Absent: the Host is not used; `findings` say why.
  std::optional<ir::Host> host;
  std::vector<Finding> findings;
  bool operator==(const HostResult&) const = default;
};

HostResult compileHost(const Object& object, const HostLookups& lookups);

/// The Host that stands in where there is none at all.
ir::Host defaultHost(const Installation& installation, const SecretState& fallback);
inline constexpr std::string_view kFallbackSecret = "fallback-self-signed-cert";

}  // namespace emissary::compile
