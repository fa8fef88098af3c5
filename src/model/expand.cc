#include "model/expand.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "manifest/edit.h"
#include "model/text.h"

namespace emissary::model {
namespace {

using manifest::Value;

constexpr std::array<std::string_view, 3> kFields = {"service", "hostname", "address"};
constexpr std::array<std::string_view, 4> kVerbatim = {"pattern", "substitution", "lua_scripts", "envoy_log_format"};
constexpr std::array<std::string_view, 5> kSecret = {"TOKEN", "SECRET", "PASSWORD", "KEY", "CREDENTIAL"};

bool isVerbatim(std::string_view name) {
  return name.ends_with("_regex") || name.starts_with("regex_") ||
         std::find(kVerbatim.begin(), kVerbatim.end(), name) != kVerbatim.end();
}

bool isName(std::string_view text) {
  const auto letter = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  return !text.empty() && std::isdigit(static_cast<unsigned char>(text[0])) == 0 && std::all_of(text.begin(), text.end(), letter);
}

/// Calls `visit(text, path)` for each text in which variables count.
template <typename Tree, typename Visit>
void walk(Tree& value, const Path& path, const Visit& visit) {
  if (value.isString()) visit(value, path);
  for (size_t i = 0; i < value.list.size(); ++i) walk(value.list[i], Path(&path, i), visit);
  for (auto& [name, item] : value.map) {
    if (!isVerbatim(name)) walk(item, Path(&path, name), visit);
  }
}

template <typename Tree, typename Visit>
void eachText(Tree& document, Kind kind, const Visit& visit) {
  auto* spec = document.find("spec");
  if (spec == nullptr) return;
  const Path root(nullptr, "spec");
  for (auto& [name, item] : spec->map) {
    const bool counts = std::find(kFields.begin(), kFields.end(), name) != kFields.end();
    if (kind == Kind::Module ? name == "config" : counts && item.isString()) walk(item, Path(&root, name), visit);
  }
}

/// An editable document, seen as eachText() sees one.
struct Editable {
  Value& document;
  Value* find(std::string_view key) const { return manifest::find(document, key); }
};

class Expander {
 public:
  Expander(const Variables& variables, Report& report) : variables_(variables), report_(report) {}

  void operator()(Value& value, const Path& path) const {
    std::string out;
    std::string_view rest = value.string;
    // What grows beyond any text that we take is not read on.
    while (out.size() <= kMaxText) {
      const size_t start = rest.find("${");
      const size_t end = start == std::string_view::npos ? start : rest.find('}', start);
      if (end == std::string_view::npos) break;
      const std::string_view name = rest.substr(start + 2, end - start - 2);
      if (!isName(name)) {
        out += rest.substr(0, start + 2);
        rest.remove_prefix(start + 2);
        continue;
      }
      out += rest.substr(0, start);
      if (const std::string* text = valueOf(name, path, value.line)) {
        out += *text;
      } else {
        out += rest.substr(start, end + 1 - start);
      }
      rest.remove_prefix(end + 1);
    }
    out += rest;
    value.string = std::move(out);
  }

 private:
  const std::string* valueOf(std::string_view name, const Path& path, int line) const {
    const auto found = variables_.find(std::string(name));
    if (mayExpand(name) && found != variables_.end()) return &found->second;
    const std::string shown = fmt::format("${{{}}}", printable(name));
    report_.warning(path.text(), line,
                    mayExpand(name)
                        ? fmt::format("{} stays as written: the control plane's environment has no such variable, or "
                                      "EMISSARY_EXPAND_VARIABLES does not name it",
                                      shown)
                        : fmt::format("{} stays as written: variables whose name tells of a secret are not used", shown));
    return nullptr;
  }

  const Variables& variables_;
  Report& report_;
};

}  // namespace

bool mayExpand(std::string_view name) {
  std::string upper(name);
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return std::none_of(kSecret.begin(), kSecret.end(), [&](std::string_view word) { return upper.find(word) != std::string::npos; });
}

bool holdsVariables(const Value& document, Kind kind) {
  bool found = false;
  eachText(document, kind, [&](const Value& text, const Path&) { found = found || text.string.find("${") != std::string::npos; });
  return found;
}

void expandVariables(Value& document, Kind kind, const Variables& variables, Report& report) {
  Editable editable{document};
  eachText(editable, kind, Expander(variables, report));
}

}  // namespace emissary::model
