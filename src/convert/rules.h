#pragma once
// The rules, one concern each. `toNew` goes from v2 to v3alpha1, `toOld` back. All edit the spec in place. Internal to this
// folder.

#include <string_view>

#include "convert/convert.h"
#include "manifest/edit.h"

namespace emissary::convert {

using manifest::boolValue, manifest::emptyList, manifest::emptyMap, manifest::textValue, manifest::wholeValue;
using manifest::find, manifest::hasText, manifest::isText, manifest::isTrue, manifest::put, manifest::rename, manifest::take;
using manifest::Value;

/// What toNew rules tell.
class Notes {
 public:
  explicit Notes(Converted& out, std::string_view version) : out_(out), version_(version) {}
  /// `field` is dropped, since the version it was written in has no such field; it is called `instead` there ("": nothing is).
  void dropped(std::string_view field, int line, std::string_view instead);
  void remark(std::string field, int line, std::string message) {
    out_.remarks.push_back({std::move(field), line, std::move(message)});
  }
  void renamed(std::string now, std::string written) { out_.renamed.push_back({std::move(now), std::move(written)}); }

 private:
  Converted& out_;
  std::string_view version_;
};

// ---- names.cc: fields that have another name
void renameToNew(std::string_view kind, Value& spec, Notes& notes);
void renameToOld(std::string_view kind, Value& spec);

// ---- ids.cc: ambassador_id
void idsToNew(std::string_view kind, Value& spec);
void idsToOld(Value& spec);

// ---- tls.cc: `tls` as text, boolean or nothing, and the scheme of the service
void tlsToNew(std::string_view kind, Value& spec);
void tlsToOld(std::string_view kind, Value& spec);

// ---- host.cc: a Mapping's host, host_regex and hostname
void hostToNew(Value& spec, Notes& notes);
void hostToOld(Value& spec);

// ---- matches.cc: headers and query parameters that only have to be there
void matchesToNew(Value& spec);
void matchesToOld(Value& spec);

// ---- header_edits.cc: headers added and removed, cors
void headerEditsToNew(Value& spec);
void headerEditsToOld(Value& spec);

// ---- labels.cc: what rate limits are counted by
void labelsToNew(Value& spec);
void labelsToOld(Value& spec);

// ---- tags.cc: tag_headers of a TracingService, as custom tags named `tags`
void tagHeadersToNew(Value& spec, Notes& notes);
void tagHeadersToOld(Value& spec);

// ---- durations.cc: null is 0
void durations(std::string_view kind, Value& spec);

}  // namespace emissary::convert
