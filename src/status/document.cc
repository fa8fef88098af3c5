#include "status/document.h"

#include <fmt/format.h>

#include "base/lower.h"

namespace emissary::status {
namespace {

using manifest::Value;

Value text(std::string_view content) {
  Value out;
  out.type = Value::Type::String;
  out.string = content;
  return out;
}

Value number(int64_t content) {
  Value out;
  out.type = Value::Type::Int;
  out.integer = content;
  return out;
}

Value map() {
  Value out;
  out.type = Value::Type::Map;
  return out;
}

std::array<const Condition*, model::kConditionTypes> conditionsOf(const Verdict& verdict) {
  return {&verdict.accepted, &verdict.resolved_refs, &verdict.programmed};
}

Value conditions(const Verdict& verdict, int64_t generation, const Times& times) {
  Value out;
  out.type = Value::Type::List;
  size_t index = 0;
  for (const Condition* condition : conditionsOf(verdict)) {
    Value one = map();
    one.map.emplace_back("type", text(model::conditionTypeName(static_cast<model::ConditionType>(index))));
    one.map.emplace_back("status", text(truthName(condition->status)));
    one.map.emplace_back("reason", text(reasonName(condition->reason)));
    one.map.emplace_back("message", text(condition->message));
    one.map.emplace_back("lastTransitionTime", text(model::timeOf(times[index])));
    one.map.emplace_back("observedGeneration", number(generation));
    out.list.push_back(std::move(one));
    ++index;
  }
  return out;
}

Value statusOf(const ObjectRef& ref, const Verdict& verdict, int64_t generation, Shape shape, const Times& times, bool clearing) {
  Value out = map();
  const bool host = ref.kind == Kind::Host;
  if (shape == Shape::Full) out.map.emplace_back("conditions", conditions(verdict, generation, times));
  const std::string_view state = host ? (verdict.active ? "Ready" : "Error") : (verdict.active ? "Running" : "Inactive");
  out.map.emplace_back("state", text(state));
  if (!verdict.problem.empty() || clearing) {
    if (!host || shape == Shape::Full) out.map.emplace_back("reason", text(verdict.problem));
    if (host) out.map.emplace_back("errorReason", text(verdict.problem));
  }
  if (verdict.certificate != CertificateSource::NotTold) {
    out.map.emplace_back("tlsCertificateSource", text(verdict.certificate == CertificateSource::None ? "None" : "Other"));
  }
  return out;
}

}  // namespace

Times transitionTimes(const Verdict& verdict, const model::LiveStatus* live, int64_t now) {
  Times out;
  size_t index = 0;
  for (const Condition* condition : conditionsOf(verdict)) {
    const model::LiveCondition before = live != nullptr ? live->conditions[index] : model::LiveCondition{};
    const bool same = before.last_transition > 0 && model::conditionStatusName(before.status) == truthName(condition->status);
    out[index++] = same ? before.last_transition : now;
  }
  return out;
}

Document documentOf(const ObjectRef& ref, const Verdict& verdict, int64_t generation, Shape shape, const Times& times,
                    bool clearing) {
  Document out;
  Value status = statusOf(ref, verdict, generation, shape, times, clearing);
  out.hash = model::readLiveStatus(&status).hash;
  Value object = map(), metadata = map();
  metadata.map.emplace_back("name", text(ref.name));
  metadata.map.emplace_back("namespace", text(ref.ns));
  object.map.emplace_back("apiVersion", text("getambassador.io/v3alpha1"));
  object.map.emplace_back("kind", text(kindName(ref.kind)));
  object.map.emplace_back("metadata", std::move(metadata));
  object.map.emplace_back("status", std::move(status));
  out.body = object.canonical();
  return out;
}

bool holdsForeignReason(const Value* status, const Verdict& verdict) {
  if (status == nullptr || !verdict.problem.empty()) return false;
  return !status->text("reason").empty() || !status->text("errorReason").empty();
}

std::string pluralOf(Kind kind) { return lower(kindName(kind)) + "s"; }

std::string statusPath(const ObjectRef& ref) {
  return fmt::format("/apis/getambassador.io/v3alpha1/namespaces/{}/{}/{}/status", ref.ns, pluralOf(ref.kind), ref.name);
}

std::string microTime(int64_t microseconds) {
  std::string out = model::timeOf(microseconds / 1'000'000);
  out.pop_back();
  return fmt::format("{}.{:06}Z", out, microseconds % 1'000'000);
}

}  // namespace emissary::status
