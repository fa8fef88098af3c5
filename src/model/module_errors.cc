// A Module's error_response_overrides: what clients get instead of Envoy's own answers.

#include <fmt/format.h>

#include <algorithm>

#include "model/format_text.h"
#include "model/module_reader.h"
#include "model/text.h"

namespace emissary::model {
namespace {

using manifest::Value;

void readBody(Fields& item, ErrorResponse& out) {
  const Value* value = item.take("body");
  if (!item.require("body", "write body: {text_format: …} or body: {json_format: {…}}")) return;
  Fields body(item.report(), value, item.path("body"));
  if (!value->isMap()) return;
  if (body.take("text_format_source") != nullptr) {
    body.refuse("text_format_source", "names a file, which is not read; write the text itself as text_format");
  }
  const bool text = body.has("text_format"), json = body.has("json_format");
  if (text && json) body.refuse("json_format", "must not stand beside text_format; remove one of them");
  if (!text && !json) body.refuse("text_format", "is missing, and so is json_format; write one of them");
  if (text && readLines(body, "text_format", out.text)) {
    if (std::string problem = formatProblem(out.text); !problem.empty()) body.refuse("text_format", std::move(problem));
  }
  if (json) readJsonFormat(item.report(), *body.take("json_format"), body.path("json_format"), out.json);
  body.read("content_type", out.content_type);
  body.finish();
}

}  // namespace

void readErrorResponses(Fields& config, HttpSettings& out) {
  const Value* value = config.take("error_response_overrides");
  if (value == nullptr) return;
  if (!value->isList()) {
    config.refuse("error_response_overrides", "must be a list, but is " + describe(*value));
    return;
  }
  const Path list = config.path("error_response_overrides");
  for (size_t i = 0; i < value->list.size(); ++i) {
    const Path at(&list, i);
    const Part part(config.report());
    Fields item(config.report(), &value->list[i], at);
    ErrorResponse response;
    int64_t status = 0;
    if (item.require("on_status_code", "write the status from 400 to 599 that it is for"))
      item.read("on_status_code", status, 400, 599);
    response.status = static_cast<uint32_t>(status);
    readBody(item, response);
    item.finish();
    if (!part.good()) continue;
    const bool again = std::any_of(out.error_responses.begin(), out.error_responses.end(),
                                   [&](const ErrorResponse& other) { return other.status == response.status; });
    if (again) {
      item.error("on_status_code", fmt::format("{} has an answer above, which is used; remove one of them", status));
    } else {
      out.error_responses.push_back(std::move(response));
    }
  }
}

}  // namespace emissary::model
