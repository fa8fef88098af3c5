#include "diagnostics/names.h"

#include <fmt/format.h>
#include <openssl/evp.h>

namespace emissary::diagnostics {
namespace {

/// Texts with their lengths, so that no two different lists of them give the same bytes.
class Text {
 public:
  Text& add(std::string_view part) {
    out_ += fmt::format("{}:", part.size());
    out_ += part;
    return *this;
  }
  Text& add(int64_t number) { return add(std::to_string(number)); }
  Text& add(const ir::StringMatch& match) {
    return add(static_cast<int64_t>(match.kind)).add(match.value).add(static_cast<int64_t>(match.ignore_case));
  }
  Text& add(const std::vector<ir::NamedMatch>& matches) {
    add(static_cast<int64_t>(matches.size()));
    for (const ir::NamedMatch& match : matches) add(match.name).add(match.match);
    return *this;
  }
  /// 40 hexadecimal digits.
  std::string hash() const {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    EVP_Digest(out_.data(), out_.size(), digest, &size, EVP_sha1(), nullptr);
    std::string out;
    out.reserve(size_t{2} * size);
    for (unsigned int i = 0; i < size; ++i) out += fmt::format("{:02x}", digest[i]);
    return out;
  }

 private:
  std::string out_;
};

}  // namespace

std::string rkey(const ObjectRef& ref) { return ref.name + "." + ref.ns + ".1"; }

std::string groupId(const ir::Match& match) {
  Text text;
  text.add(match.precedence).add(static_cast<int64_t>(match.path_kind)).add(match.path).add(match.case_sensitive ? 1 : 0);
  text.add(match.headers).add(static_cast<int64_t>(match.host.kind)).add(match.host.text);
  text.add(match.method ? 1 : 0);
  if (match.method) text.add(*match.method);
  text.add(match.query);
  for (const auto& [key, value] : match.labels) text.add(key).add(value);
  return text.hash();
}

std::string tcpGroupId(std::string_view address, uint32_t port, std::string_view host) {
  return Text().add(address).add(static_cast<int64_t>(port)).add(host).hash();
}

std::string urlEncoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) out += c;
    else out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace emissary::diagnostics
