#include "source/kubernetes/trouble.h"

#include <fmt/format.h>

#include <utility>

#include "base/log.h"
#include "model/text.h"

namespace emissary::source {
namespace {

constexpr std::string_view kServerPath = "kubernetes: API server";
constexpr size_t kMaxText = 400;

/// `User "system:serviceaccount:edge:gateway"` → "the ServiceAccount edge/gateway".
std::string accountIn(std::string_view text) {
  constexpr std::string_view kUser = "User \"", kAccount = "system:serviceaccount:";
  const size_t at = text.find(kUser);
  if (at == std::string_view::npos) return "the account it runs as";
  const std::string_view rest = text.substr(at + kUser.size());
  const std::string_view user = rest.substr(0, rest.find('"'));
  if (!user.starts_with(kAccount)) return fmt::format("the user {}", model::quoted(user));
  std::string name(user.substr(kAccount.size()));
  if (const size_t colon = name.find(':'); colon != std::string::npos) name[colon] = '/';
  return "the ServiceAccount " + model::printable(name, 200);
}

}  // namespace

std::string refusalText(const std::string& name, const std::string& verbs, const std::string& server_text) {
  return fmt::format("{} may not be read; grant {} on {} to {}. The API server says: {}", name, verbs, name, accountIn(server_text),
                     model::printable(server_text, kMaxText));
}

void Contact::lost(const std::string& text) {
  const auto now = shared_.loop.now();
  if (!std::exchange(lost_, true)) {
    since_ = now;
    text_.clear();
    log::warn("the API server cannot be reached; trying again", {{"problem", model::printable(text, kMaxText)}});
  }
  lookOut();
  if (now - since_ < shared_.options.bounds.trouble_patience) return;
  // Not that of each try: what is told should stand still.
  if (text_.empty()) text_ = model::printable(text, kMaxText);
  Finding finding;
  finding.message = fmt::format("the API server cannot be reached: {}; what was read last stays in use until it answers", text_);
  outlet_.tell(std::string(kServerPath), {std::move(finding)});
}

void Contact::regained() {
  if (!std::exchange(lost_, false)) return;
  log::info("the API server answers again");
  outlet_.tell(std::string(kServerPath), {});
}

void Contact::stop() {
  shared_.loop.cancel(std::exchange(timer_, 0));
  shared_.client.cancel(std::exchange(call_, 0));
}

void Contact::lookOut() {
  if (timer_ != 0 || call_ != 0) return;
  timer_ = shared_.loop.after(shared_.chance.about(shared_.options.bounds.probe), [this] {
    timer_ = 0;
    look();
  });
}

void Contact::look() {
  kube::Request request;
  request.path = "/readyz";
  request.timeout = std::chrono::seconds(5);
  call_ = shared_.client.send(std::move(request), [this](const kube::Response& response) {
    call_ = 0;
    // One that does not let us ask this is there.
    if (response.status == 0 || response.status >= 500) return lookOut();
    answered_ = shared_.loop.now();
    regained();
    outlet_.flush();
    for (Reflector* reflector : shared_.reflectors) reflector->hurry();
  });
}

Trouble::Trouble(Shared& shared, Outlet& outlet, Contact& contact, std::string name)
    : refused_patience(shared.options.bounds.forbidden_patience),
      shared_(shared),
      outlet_(outlet),
      contact_(contact),
      name_(std::move(name)) {}

void Trouble::end() { shared_.loop.cancel(std::exchange(timer_, 0)); }

void Trouble::failed(const Failure& failure) {
  if (failure.what == Failure::What::Connection) {
    if (!unreached_) unreached_ = shared_.loop.now();
    if (!contact_.answeredSince(*unreached_)) return contact_.lost(failure.text);
  } else {
    contact_.regained();
  }
  if (failure.what == Failure::What::NotFound) return;  // whether it is served is asked elsewhere
  const bool refused = failure.what == Failure::What::Refused;
  const auto now = shared_.loop.now();
  if (failing_ && refused == refused_) {
    // A watch that begins well may be quiet for a minute: only another failure shows that it lasts.
    if (!refused && now - since_ >= shared_.options.bounds.trouble_patience) tell();
    return;
  }
  end();
  failing_ = true;
  since_ = now;
  refused_ = refused;
  text_ = refused ? refusalText(name_, "list and watch", failure.text) + consequence
                  : fmt::format("{} cannot be read: {}; what was read last stays in use", name_,
                                model::printable(failure.text, kMaxText));
  log::warn("reading from the API server fails; trying again",
            {{"resource", name_}, {"problem", model::printable(failure.text, kMaxText)}});
  if (!refused) return;
  timer_ = shared_.loop.after(refused_patience, [this] {
    timer_ = 0;
    tell();
    if (on_refused) on_refused();
    outlet_.flush();
  });
}

void Trouble::tell() {
  Finding finding;
  finding.severity = severity;
  finding.message = text_;
  outlet_.tell("kubernetes: " + name_, {std::move(finding)});
}

void Trouble::over() {
  contact_.regained();
  unreached_.reset();
  if (!failing_) return;
  log::info("reading from the API server works again", {{"resource", name_}});
  withdraw();
}

void Trouble::withdraw() {
  end();
  failing_ = refused_ = false;
  outlet_.tell("kubernetes: " + name_, {});
}

}  // namespace emissary::source
