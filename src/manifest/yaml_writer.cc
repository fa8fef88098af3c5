#include "manifest/yaml_writer.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/lower.h"

namespace emissary::manifest {
namespace {

using Json = nlohmann::ordered_json;

bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '/'; }

/// Surely read as this very text; JSON's quoting is YAML's too.
bool plain(const std::string& text) {
  constexpr std::array kWords = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
  if (text.empty() || !letter(text[0])) return false;
  const bool quiet = std::all_of(text.begin(), text.end(),
                                 [](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_'; });
  return quiet && std::find(kWords.begin(), kWords.end(), lower(text)) == kWords.end();
}

std::string scalar(const Json& json) {
  if (json.is_string() && plain(json.get_ref<const std::string&>())) return json.get<std::string>();
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);  // of an empty list or map too
}

/// Text of several lines that stands as a literal block ("|") and is read as this very text.
bool literal(const Json& json) {
  if (!json.is_string()) return false;
  const auto& text = json.get_ref<const std::string&>();
  if (text.find('\n') == std::string::npos || text[0] == '\n' || text[0] == ' ') return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= 0x20 && c < 0x7f) || c == '\n'; });
}

void writeLiteral(std::string& out, const std::string& text, size_t indent) {
  const bool ended = text.back() == '\n';
  out += ended && text[text.size() - 2] == '\n' ? " |+\n" : ended ? " |\n" : " |-\n";
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) out.append(indent, ' ').append(text, at, end - at);
    out += '\n';
    at = end + 1;
  }
}

bool block(const Json& json) { return json.is_structured() && !json.empty(); }

void write(std::string& out, const Json& json, size_t indent) {
  const std::string pad(indent, ' ');
  for (const auto& [key, value] : json.items()) {
    if (json.is_array()) {
      out += pad + "-";
      if (block(value)) {
        std::string inner;
        write(inner, value, indent + 2);
        out += " " + inner.substr(indent + 2);
      } else if (literal(value)) {
        writeLiteral(out, value.get_ref<const std::string&>(), indent + 2);
      } else {
        out += " " + scalar(value) + "\n";
      }
      continue;
    }
    out += pad + scalar(key) + ":";
    if (block(value)) {
      out += "\n";
      write(out, value, indent + 2);
    } else if (literal(value)) {
      writeLiteral(out, value.get_ref<const std::string&>(), indent + 2);
    } else {
      out += " " + scalar(value) + "\n";
    }
  }
}

}  // namespace

std::string yaml(const Json& json) {
  if (!block(json)) return scalar(json) + "\n";
  std::string out;
  write(out, json, 0);
  return out;
}

}  // namespace emissary::manifest
