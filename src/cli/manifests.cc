#include "cli/manifests.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "manifest/edit.h"
#include "manifest/json_writer.h"
#include "manifest/parse.h"
#include "manifest/yaml_writer.h"
#include "model/annotation.h"
#include "model/text.h"

namespace emissary::cli {
namespace {

using convert::Version;
using manifest::Value;

constexpr int kMaxListDepth = 8;

/// The version of an apiVersion of our group; "" of any other.
std::string_view ourVersion(std::string_view api_version) {
  const size_t slash = api_version.find('/');
  return slash != std::string_view::npos && api_version.substr(0, slash) == convert::kGroup ? api_version.substr(slash + 1)
                                                                                            : std::string_view();
}

class Rewriter {
 public:
  Rewriter(Version wanted, const std::string& path, std::vector<Finding>& findings)
      : wanted_(wanted), path_(path), findings_(findings) {}

  /// Where the text begins that is looked at, in lines.
  void at(int lines_before) { lines_before_ = lines_before; }

  void tell(Severity severity, int line, std::string message) {
    findings_.push_back({severity, {}, "", std::move(message), path_, line + lines_before_});
  }

  /// In place; whether anything was converted.
  bool document(Value& value, int depth = 0) {
    const std::string_view kind = value.text("kind");
    Value* items = manifest::find(value, "items");
    if (kind.ends_with("List") && items != nullptr && items->isList() && depth < kMaxListDepth) return list(value, *items, depth);
    if (!ourVersion(value.text("apiVersion")).empty()) return object(value, "");
    if (kind == "Service" || kind == "Ingress") return annotation(value);
    return false;
  }

 private:
  /// A List, or as API servers have it a MappingList, whose items may leave out what they are.
  bool list(Value& list, Value& items, int depth) {
    const std::string version(list.text("apiVersion"));
    const std::string kind(list.text("kind").substr(0, list.text("kind").size() - 4));
    const bool ours = !kind.empty() && !ourVersion(version).empty();
    bool changed = false;
    for (Value& item : items.list) {
      if (ours && item.isMap() && item.text("kind").empty()) manifest::put(item, "kind", manifest::textValue(kind, item.line));
      if (ours && item.isMap() && item.text("apiVersion").empty()) {
        manifest::put(item, "apiVersion", manifest::textValue(version, item.line));
      }
      changed |= document(item, depth + 1);
    }
    if (ours && convert::versionNamed(ourVersion(version)) != wanted_ && convert::exists(kind, wanted_)) {
      manifest::put(list, "apiVersion", manifest::textValue(wantedName(), list.line));
      changed = true;
    }
    return changed;
  }

  bool object(Value& value, std::string_view prefix) {
    const std::string kind(value.text("kind"));
    const std::string_view name = ourVersion(value.text("apiVersion"));
    const auto written = convert::versionNamed(name);
    if (written == wanted_) return false;
    const auto say = [&](Severity severity, std::string_view field, int line, std::string message) {
      const Value* metadata = value.find("metadata");
      ObjectRef ref{kindNamed(kind), "", ""};
      if (metadata != nullptr) ref.ns = metadata->text("namespace"), ref.name = metadata->text("name");
      findings_.push_back({severity, std::move(ref), fmt::format("{}{}", prefix, field), std::move(message), path_,
                           (line > 0 ? line : value.line) + lines_before_});
    };
    if (!written || !convert::exists(kind, *written)) {
      say(Severity::Error, "apiVersion", 0,
          fmt::format("{} is no version of {} that is known; it is left as it is", model::quoted(name), model::printable(kind)));
      return false;
    }
    if (!convert::exists(kind, wanted_)) {
      say(Severity::Error, "apiVersion", 0, fmt::format("{} does not exist in {}; it is left as it is", kind, wantedName()));
      return false;
    }
    convert::Converted converted = convert::between(value, kind, *written, wanted_);
    for (convert::Remark& remark : converted.remarks) {
      say(Severity::Warning, remark.field, remark.line, std::move(remark.message));
    }
    value = std::move(converted.object);
    return true;
  }

