#include "serve/refusal_detail.h"

#include <algorithm>

namespace emissary::serve {
namespace {

constexpr size_t kLongest = 1000;
// Envoy's protobuf begins its quotations so; older ones do not, but all quote around this sentence.
constexpr std::string_view kQuote = "goo.gle/debug";
constexpr std::string_view kConstraint = "Proto constraint validation failed";

/// The sentence with what it says in parentheses.
std::string_view constraintOf(std::string_view detail, size_t at) {
  int depth = 0;
  for (size_t i = at + kConstraint.size(); i < detail.size(); ++i) {
    if (detail[i] == '(') ++depth;
    if (detail[i] == ')' && --depth <= 0) return detail.substr(at, i + 1 - at);
    if (depth == 0 && detail[i] != ' ') break;
  }
  return kConstraint;
}

}  // namespace

std::string publicDetail(std::string_view detail) {
  std::string text;
  const size_t quote = detail.find(kQuote);
  if (const size_t at = detail.find(kConstraint); at != detail.npos) {
    if (quote < at) text = detail.substr(0, quote);
    text += constraintOf(detail, at);
  } else {
    // Of a key only its beginning is ever quoted without the mark.
    text = detail.substr(0, std::min(quote, detail.find("-----BEGIN")));
  }
  if (text.size() > kLongest) text.resize(kLongest);
  std::replace(text.begin(), text.end(), '\n', ' ');
  while (!text.empty() && (text.back() == ' ' || text.back() == ':')) text.pop_back();
  return text;
}

}  // namespace emissary::serve
