#include "base/base64.h"

#include <openssl/evp.h>

namespace emissary {

std::optional<std::string> decodeBase64(std::string_view text) {
  std::string packed;
  packed.reserve(text.size());
  for (const char c : text) {
    if (c == '\n' || c == '\r' || c == ' ' || c == '\t') continue;
    packed += c;
  }
  if (packed.empty()) return std::string{};
  const size_t data = packed.find_last_not_of('=') + 1;
  const size_t padding = packed.size() - data;
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (packed.size() % 4 != 0 || padding > 2) return std::nullopt;
  if (std::string_view(packed).substr(0, data).find_first_not_of(kAlphabet) != std::string_view::npos) return std::nullopt;
  std::string out(packed.size() / 4 * 3, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(packed.data()), static_cast<int>(packed.size()));
  if (length < 0) return std::nullopt;
  out.resize(static_cast<size_t>(length) - padding);
  return out;
}

std::string encodeBase64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4, '\0');
  // It ends what it writes with a zero byte, which a string has room for.
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  return out;
}

}  // namespace emissary