  /// Objects of ours as YAML in an annotation. A flat one becomes a manifest.
  bool annotation(Value& value) {
    Value* metadata = manifest::find(value, "metadata");
    Value* all = metadata != nullptr && metadata->isMap() ? manifest::find(*metadata, "annotations") : nullptr;
    Value* config = all != nullptr && all->isMap() ? manifest::find(*all, model::kConfigAnnotation) : nullptr;
    if (!manifest::isText(config)) return false;
    manifest::ParseResult parsed = manifest::parse(config->string);
    if (parsed.error) {
      tell(Severity::Error, config->line, fmt::format("{}: {}; it is left as it is", model::kConfigField, parsed.error->message));
      return false;
    }
    bool changed = false;
    std::string text;
    for (Value& inner : parsed.documents) {
      if (std::optional<Value> manifest = model::asManifest(inner);
          manifest && convert::versionNamed(ourVersion(manifest->text("apiVersion"))) != wanted_) {
        setLines(*manifest, *config);
        if (object(*manifest, std::string(model::kConfigField) + ": ")) {
          inner = std::move(*manifest);
          changed = true;
        }
      }
      text += (text.empty() ? "" : "---\n") + manifest::yaml(manifest::toJson(inner));
    }
    if (changed) config->string = std::move(text);
    return changed;
  }

  static void setLines(Value& value, const Value& text) {
    value.line = text.block ? text.line + value.line : text.line;
    for (Value& item : value.list) setLines(item, text);
    for (auto& [key, item] : value.map) setLines(item, text);
  }

  std::string wantedName() const { return fmt::format("{}/{}", convert::kGroup, convert::versionName(wanted_)); }

  const Version wanted_;
  const std::string& path_;
  std::vector<Finding>& findings_;
  int lines_before_ = 0;
};

/// One document of a YAML file, or several where they are JSON.
struct Piece {
  std::string_view text;
  int lines_before = 0;
};

/// A line that begins with "---" ends a document wherever it stands, even in a block of text.
std::vector<Piece> pieces(std::string_view text) {
  std::vector<Piece> out;
  size_t begin = 0;
  int line = 0, first = 0;
  const auto close = [&](size_t end, size_t next, int next_line) {
    out.push_back({text.substr(begin, end - begin), first});
    begin = next;
    first = next_line;
  };
  for (size_t at = 0; at < text.size(); ++line) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string_view here = text.substr(at, end - at);
    if (here.ends_with('\r')) here.remove_suffix(1);
    const size_t next = std::min(end + 1, text.size());
    if (here == "---" || here == "...") {
      close(at, next, line + 1);
    } else if (here.starts_with("--- ") || here.starts_with("---\t")) {
      close(at, at + 4, line);  // the document begins on this very line
    }
    at = next;
  }
  close(text.size(), text.size(), line);
  return out;
}

bool blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

void append(std::string& out, std::string_view document) {
  if (!out.empty()) out += "---\n";
  out += document;
  if (!out.ends_with('\n')) out += '\n';
}

}  // namespace

Rewritten rewrite(std::string_view text, Version wanted, const std::string& path) {
  Rewritten out;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  Rewriter rewriter(wanted, path, out.findings);
  for (const Piece& piece : pieces(text)) {
    if (blank(piece.text)) continue;
    rewriter.at(piece.lines_before);
    manifest::ParseResult parsed = manifest::parse(piece.text);
    if (parsed.error) {
      out.text.clear();
      rewriter.tell(Severity::Error, parsed.error->line, parsed.error->message + "; nothing of the file is printed");
      return out;
    }
    bool changed = parsed.documents.size() > 1;  // one after another, which is JSON's alone
    for (Value& document : parsed.documents) changed |= document.isMap() && rewriter.document(document);
    if (!changed) {
      append(out.text, piece.text);
    } else {
      for (const Value& document : parsed.documents) append(out.text, manifest::yaml(manifest::toJson(document)));
    }
  }
  return out;
}

}  // namespace emissary::cli
