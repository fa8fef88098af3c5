#include "source/kubernetes/discovery.h"

#include <utility>
#include <vector>

namespace emissary::source {

Discovery::~Discovery() {
  for (auto& [path, group] : groups_) {
    shared_.client.cancel(group.call);
    shared_.loop.cancel(group.timer);
  }
}

void Discovery::ask(const std::string& group_path, const std::string& plural, const void* who, Answer answer) {
  Group& group = groups_[group_path];
  if (!group.questions.try_emplace(who, Question{plural, std::move(answer)}).second) return;
  if (group.call != 0) return;
  // Who asks first need not wait for the next look of the others.
  shared_.loop.cancel(std::exchange(group.timer, 0));
  group.looks = 0;
  look(group_path);
}

void Discovery::forget(const void* who) {
  for (auto it = groups_.begin(); it != groups_.end();) {
    Group& group = it->second;
    group.questions.erase(who);
    if (!group.questions.empty()) {
      ++it;
      continue;
    }
    shared_.client.cancel(group.call);
    shared_.loop.cancel(group.timer);
    it = groups_.erase(it);
  }
}

void Discovery::look(const std::string& path) {
  kube::Request request;
  request.path = path;
  groups_.at(path).call =
      shared_.client.send(std::move(request), [this, path](kube::Response response) { onAnswer(path, std::move(response)); });
}

void Discovery::onAnswer(const std::string& path, kube::Response response) {
  Group& group = groups_.at(path);
  group.call = 0;
  const KubernetesBounds& bounds = shared_.options.bounds;
  const auto wait = shared_.chance.about(++group.looks == 1 ? bounds.second_look : bounds.discovery);
  group.timer = shared_.loop.after(wait, [this, path] {
    groups_.at(path).timer = 0;
    look(path);
  });
  // Where looking is forbidden, what was asked for has answered 404 itself.
  std::optional<std::set<std::string>> served;
  if (response.ok()) served = shared_.reader.readResources(response.body);
  else if (response.status == 404 || response.status == 403) served.emplace();
  if (!served) return;
  std::vector<const void*> asking;
  for (const auto& [who, question] : group.questions) asking.push_back(who);
  for (const void* who : asking) {
    // An answer may end questions, its own among them.
    const auto it = groups_.find(path);
    if (it == groups_.end()) return;
    const auto question = it->second.questions.find(who);
    if (question == it->second.questions.end()) continue;
    const Answer answer = question->second.answer;
    answer(served->contains(question->second.plural));
  }
}

}  // namespace emissary::source
