// `tls`: in v2 the name of a TLSContext, or true (speak TLS whatever the service's scheme says), or false, "" or nothing (as
// the scheme says). v3alpha1 knows names and the scheme only; `v2ExplicitTLS` remembers how it was said.

#include <algorithm>
#include <cctype>

#include "convert/rules.h"

namespace emissary::convert {
namespace {

constexpr std::string_view kRemembered = "v2ExplicitTLS";

std::string_view serviceField(std::string_view kind) { return kind == "AuthService" ? "auth_service" : "service"; }

/// "http://", "HTTPS://", or "" where the text has none of them.
std::string_view schemeOf(std::string_view service) {
  for (const std::string_view scheme : {std::string_view("https://"), std::string_view("http://")}) {
    if (service.size() < scheme.size()) continue;
    const bool same = std::equal(scheme.begin(), scheme.end(), service.begin(),
                                 [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
    if (same) return service.substr(0, scheme.size());
  }
  return {};
}

bool speaksTls(std::string_view service) { return schemeOf(service).size() == std::string_view("https://").size(); }

void setScheme(Value& service, std::string_view scheme) { service.string.replace(0, schemeOf(service.string).size(), scheme); }

/// The word for what v2 said instead of a name; nothing for a type that is wrong.
std::optional<std::string_view> wordFor(const Value* tls) {
  if (tls == nullptr) return "";
  if (tls->isString()) return "string";
  if (tls->type == Value::Type::Bool) return tls->boolean ? "bool:true" : "bool:false";
  return std::nullopt;
}

}  // namespace

void tlsToNew(std::string_view kind, Value& spec) {
  const Value* tls = find(spec, "tls");
  if (hasText(tls)) {
    put(spec, kRemembered, emptyMap(tls->line));
    return;
  }
  const auto word = wordFor(tls);
  if (!word) return;
  const int line = tls != nullptr ? tls->line : spec.line;
  Value memory = emptyMap(line);
  Value* service = find(spec, serviceField(kind));
  if (*word == "bool:true" && isText(service) && !speaksTls(service->string)) {
    if (kind != "TCPMapping") put(memory, "serviceScheme", textValue(schemeOf(service->string), service->line));
    setScheme(*service, "https://");
  }
  if (!word->empty()) put(memory, "tls", textValue(*word, line));
  take(spec, "tls");
  if (!memory.map.empty()) put(spec, kRemembered, std::move(memory));
}

void tlsToOld(std::string_view kind, Value& spec) {
  std::optional<Value> memory = take(spec, kRemembered);
  Value none;
  Value* word = memory && memory->isMap() ? find(*memory, "tls") : nullptr;
  Value* written = memory && memory->isMap() ? find(*memory, "serviceScheme") : nullptr;
  std::optional<std::string> scheme;
  if (written != nullptr && written->isString()) scheme = written->string;
  if (kind == "TCPMapping") scheme = "";

  Value* service = find(spec, serviceField(kind));
  const bool tls_now = service != nullptr && service->isString() && speaksTls(service->string);
  const Value* tls = find(spec, "tls");
  bool wants_tls = hasText(tls);
  if (tls != nullptr && !tls->isString()) return;  // wrong anyway
  if (!wants_tls) {
    const int line = word != nullptr ? word->line : spec.line;
    const std::string said = word != nullptr && word->isString() ? word->string : "";
    take(spec, "tls");
    if (said == "null") put(spec, "tls", std::move(none));
    if (said == "bool:false") put(spec, "tls", boolValue(false, line));
    if (said == "string") put(spec, "tls", textValue("", line));
    wants_tls = said == "bool:true" && tls_now;
    if (wants_tls) put(spec, "tls", boolValue(true, line));
  }
  service = find(spec, serviceField(kind));
  if (!scheme || service == nullptr || !service->isString()) return;
  if (wants_tls || speaksTls(*scheme + "x") == tls_now) setScheme(*service, *scheme);
}

}  // namespace emissary::convert
