#include "diagnostics/banner.h"

#include <httplib.h>

namespace emissary::diagnostics {

std::string fetchBanner(const std::string& url, std::chrono::milliseconds time) {
  constexpr size_t kMost = 64 << 10;
  const size_t scheme = url.find("://");
  if (scheme == std::string::npos) return "";
  const size_t slash = url.find('/', scheme + 3);
  httplib::Client client(url.substr(0, slash));
  if (!client.is_valid()) return "";
  client.set_connection_timeout(time);
  client.set_read_timeout(time);
  const auto end = std::chrono::steady_clock::now() + time;
  std::string body;
  const auto result = client.Get(slash == std::string::npos ? "/" : url.substr(slash), [&](const char* data, size_t size) {
    if (body.size() + size > kMost || std::chrono::steady_clock::now() > end) return false;
    body.append(data, size);
    return true;
  });
  return result && result->status == 200 ? body : "";
}

}  // namespace emissary::diagnostics
