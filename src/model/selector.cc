// LabelSelector of meta/v1: reading and matching.

#include <algorithm>
#include <array>

#include "model/readers.h"
#include "model/text.h"

namespace emissary::model {
namespace {

using manifest::Value;

constexpr std::array<std::string_view, 4> kSelectorOperators = {"In", "NotIn", "Exists", "DoesNotExist"};

bool readExpression(Fields& f, LabelSelector::Expression& out) {
  if (!f.require("key", "an expression names a label") || !f.read("key", out.key)) return false;
  if (!f.require("operator", "write In, NotIn, Exists or DoesNotExist")) return false;
  const int op = f.readChoice("operator", kSelectorOperators);
  if (op < 0) return false;
  out.op = static_cast<LabelSelector::Operator>(op);
  if (f.take("values") != nullptr && !f.read("values", out.values)) return false;
  const bool wants = out.op == LabelSelector::Operator::In || out.op == LabelSelector::Operator::NotIn;
  if (wants == out.values.empty()) {
    f.refuse("values", wants ? "must name at least one value with In and NotIn" : "must be absent with Exists and DoesNotExist");
    return false;
  }
  f.finish();
  return true;
}

}  // namespace

bool readTextMap(Report& report, const Value& value, const Path& path, std::map<std::string, std::string>& out) {
  if (!value.isMap()) {
    report.refuse(path.text(), value.line, "must be a map of texts, but is " + describe(value));
    return false;
  }
  for (const auto& [key, item] : value.map) {
    if (item.isNull()) continue;
    const Path entry(&path, key);
    if (std::string problem = textProblem(key); !problem.empty()) {
      report.refuse(entry.text(), item.line, "its name " + problem);
      return false;
    }
    std::string text;
    if (!readText(report, item, entry, text)) return false;
    out.insert_or_assign(key, std::move(text));
  }
  return true;
}

bool readSelector(Fields& fields, std::string_view name, LabelSelector& out) {
  const Value* value = fields.take(name);
  if (value == nullptr) return false;
  Report& report = fields.report();
  const Path path = fields.path(name);
  Fields f(report, value, path);
  if (!value->isMap()) return false;
  LabelSelector selector;
  if (const Value* labels = f.take("matchLabels")) {
    const Path at = f.path("matchLabels");
    if (!readTextMap(report, *labels, at, selector.match_labels)) return false;
  }
  if (const Value* list = f.take("matchExpressions")) {
    const Path at = f.path("matchExpressions");
    if (!list->isList()) {
      report.refuse(at.text(), list->line, "must be a list of expressions, but is " + describe(*list));
      return false;
    }
    for (size_t i = 0; i < list->list.size(); ++i) {
      Fields item(report, &list->list[i], Path(&at, i));
      LabelSelector::Expression expression;
      if (!readExpression(item, expression)) return false;
      selector.match_expressions.push_back(std::move(expression));
    }
  }
  f.finish();
  out = std::move(selector);
  return true;
}

bool LabelSelector::matches(const std::map<std::string, std::string>& labels) const {
  for (const auto& [key, value] : match_labels) {
    const auto label = labels.find(key);
    if (label == labels.end() || label->second != value) return false;
  }
  for (const Expression& expression : match_expressions) {
    const auto label = labels.find(expression.key);
    const bool there = label != labels.end();
    const bool listed =
        there && std::find(expression.values.begin(), expression.values.end(), label->second) != expression.values.end();
    switch (expression.op) {
      case LabelSelector::Operator::In:
        if (!listed) return false;
        break;
      case LabelSelector::Operator::NotIn:
        if (listed) return false;
        break;
      case LabelSelector::Operator::Exists:
        if (!there) return false;
        break;
      case LabelSelector::Operator::DoesNotExist:
        if (there) return false;
        break;
    }
  }
  return true;
}

}  // namespace emissary::model
