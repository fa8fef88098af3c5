#pragma once
// What a CustomResourceDefinition says of its conversion. Pure, any thread.

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace emissary::webhook {

/// Where an API server finds the webhook.
struct ServiceName {
  std::string ns;
  std::string name;
};

inline constexpr std::string_view kConvertPath = "/webhooks/crd-convert";

/// One of ours that an API server has to convert.
struct Crd {
  std::string name;
  std::string resource_version;
  /// The certificates it trusts, as certificatesIn() gives them.
  std::vector<std::string> trusted;
  /// Its conversion is what it should be but for whom it trusts.
  bool leads_here = false;
  /// The whole of it, JSON.
  std::string text;

  bool trusts(std::string_view certificate) const;
};

/// Nothing when `crd` is of another group, of one version alone, or converted by nobody.
std::optional<Crd> readCrd(const nlohmann::json& crd, const ServiceName& service);

/// The text of `crd` with a conversion by `service`, whose certificates are signed by one of `bundle`.
std::string converting(const Crd& crd, const ServiceName& service, const std::vector<std::string>& bundle);

}  // namespace emissary::webhook
