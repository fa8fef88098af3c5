// load_balancer: how requests spread over the endpoints of an upstream, and what keeps a client on one of them.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/readers.h"
#include "model/text.h"

namespace emissary::model {
namespace {

using manifest::Value;

constexpr std::array<std::string_view, 4> kPolicies = {"round_robin", "least_request", "ring_hash", "maglev"};
constexpr std::array<std::string_view, 3> kHashKeys = {"cookie", "header", "source_ip"};

/// It becomes part of a Set-Cookie header.
bool isCookiePath(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f && c != ';'; });
}

void readCookie(Fields& fields, LoadBalancer& out) {
  Fields cookie(fields.report(), fields.take("cookie"), fields.path("cookie"));
  if (cookie.require("name", "write the name of the cookie") && cookie.read("name", out.name) && !isToken(out.name)) {
    cookie.refuse("name", fmt::format("{} is no name of a cookie", quoted(out.name)));
  }
  if (cookie.read("path", out.cookie_path) && !isCookiePath(out.cookie_path)) {
    cookie.refuse("path", fmt::format("{} is no path of a cookie; write for example /", quoted(out.cookie_path)));
  }
  cookie.readDuration("ttl", out.cookie_ttl_ms);
  cookie.finish();
}

/// Exactly one thing that a request is hashed by.
void readHash(Fields& fields, LoadBalancer& out) {
  bool source_ip = false;
  fields.read("source_ip", source_ip);
  const int given = (fields.has("cookie") ? 1 : 0) + (fields.has("header") ? 1 : 0) + (source_ip ? 1 : 0);
  fields.take("cookie");
  fields.take("header");
  if (given != 1) {
    fields.refuse("policy", fmt::format("{} needs exactly one of cookie, header and source_ip: true beside it; {} are given",
                                        kPolicies[static_cast<size_t>(out.policy)], given));
  } else if (source_ip) {
    out.hash_by = LoadBalancer::HashBy::SourceIp;
  } else if (fields.has("cookie")) {
    out.hash_by = LoadBalancer::HashBy::Cookie;
    readCookie(fields, out);
  } else {
    out.hash_by = LoadBalancer::HashBy::Header;
    if (fields.read("header", out.name) && !isToken(out.name)) {
      fields.refuse("header", fmt::format("{} is no name of a header", quoted(out.name)));
    }
  }
}

}  // namespace

void readLoadBalancer(Fields& fields, std::string_view name, std::optional<LoadBalancer>& out) {
  const Value* value = fields.take(name);
  if (value == nullptr) return;
  Fields inner(fields.report(), value, fields.path(name));
  if (!value->isMap()) return;
  if (!inner.require("policy", fmt::format("write one of {}", fmt::join(kPolicies, ", ")))) return;
  const int policy = inner.readChoice("policy", kPolicies);
  if (policy < 0) return;
  LoadBalancer balancer;
  balancer.policy = static_cast<LoadBalancer::Policy>(policy);
  if (policy >= 2) {
    readHash(inner, balancer);
  } else {
    for (const std::string_view key : kHashKeys) {
      if (inner.take(key) != nullptr)
        inner.refuse(key, fmt::format("must not stand beside policy {}", kPolicies[static_cast<size_t>(policy)]));
    }
  }
  inner.finish();
  out = std::move(balancer);
}

}  // namespace emissary::model
