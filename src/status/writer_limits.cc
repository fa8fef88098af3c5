// What the cluster lets us write: which kinds have a status, with what fields; what is forbidden or refused, and how it is told.

#include <fmt/format.h>

#include "manifest/parse.h"
#include "status/writer.h"

namespace emissary::status {
namespace {

using namespace std::chrono_literals;

constexpr auto kDiscovery = 5s;
/// Between two looks at what the server serves.
constexpr auto kDiscoverAgain = 10s;

}  // namespace

void Writer::discover() {
  if (discovery_ != 0 || (discovered_at_ && loop_.now() < *discovered_at_ + kDiscoverAgain)) return;
  kube::Request request{"GET", "/apis/getambassador.io/v3alpha1", ""};
  request.timeout = kDiscovery;
  discovered_at_ = loop_.now();
  discovery_ = client_.send(std::move(request), [this](const kube::Response& response) {
    discovery_ = 0;
    discovered(response);
    pump();
  });
}

void Writer::discovered(const kube::Response& response) {
  // What it does not tell is tried.
  const manifest::ParseResult read = manifest::parse(response.ok() ? response.body : "");
  if (read.error || read.documents.size() != 1) return;
  const manifest::Value* resources = read.documents[0].find("resources");
  if (resources == nullptr || !resources->isList()) return;
  std::set<std::string_view> names;
  for (const manifest::Value& resource : resources->list) names.insert(resource.text("name"));
  for (const Kind kind : kKinds) {
    const std::string plural = pluralOf(kind);
    if (!names.contains(plural)) continue;
    if (!names.contains(plural + "/status")) block(kind, Topic::NoSubresource, "");
    else if (kinds_[kind].topics.contains(Topic::NoSubresource)) unblock(kind);
  }
}

void Writer::block(Kind kind, Topic topic, const std::string& why) {
  KindState& state = kinds_[kind];
  state.blocked_until = loop_.now() + options_.refused_retry;
  state.topics.insert(topic);
  state.why = why;
  tell(topic);
}

void Writer::unblock(Kind kind) {
  KindState& state = kinds_[kind];
  state.blocked_until = {};
  for (const Topic topic : {Topic::NoSubresource, Topic::Forbidden}) {
    if (state.topics.erase(topic) == 0) continue;
    tell(topic);
    if (topic == Topic::NoSubresource) discover();  // others may have come with it
  }
}

void Writer::tell(Topic topic) {
  std::string kinds, subresources, why;
  for (const auto& [kind, state] : kinds_) {
    if (!state.topics.contains(topic)) continue;
    kinds += (kinds.empty() ? "" : ", ") + pluralOf(kind);
    subresources += (subresources.empty() ? "" : ", ") + pluralOf(kind) + "/status";
    if (why.empty()) why = state.why;
  }
  constexpr std::string_view kCrds = "install this version's: emissary crds | kubectl apply --server-side -f -";
  std::string name, text;
  switch (topic) {
    case Topic::NoSubresource:
      name = "subresource";
      text =
          fmt::format("no status is written to {}, whose CustomResourceDefinitions have no status subresource; {}", kinds, kCrds);
      break;
    case Topic::NoConditions:
      name = "conditions";
      text = fmt::format("the status of {} tells state and reason only, for their CustomResourceDefinitions have no conditions; {}",
                         kinds, kCrds);
      break;
    case Topic::Forbidden:
      name = "forbidden";
      text = fmt::format("no status is written to {}, for it is forbidden: {}; grant patch on {} of getambassador.io", kinds, why,
                         subresources);
      break;
  }
  if (outputs_.problem) outputs_.problem(name, kinds.empty() ? "" : text);
}

void Writer::plain(Kind kind) {
  kinds_[kind].plain_until = loop_.now() + options_.refused_retry;
  kinds_[kind].topics.insert(Topic::NoConditions);
  tell(Topic::NoConditions);
}

void Writer::refused(const ObjectRef& ref, Item& item, const kube::Response& response) {
  count(WriteResult::Refused);
  item.refused_until = loop_.now() + options_.refused_retry;
  refused_[ref] = response.text();
  const auto& [first, why] = *refused_.begin();
  if (outputs_.problem) {
    outputs_.problem("refused",
                     fmt::format("the API server refuses the status of {}{}: {}", first.text(),
                                 refused_.size() > 1 ? fmt::format(" and {} more objects", refused_.size() - 1) : "", why));
  }
}

void Writer::notRefused(const ObjectRef& ref) {
  if (refused_.erase(ref) > 0 && refused_.empty() && outputs_.problem) outputs_.problem("refused", "");
}

}  // namespace emissary::status
