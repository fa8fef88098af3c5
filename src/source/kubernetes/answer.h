#pragma once
// The JSON of an API server: lists, events, lists of resources. One reader for one thread; what it hands out points into it and
// is valid until it reads again.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "manifest/parse.h"
#include "manifest/value.h"
#include "source/kubernetes/kinds.h"

namespace emissary::source {

/// One object.
class Item {
 public:
  std::string_view ns;
  std::string_view name;
  std::string_view resource_version;

  /// Where it stands; as element.h reads it. simdjson's header stays out of this one.
  struct Element {
    const void* document = nullptr;
    size_t index = 0;
  };

  /// metadata.annotations holds `key`.
  bool annotated(std::string_view key) const;
  /// As a manifest of `resource`, whose apiVersion is `version`, with what has a meaning and nothing else. When it breaks a limit,
  /// `problem` says which, and only who it is and whom it is for is in it.
  manifest::Value document(const Resource& resource, std::string_view version, const manifest::Limits& limits,
                           std::string& problem) const;
  /// What is under "status"; null when there is nothing, or it breaks a limit.
  manifest::Value status(const manifest::Limits& limits) const;

 private:
  friend class AnswerReader;
  Element element_;
};

enum class EventType : uint8_t { Added, Modified, Deleted, Bookmark, Error };

struct WatchEvent {
  EventType type = EventType::Error;
  /// Of a bookmark only the version.
  Item item;
  /// Of an error: its HTTP status, and the server's words.
  int code = 0;
  std::string_view message;
};

struct ListHead {
  std::string resource_version;
  /// To ask for the next page with; empty at the end.
  std::string more;
};

class AnswerReader {
 public:
  AnswerReader();
  ~AnswerReader();

  /// False when `body` is no list of objects with names; some may have been told by then.
  bool readList(std::string& body, bool namespaced, ListHead& head, const std::function<void(const Item&)>& tell);
  /// `line`: followed by kPadding readable bytes. Nothing when it is no event, or one without an object of a name.
  std::optional<WatchEvent> readEvent(std::string_view line, bool namespaced);
  /// The plurals of an APIResourceList, without subresources. Nothing when it is none.
  std::optional<std::set<std::string>> readResources(std::string& body);

  static constexpr size_t kPadding = 64;

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace emissary::source
