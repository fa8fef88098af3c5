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

/// What is known of a Secret without its content: nothing here changes when a certificate is rotated.
struct SecretState {
  bool exists = false;
  bool has_certificate = false;
  bool has_ca = false;
  /// Why its certificate cannot terminate TLS; "" when it can.
  std::string problem;
  auto operator<=>(const SecretState&) const = default;
};

struct HostLookups {
  std::function<SecretState(std::string_view ns, std::string_view name)> secret;
  /// The TLSContext called `name` as seen from `ns`: null when there is none. Also for "<name>.<namespace>".
  std::function<ObjectPtr(std::string_view name, std::string_view ns)> tls_context;
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
