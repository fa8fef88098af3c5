#include "source/kubernetes/own_namespace.h"

#include <fmt/format.h>

#include <utility>

#include "source/kubernetes/kind_watch.h"
#include "source/kubernetes/trouble.h"

namespace emissary::source {
namespace {

constexpr std::string_view kPath = "kubernetes: own namespace";

std::string pathOf(const KubernetesOptions& options) { return "/api/v1/namespaces/" + kube::escaped(options.ns); }

}  // namespace

void OwnNamespace::stop() {
  shared_.loop.cancel(std::exchange(timer_, 0));
  shared_.client.cancel(std::exchange(call_, 0));
}

void OwnNamespace::ask() {
  kube::Request request;
  request.path = pathOf(shared_.options);
  call_ = shared_.client.send(std::move(request), [this](const kube::Response& response) {
    call_ = 0;
    onAnswer(response);
  });
}

void OwnNamespace::onAnswer(const kube::Response& response) {
  const KubernetesBounds& bounds = shared_.options.bounds;
  // What the server cannot say now changes nothing: what was read last stays in use.
  const bool answered = response.ok() || response.status == 403 || response.status == 404;
  if (response.ok()) found(response);
  if (response.status == 404) lost();
  if (answered) {
    std::vector<Finding> findings;
    if (response.status == 403) {
      Finding& finding = findings.emplace_back();
      finding.severity = Severity::Notice;
      finding.message = refusalText("namespaces/" + shared_.options.ns, "get", response.text()) +
                        "; a Listener that selects namespaces by label takes none of its Hosts";
    }
    outlet_.tell(std::string(kPath), std::move(findings));
    outlet_.flush();
  }
  const bool first = answered && !settled_;
  settled_ |= answered;
  timer_ = shared_.loop.after(shared_.chance.about(settled_ ? bounds.own_namespace : bounds.probe), [this] {
    timer_ = 0;
    ask();
  });
  if (first && on_state) on_state();
}

void OwnNamespace::found(const kube::Response& response) {
  std::string event = fmt::format(R"({{"type":"ADDED","object":{}}})", response.body);
  event.reserve(event.size() + AnswerReader::kPadding);
  const auto read = shared_.reader.readEvent(event, false);
  if (!read) return;
  const Resource& resource = resourceOf(Kind::Namespace);
  ObjectPtr object = objectOf(read->item, resource, resource.versions[0], shared_.options);
  if (!object || (object_ && object_->hash == object->hash)) return;
  object_ = object;
  outlet_.upsert(std::move(object));
}

void OwnNamespace::lost() {
  if (const ObjectPtr object = std::exchange(object_, nullptr)) outlet_.remove(object->ref);
}

}  // namespace emissary::source
