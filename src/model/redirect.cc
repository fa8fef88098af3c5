// host_redirect and the fields that go with it.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/readers.h"
#include "model/text.h"

namespace emissary::model {
namespace {

using manifest::Value;

/// A Location is the host and this, one after the other.
void checkPath(Fields& spec, std::string_view name, std::optional<std::string>& path) {
  if (!path || path->starts_with('/')) return;
  spec.warning(name, fmt::format("{} does not begin with '/'; {} is used", quoted(*path), quoted("/" + *path)));
  path->insert(0, "/");
}

void readCode(Fields& spec, MappingPolicy& policy) {
  static constexpr std::array<int64_t, 5> kCodes = {301, 302, 303, 307, 308};
  const Value* value = spec.take("redirect_response_code");
  if (value == nullptr) return;
  const auto code = wholeNumber(*value);
  if (!code || std::find(kCodes.begin(), kCodes.end(), *code) == kCodes.end()) {
    spec.error("redirect_response_code",
               fmt::format("must be one of {}, but is {}; 301 is used", fmt::join(kCodes, ", "), describe(*value)));
    return;
  }
  policy.redirect_response_code = static_cast<uint32_t>(*code);
}

}  // namespace

void readRedirect(Fields& spec, MappingPolicy& policy) {
  spec.read("shadow", policy.shadow);
  spec.read("host_redirect", policy.host_redirect);
  spec.read("path_redirect", policy.path_redirect);
  spec.read("prefix_redirect", policy.prefix_redirect);
  readRegexRewrite(spec, "regex_redirect", policy.regex_redirect);
  readCode(spec, policy);
  if (policy.shadow && policy.host_redirect) {
    spec.error("host_redirect", "is not used beside shadow; remove one of them");
    policy.host_redirect = false;
  }
  static constexpr std::array<std::string_view, 4> kParts = {"path_redirect", "prefix_redirect", "regex_redirect",
                                                             "redirect_response_code"};
  if (!policy.host_redirect) {
    for (const std::string_view part : kParts) {
      if (spec.has(part)) spec.notice(part, "has no effect without host_redirect: true");
    }
    policy.path_redirect.reset();
    policy.prefix_redirect.reset();
    policy.regex_redirect.reset();
    policy.redirect_response_code = 301;
    return;
  }
  checkPath(spec, "path_redirect", policy.path_redirect);
  checkPath(spec, "prefix_redirect", policy.prefix_redirect);
  if (policy.prefix_redirect && policy.path_redirect) {
    spec.error("prefix_redirect", "is not used beside path_redirect; remove one of them");
    policy.prefix_redirect.reset();
  }
  if (policy.regex_redirect && (policy.path_redirect || policy.prefix_redirect)) {
    spec.error("regex_redirect", fmt::format("is not used beside {}; remove one of them",
                                             policy.path_redirect ? "path_redirect" : "prefix_redirect"));
    policy.regex_redirect.reset();
  }
}

}  // namespace emissary::model
