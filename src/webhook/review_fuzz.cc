// libFuzzer: no request makes the webhook crash or give an answer that is none, and what it converts can be read.

#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>

#include "webhook/review.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const emissary::webhook::Answer out = emissary::webhook::answer(std::string(reinterpret_cast<const char*>(data), size));
  const auto json = nlohmann::json::parse(out.body, nullptr, false);
  if (!json.is_object()) std::abort();
  const auto& response = json.at("response");
  const bool good = response.at("result").at("status") == "Success";
  if (good != out.problem.empty()) std::abort();
  if (good && response.at("convertedObjects").size() != out.objects) std::abort();
  if (good && std::accumulate(out.converted.begin(), out.converted.end(), size_t{0}) != out.objects) std::abort();
  return 0;
}
