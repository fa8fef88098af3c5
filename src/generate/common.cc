#include "generate/common.h"

#include <envoy/type/matcher/v3/string.pb.h>

#include "generate/any.h"
#include "generate/constraints.h"

namespace emissary::generate {

void stringMatcher(const ir::StringMatch& match, envoy::type::matcher::v3::StringMatcher* out) {
  using Kind = ir::StringMatch::Kind;
  switch (match.kind) {
    case Kind::Present: break;  // the caller's
    case Kind::Exact: out->set_exact(match.value); break;
    case Kind::Prefix: out->set_prefix(match.value); break;
    case Kind::Suffix: out->set_suffix(match.value); break;
    case Kind::Regex: out->mutable_safe_regex()->set_regex(match.value); return;  // ignore_case is not for regexes
  }
  if (match.ignore_case) out->set_ignore_case(true);
}

Generated checked(const google::protobuf::Message& message) {
  Generated result;
  result.problem = violation(message);
  if (result.problem.empty()) result.bytes = serialize(message);
  return result;
}

}  // namespace emissary::generate
