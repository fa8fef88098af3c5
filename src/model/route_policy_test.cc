#include <gtest/gtest.h>

#include "model/readers.h"
#include "model/testing.h"

namespace emissary::model {
namespace {

MappingPolicy policyOf(const std::string& fields) {
  const ObjectPtr object = ours("Mapping", "{prefix: /, service: a, " + fields + "}");
  EXPECT_EQ(all(*object), "");
  const Mapping* mapping = std::get_if<Mapping>(&object->spec);
  return mapping != nullptr ? *mapping->policy : MappingPolicy{};
}

void expectTold(const std::string& fields, std::string_view finding, bool usable = true) {
  const std::string spec = "{prefix: /, service: a, " + fields + "}";
  expectCase("Mapping", {spec, finding, usable});
}

TEST(ModelRoutePolicy, NothingAskedForCostsNothing) {
  const ObjectPtr object = ours("Mapping", "{prefix: /, service: a, shadow: false, bypass_auth: false, docs: {path: /x}}");
  EXPECT_EQ(all(*object), "");
  EXPECT_TRUE(std::get<Mapping>(object->spec).policy.untouched());
}

TEST(ModelRoutePolicy, Headers) {
  const MappingPolicy policy = policyOf(
      "add_request_headers: {x-b: {value: two, append: false}, x-a: one, x-n: null}, add_response_headers: {}, "
      "remove_request_headers: [b, a, b], remove_response_headers: []");
  EXPECT_EQ(policy.add_request_headers, (std::vector<HeaderValue>{{"x-a", "one", true}, {"x-b", "two", false}}));
  EXPECT_EQ(policy.add_response_headers, std::vector<HeaderValue>{}) << "not absent: the Module's are not wanted";
  EXPECT_EQ(policy.remove_request_headers, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(policy.remove_response_headers, std::vector<std::string>{});
  EXPECT_FALSE(policyOf("add_linkerd_headers: true").add_request_headers.has_value());

  expectTold("add_request_headers: {host: x}", "error spec.add_request_headers.host: \"host\" cannot be changed this way");
  expectTold("add_request_headers: {':path': x}", "error spec.add_request_headers.:path: ");
  expectTold("add_response_headers: {'a b': x}", "error spec.add_response_headers.a b: \"a b\" is no name of a header");
  expectTold("add_response_headers: {Content-Length: '3'}", "error spec.add_response_headers.Content-Length: ");
  expectTold("add_request_headers: {x: 1}", "error spec.add_request_headers.x: needs a value that is text");
  expectTold("add_request_headers: {x: {append: true}}", "error spec.add_request_headers.x: needs a value that is text");
  expectTold("add_request_headers: {x: {value: a, append: 1}}", "error spec.add_request_headers.x.append: must be true or false");
  expectTold("add_request_headers: {x: {value: a, apend: true}}", "warning spec.add_request_headers.x.apend: is not a known");
  expectTold("add_request_headers: {x: '%ENVIRONMENT(A)%'}",
             "error spec.add_request_headers.x: holds %ENVIRONMENT%, which is not an operator");
  expectTold("add_request_headers: {x: '5 % b'}", "notice spec.add_request_headers.x: has a '%'");
  expectTold("add_request_headers: {x: \"a\\nb\"}", "error spec.add_request_headers.x: holds the control character");
  expectTold("add_request_headers: {x: " + std::string(20000, 'a') + "}", "error spec.add_request_headers.x: is 20000 bytes long");
  expectTold("add_request_headers: [x]", "error spec.add_request_headers: must be a map", false);
  expectTold("remove_request_headers: [Host]", "error spec.remove_request_headers: \"Host\" cannot be changed");
  expectTold("remove_response_headers: x", "error spec.remove_response_headers: must be a list", false);
}

TEST(ModelRoutePolicy, Cors) {
  const Cors cors = *policyOf(
                         "cors: {origins: [' https://a.com ', 'https://*.b.com'], methods: 'GET, POST', headers: [X-A], "
                         "exposed_headers: [], credentials: true, max_age: '600'}")
                         .cors;
  EXPECT_EQ(cors.origins, (std::vector<std::string>{"https://a.com", "https://*.b.com"}));
  EXPECT_EQ(cors.methods, (std::vector<std::string>{"GET", "POST"}));
  EXPECT_EQ(cors.headers, std::vector<std::string>{"X-A"});
  EXPECT_TRUE(cors.credentials);
  EXPECT_EQ(cors.max_age, "600");
  EXPECT_EQ(policyOf("cors: {origins: 'https://a.com, *', max_age: 24h}").cors->max_age, "86400");
  EXPECT_EQ(policyOf("cors: {origins: ['*'], max_age: 60}").cors->max_age, "60");
  EXPECT_EQ(policyOf("cors: {origins: ['*'], methods: ['GET, POST,', PUT]}").cors->methods,
            (std::vector<std::string>{"GET", "POST", "PUT"}));

  expectTold("cors: {}", "warning spec.cors.origins: names no origin");
  expectTold("cors: {origins: ['*'], max_age: soon}", "error spec.cors.max_age: must be a number of seconds");
  expectTold("cors: {origins: ['*'], max_age: -1}", "error spec.cors.max_age: must be a number of seconds");
  expectTold("cors: {origins: ['*'], methods: ['G T']}", "error spec.cors.methods: \"G T\" is not one word");
  expectTold("cors: {origins: ['*', 'a*" + std::string(300, 'b') + "*c']}", "error spec.cors.origins: ");
  expectTold("cors: {origins: ['*'], credentials: x}", "error spec.cors.credentials: must be true or false", false);
  expectTold("cors: {origins: {}}", "error spec.cors.origins: must be a list", false);
  std::string many = "cors: {origins: ['*'], methods: [";
  for (int n = 0; n < 1001; ++n) many += "A, ";
  expectTold(many + "]}", "error spec.cors.methods: has 1001 items; there may be 1000", false);
  expectTold("cors: {origins: ['*'], orgins: []}", "warning spec.cors.orgins: is not a known field");
}

TEST(ModelRoutePolicy, Retries) {
  const RetryPolicy retry =
      *policyOf(
           "retry_policy: {retry_on: '5xx, reset,5xx', num_retries: 3, per_try_timeout: 1m0.5s, "
           "retriable_status_codes: [503, 404, 503], retry_back_off: {base_interval: 25ms, max_interval: 1s}}")
           .retry_policy;
  EXPECT_EQ(retry.retry_on, "5xx,reset");
  EXPECT_EQ(retry.num_retries, 3u);
  EXPECT_EQ(retry.per_try_timeout_ms, 60500);
  EXPECT_EQ(retry.retriable_status_codes, (std::vector<uint32_t>{404, 503}));
  EXPECT_EQ(retry.base_interval_ms, 25);
  EXPECT_EQ(retry.max_interval_ms, 1000);

  expectTold("retry_policy: {}", "error spec.retry_policy.retry_on: is missing", false);
  expectTold("retry_policy: {retry_on: sometimes}", "error spec.retry_policy.retry_on: \"sometimes\" is no condition", false);
  expectTold("retry_policy: {retry_on: ','}", "error spec.retry_policy.retry_on: must not be empty", false);
  expectTold("retry_policy: {retry_on: 5xx, num_retries: -1}", "error spec.retry_policy.num_retries: must be from 0", false);
  expectTold("retry_policy: {retry_on: 5xx, num_retries: 5000000000}", "error spec.retry_policy.num_retries: must be from 0",
             false);
  expectTold(
      "retry_policy: {retry_on: 5xx, per_try_timeout: 3}",
      "error spec.retry_policy.per_try_timeout: must be a duration such as 250ms, 3s or 1m30s, but is the number 3; write 3s",
      false);
  expectTold("retry_policy: {retry_on: 5xx, per_try_timeout: -1s}", "error spec.retry_policy.per_try_timeout: must be a dur",
             false);
  expectTold("retry_policy: {retry_on: 5xx, per_try_timeout: 9999999h}", "error spec.retry_policy.per_try_timeout: must be from",
             false);
  expectTold("retry_policy: {retry_on: 5xx, retriable_status_codes: [99]}",
             "error spec.retry_policy.retriable_status_codes: ", false);
  expectTold("retry_policy: {retry_on: 5xx, retry_back_off: {base_interval: 2s, max_interval: 1s}}",
             "error spec.retry_policy.retry_back_off.max_interval: must not be shorter", false);
  expectTold("retry_policy: 5xx", "error spec.retry_policy: must be a map", false);
}

TEST(ModelRoutePolicy, Redirects) {
  MappingPolicy policy = policyOf("host_redirect: true, path_redirect: /x, redirect_response_code: 308");
  EXPECT_TRUE(policy.host_redirect);
  EXPECT_EQ(policy.path_redirect, "/x");
  EXPECT_EQ(policy.redirect_response_code, 308u);
  policy = policyOf("host_redirect: true, regex_redirect: {pattern: '/(a+)', substitution: '/\\1'}");
  EXPECT_EQ(policy.regex_redirect, (RegexRewrite{"/(a+)", "/\\1"}));
  EXPECT_EQ(policy.redirect_response_code, 301u);

  expectTold("path_redirect: /x", "notice spec.path_redirect: has no effect without host_redirect");
  expectTold("redirect_response_code: 302", "notice spec.redirect_response_code: has no effect without host_redirect");
  expectTold("host_redirect: true, redirect_response_code: 200", "error spec.redirect_response_code: must be one of 301, 302");
  expectTold("host_redirect: true, path_redirect: x", "warning spec.path_redirect: \"x\" does not begin with '/'");
  expectTold("host_redirect: true, path_redirect: /x, prefix_redirect: /y", "error spec.prefix_redirect: is not used beside path");
  expectTold("host_redirect: true, prefix_redirect: /y, regex_redirect: {pattern: a}",
             "error spec.regex_redirect: is not used beside prefix");
  expectTold("host_redirect: true, regex_redirect: {pattern: '('}", "error spec.regex_redirect.pattern: is no RE2", false);
  expectTold("host_redirect: true, shadow: true", "error spec.host_redirect: is not used beside shadow");
  expectTold("shadow: 'yes'", "error spec.shadow: must be true or false", false);
}

TEST(ModelRoutePolicy, TheRest) {
  EXPECT_EQ(policyOf("priority: HIGH").high_priority, true);
  EXPECT_EQ(policyOf("priority: default").high_priority, false);
  expectTold("priority: urgent", "error spec.priority: must be default or high, but is text \"urgent\"");
  expectTold("bypass_auth: true", "notice spec.bypass_auth: has no effect without an AuthService");
  expectTold("auth_context_extensions: {a: b}", "notice spec.auth_context_extensions: has no effect without");
  expectTold("labels: {ambassador: []}", "notice spec.labels: has no effect without a RateLimitService");
  expectTold("labels: []", "error spec.labels: must be a map", false);
  expectTold("docs: x", "error spec.docs: must be a map", false);
  expectTold("error_response_overrides: [{}]", "error spec.error_response_overrides: is not supported on a Mapping");
  expectTold("bypass_error_response_overrides: true", "error spec.bypass_error_response_overrides: is not supported");
}

}  // namespace
}  // namespace emissary::model
