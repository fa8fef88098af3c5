// Times are whole numbers in all versions; a null that stands for one means 0.

#include "convert/rules.h"

namespace emissary::convert {
namespace {

void nullIsZero(Value& map, std::string_view suffix) {
  for (auto& [name, value] : map.map) {
    if (value.isNull() && name.ends_with(suffix)) value = wholeValue(0, value.line);
  }
}

}  // namespace

void durations(std::string_view kind, Value& spec) {
  if (kind == "TCPMapping" || kind == "Module") return;  // a text there; free form there
  nullIsZero(spec, "_ms");
  if (kind == "LogService") nullIsZero(spec, "flush_interval_time");
  Value* docs = find(spec, "docs");
  if (docs == nullptr) return;
  nullIsZero(*docs, "_ms");                                // of a Mapping
  for (Value& item : docs->list) nullIsZero(item, "_ms");  // of a DevPortal
}

}  // namespace emissary::convert
