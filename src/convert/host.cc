// Which host names a Mapping is for. v2 has `host`, a glob, or a regular expression beside `host_regex`; without it the Mapping is
// for any host. v3alpha1 has `hostname`, a glob; without it (and without the deprecated `host`) the Mapping is for none by itself.

#include "convert/rules.h"

namespace emissary::convert {
namespace {

/// What v2 says for "no host by itself".
constexpr std::string_view kNoHost = "_skip_mapping_with_empty_host_";

}  // namespace

void hostToNew(Value& spec, Notes& notes) {
  if (const auto unknown = take(spec, "hostname")) notes.dropped("spec.hostname", unknown->line, "host");
  if (isTrue(find(spec, "host_regex"))) return;
  const Value* host = find(spec, "host");
  if (host == nullptr || (host->isString() && host->string.empty())) {
    const int line = host != nullptr ? host->line : spec.line;
    take(spec, "host");
    put(spec, "hostname", textValue("*", line));
  } else if (host->isString() && host->string == kNoHost) {
    take(spec, "host");
  } else {
    rename(spec, "host", "hostname");
    notes.renamed("spec.hostname", "spec.host");
  }
}

void hostToOld(Value& spec) {
  const auto neverRegex = [&spec] {
    if (const Value* regex = find(spec, "host_regex")) put(spec, "host_regex", boolValue(false, regex->line));
  };
  const Value* hostname = find(spec, "hostname");
  const bool named = hostname != nullptr && !(hostname->isString() && hostname->string.empty());
  if (!named) {
    take(spec, "hostname");
    const Value* host = find(spec, "host");
    if (host != nullptr && !(host->isString() && host->string.empty())) return;
    neverRegex();
    put(spec, "host", textValue(kNoHost, spec.line));
    return;
  }
  neverRegex();
  if (hostname->isString() && hostname->string == "*") {
    take(spec, "host");
    take(spec, "hostname");
  } else {
    rename(spec, "hostname", "host");
  }
}

}  // namespace emissary::convert
