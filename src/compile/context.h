#pragma once
// What the compile functions may ask besides the object at hand. Every look-up is a dependency that the engine
// knows of, those that find nothing included.

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ir/envoy_build.h"
#include "model/object.h"

namespace emissary::compile {

/// Settings of the installation, constant for a process but for `envoy`.
struct Installation {
  std::string ns = "default";
  std::string bind_address = "0.0.0.0";
  /// "127.0.0.1:8877": where no Mapping may point.
  std::vector<std::string> forbidden_upstreams;
  /// False (DISABLE_STRICT_LABEL_SELECTORS): one equal label is enough for a selector, and a Host takes a Mapping by its name or by
  /// its labels.
  bool strict_labels = true;
  /// AMBASSADOR_DISABLE_ENDPOINTS: no load_balancer counts.
  bool load_balancers = true;
  /// Where our own administration server is reached: the built-in Mappings lead there.
  std::string administration = "127.0.0.1:8877";
  /// What the running Envoy can do.
  ir::EnvoyBuild envoy;
};

/// The kind of the resolver called `name` as seen from `ns`: one of the three resolver kinds, or absent when unknown.
using ResolverLookup = std::function<std::optional<Kind>(std::string_view name, std::string_view ns)>;

/// What is known of a Secret without its content: nothing here changes when a certificate is rotated.
struct SecretState {
  bool exists = false;
  bool has_certificate = false;
  bool has_ca = false;
  bool has_crl = false;
  /// A CA stands beside the certificate: clients are verified by it.
  bool bundles_ca = false;
  std::optional<bool> cert_required;
  /// Why its certificate cannot terminate TLS; "" when it can.
  std::string problem;
  /// Why its CA, or its revocation list, cannot be used; "" when it can and when there is none.
  std::string ca_problem;
  std::string crl_problem;
  auto operator<=>(const SecretState&) const = default;
};

using SecretLookup = std::function<SecretState(std::string_view ns, std::string_view name)>;
/// The TLSContext called `name` as seen from `ns`: null when there is none. Also for "<name>.<namespace>".
using TlsContextLookup = std::function<ObjectPtr(std::string_view name, std::string_view ns)>;

/// Label keys that some Host's mappingSelector asks for.
using SelectorKeys = std::set<std::string>;

}  // namespace emissary::compile
