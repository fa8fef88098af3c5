// ambassador_id: a text or a list in v2, a list in v3alpha1. Ids that v3alpha1 brought into v2 bear a mark, so that old programs,
// which know v2 only, take the object for somebody else's.

#include <iterator>

#include "convert/rules.h"

namespace emissary::convert {
namespace {

constexpr std::string_view kMark = "--apiVersion-v3alpha1-only--";

Value asList(Value value) {
  if (!value.isString()) return value;
  Value out = emptyList(value.line);
  out.list.push_back(std::move(value));
  return out;
}

}  // namespace

void idsToNew(std::string_view kind, Value& spec) {
  std::optional<Value> ids = take(spec, "ambassador_id");
  std::optional<Value> camel = kind == "Host" ? take(spec, "ambassadorId") : std::nullopt;
  if (ids) ids = asList(*std::move(ids));
  if (camel) {
    camel = asList(*std::move(camel));
    if (!ids) {
      ids = std::move(camel);
    } else if (ids->isList() && camel->isList()) {
      std::move(camel->list.begin(), camel->list.end(), std::back_inserter(ids->list));
    }
  }
  if (!ids) return;
  for (Value& id : ids->list) {
    if (id.isString() && id.string.starts_with(kMark)) id.string.erase(0, kMark.size());
  }
  put(spec, "ambassador_id", *std::move(ids));
}

void idsToOld(Value& spec) {
  Value ids = emptyList(spec.line);
  if (auto written = take(spec, "ambassador_id")) ids = asList(*std::move(written));
  if (ids.isList() && ids.list.empty()) ids.list.push_back(textValue("default", ids.line));
  for (Value& id : ids.list) {
    if (id.isString() && !id.string.starts_with(kMark)) id.string.insert(0, kMark);
  }
  put(spec, "ambassador_id", std::move(ids));
}

}  // namespace emissary::convert
