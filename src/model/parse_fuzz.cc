// libFuzzer: no manifest makes the parsers crash, and what they tell can be shown anywhere: one line, no control
// characters, bounded in number and length.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "manifest/parse.h"
#include "model/parse.h"
#include "model/text.h"

namespace {

using namespace emissary;

void check(const std::vector<Finding>& findings) {
  for (const Finding& finding : findings) {
    if (!model::textProblem(finding.message).empty() || finding.message.empty() || finding.message.size() > 2048) std::abort();
    if (!model::textProblem(finding.field).empty() || finding.field.size() > 4096) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  manifest::Limits limits;
  limits.max_nodes = 5'000;
  limits.max_depth = 16;
  const auto documents = manifest::parse(text, limits).documents;
  for (const manifest::Value& document : documents) {
    const auto first = model::parseDocument(document, {"a.yaml", "default"});
    const auto second = model::parseDocument(document, {"b.yaml", "default"});
    check(first.findings);
    if (first.objects.size() != second.objects.size()) std::abort();
    for (size_t i = 0; i < first.objects.size(); ++i) {
      const Object& object = *first.objects[i];
      check(object.findings);
      if (object.findings.size() > 101 || object.ref.name.empty() || object.ambassador_id.empty()) std::abort();
      for (const ObjectPtr& annotated : object.annotated) {
        check(annotated->findings);
        if (annotated->origin != object.ref || annotated->ref.name.empty()) std::abort();
      }
      if (!object.usable && (object.findings.empty() || object.spec.index() != 0)) std::abort();
      if (object.hash != second.objects[i]->hash) std::abort();
    }
  }
  return 0;
}
