#pragma once
// How a Secret is named in a field: "name", or "name.namespace".

#include <compare>
#include <string>
#include <string_view>

namespace emissary::compile {

struct SecretName {
  std::string ns;
  std::string name;
  auto operator<=>(const SecretName&) const = default;
};

/// `text` as written in an object of namespace `ns`; without `namespacing` a dot is part of the name.
inline SecretName secretName(std::string_view text, std::string_view ns, bool namespacing) {
  const size_t dot = text.rfind('.');
  if (namespacing && dot != std::string_view::npos) return {std::string(text.substr(dot + 1)), std::string(text.substr(0, dot))};
  return {std::string(ns), std::string(text)};
}

}  // namespace emissary::compile
