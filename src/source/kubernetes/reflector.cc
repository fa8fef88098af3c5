#include "source/kubernetes/reflector.h"

#include <fmt/format.h>

#include <utility>

namespace emissary::source {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// On the bookmark that ends the list at the beginning of a watch.
constexpr std::string_view kInitialEnd = "k8s.io/initial-events-end";

constexpr size_t kLargePage = 16u << 20;
constexpr int kLeastPage = 10;

/// The server's state is older than what we know of: it lags behind, or was set back.
bool saysTooNew(int status, std::string_view text) {
  return (status == 504 || status == 500) && text.find("oo large resource version") != std::string_view::npos;
}

}  // namespace

Reflector::Reflector(Shared& shared, Target target, Feed& feed, KindStats& stats)
    : shared_(shared),
      target_(std::move(target)),
      feed_(feed),
      stats_(stats),
      backoff_(shared.options.bounds.backoff_first, shared.options.bounds.backoff_most),
      page_(std::min(shared.options.bounds.page, target_.page)) {
  shared_.reflectors.insert(this);
}

Reflector::~Reflector() {
  stop();
  shared_.reflectors.erase(this);
}

void Reflector::start() {
  if (running_) return;
  running_ = true;
  version_.clear();
  watch_refused_ = false;
  backoff_.reset();
  list();
}

void Reflector::stop() {
  running_ = false;
  endCall();
  shared_.loop.cancel(std::exchange(timer_, 0));
}

void Reflector::endCall() {
  shared_.client.cancel(std::exchange(call_, 0));
  shared_.loop.cancel(std::exchange(silence_, 0));
  buffer_.clear();
}

void Reflector::again(Next next, milliseconds delay) {
  endCall();
  shared_.loop.cancel(timer_);
  next_ = next;
  passing_ = false;
  timer_ = shared_.loop.after(delay, [this] {
    timer_ = 0;
    next_ == Next::List ? list() : watch();
  });
}

void Reflector::hurry() {
  if (timer_ == 0 || !passing_) return;
  backoff_.reset();
  again(next_, milliseconds(
                   static_cast<int64_t>(shared_.chance.between(0, static_cast<double>(shared_.options.bounds.together.count())))));
}

void Reflector::fail(Failure::What what, std::string text, Next next, std::optional<seconds> retry_after) {
  ++stats_.failures;
  milliseconds wait = backoff_.next(shared_.chance);
  if (retry_after) {
    const milliseconds asked = std::min<milliseconds>(*retry_after, std::chrono::minutes(5));
    wait = std::max(wait, asked);
    not_before_ = shared_.loop.now() + asked;
  }
  again(next, wait);
  passing_ = what == Failure::What::Connection || what == Failure::What::Other;
  feed_.failed({what, std::move(text)});
}

void Reflector::list() {
  more_.clear();
  watching_ = false;
  feed_.begin();
  // Still so: the last one has failed.
  in_pages_ = std::exchange(initial_, false) || in_pages_;
  if (shared_.options.bounds.streaming && !shared_.pages_only && !in_pages_) follow(true);
  else requestPage();
}

void Reflector::requestPage() {
  kube::Request request;
  request.path = fmt::format("{}?limit={}{}", target_.path, page_, target_.selectors);
  if (!more_.empty()) {
    request.path += "&continue=" + kube::escaped(more_);
  } else if (!version_.empty()) {
    // Never back in time, whichever of several servers answers.
    request.path += "&resourceVersion=" + kube::escaped(version_) + "&resourceVersionMatch=NotOlderThan";
  }
  call_ = shared_.client.send(std::move(request), [this](kube::Response response) {
    call_ = 0;
    onPage(std::move(response));
  });
}

void Reflector::onPage(kube::Response response) {
  // Too much at once, or at least for this connection.
  if (response.body.size() > kLargePage || response.status == 0) page_ = std::max(page_ / 2, std::min(page_, kLeastPage));
  if (!response.ok()) {
    return onStatus(response.status, response.text(), response.retry_after, saysTooNew(response.status, response.body), Next::List);
  }
  ListHead head;
  const bool good = shared_.reader.readList(response.body, target_.namespaced, head, [this](const Item& item) { feed_.add(item); });
  if (!good) return fail(Failure::What::Other, "the answer to a list cannot be read", Next::List);
  shared_.stats.last_contact = shared_.loop.now().time_since_epoch().count();
  if (head.more.empty()) return listed(head);
  more_ = head.more;
  requestPage();
}

void Reflector::listed(const ListHead& head) {
  version_ = head.resource_version;
  page_ = std::min(shared_.options.bounds.page, target_.page);
  in_pages_ = false;
  ++stats_.lists;
  if (!watch_refused_) feed_.healthy();
  if (running_) feed_.finish();
  if (running_ && !watching_) watch();
}

void Reflector::watch() { follow(false); }

void Reflector::follow(bool all) {
  const KubernetesBounds& bounds = shared_.options.bounds;
  kube::Request request;
  const auto lasting = static_cast<int64_t>(
      shared_.chance.between(static_cast<double>(bounds.watch_least.count()), static_cast<double>(bounds.watch_most.count())));
  request.path = fmt::format("{}?watch=1&allowWatchBookmarks=true&timeoutSeconds={}{}{}", target_.path, lasting,
                             all && version_.empty() ? "" : "&resourceVersion=" + kube::escaped(version_), target_.selectors);
  if (all) request.path += "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
  ++stats_.watches;
  buffer_.clear();
  late_.clear();
  initial_ = all;
  watching_ = !all;
  heard_ = false;
  began_ = last_byte_ = shared_.loop.now();
  call_ = shared_.client.watch(
      std::move(request), [this](std::string_view piece) { onPiece(piece); },
      [this](const kube::Response& response) {
        call_ = 0;
        onWatchEnd(response);
      });
  silence_ = shared_.loop.after(all ? bounds.stalled : bounds.silence, [this] { checkSilence(); });
}

void Reflector::checkSilence() {
  silence_ = 0;
  const auto quiet = std::chrono::duration_cast<milliseconds>(shared_.loop.now() - last_byte_);
  const milliseconds left = (initial_ ? shared_.options.bounds.stalled : shared_.options.bounds.silence) - quiet;
  if (left > milliseconds(0)) {
    silence_ = shared_.loop.after(left, [this] { checkSilence(); });
    return;
  }
  fail(Failure::What::Connection, fmt::format("nothing has come for {} s", quiet.count() / 1000),
       initial_ ? Next::List : Next::Watch);
}

void Reflector::onPiece(std::string_view piece) {
  last_byte_ = shared_.loop.now();
  shared_.stats.last_contact = last_byte_.time_since_epoch().count();
  watch_refused_ = false;
  if (!std::exchange(heard_, true)) feed_.healthy();
  if (!running_) return;
  // The lines' own bytes stand behind most of them; the last one needs room.
  buffer_.reserve(buffer_.size() + piece.size() + AnswerReader::kPadding);
  buffer_ += piece;
  std::string lines = std::exchange(buffer_, {});
  size_t start = 0;
  bool going = true;
  while (going && running_) {
    const size_t end = lines.find('\n', start == 0 && lines.size() > piece.size() ? lines.size() - piece.size() : start);
    if (end == std::string::npos) break;
    const std::string_view line(lines.data() + start, end - start);
    start = end + 1;
    if (!line.empty()) going = onLine(line);
  }
  if (going && running_) {
    if (lines.size() - start > shared_.options.bounds.max_event_bytes) {
      fail(Failure::What::Other, "an event of a watch is too long", Next::List);
    } else if (start == 0) {
      buffer_ = std::move(lines);
    } else {
      buffer_.assign(lines, start);
    }
  }
  if (running_) feed_.flush();
}

bool Reflector::onLine(std::string_view line) {
  const std::optional<WatchEvent> event = shared_.reader.readEvent(line, target_.namespaced);
  if (!event) {
    fail(Failure::What::Other, "an event of a watch cannot be read", Next::List);
    return false;
  }
  if (event->type == EventType::Error) {
    onError(*event);
    return false;
  }
  if (initial_) return onInitial(*event, line);
  version_ = event->item.resource_version;
  if (event->type == EventType::Bookmark) return true;
  ++stats_.events;
  event->type == EventType::Deleted ? feed_.deleted(event->item) : feed_.changed(event->item);
  return running_;
}

bool Reflector::onInitial(const WatchEvent& event, std::string_view line) {
  if (event.type != EventType::Bookmark) {
    // What has changed since the server took its picture of all objects comes after them, and before the list's end is told.
    if (event.type == EventType::Added && late_.empty()) {
      feed_.add(event.item);
    } else {
      late_.emplace_back(line).reserve(line.size() + AnswerReader::kPadding);
    }
    return running_;
  }
  if (!event.item.annotated(kInitialEnd)) return true;
  const std::string version(event.item.resource_version);
  initial_ = false;
  watching_ = true;
  listed({version, ""});
  for (const std::string& changed : std::exchange(late_, {})) {
    if (!running_ || !onLine(changed)) return false;
  }
  version_ = version;
  return running_;
}

/// Of a list that was to come as a stream. Whatever is wrong with that, pages may do.
void Reflector::onStreamRefused(const kube::Response& response) {
  const int status = response.status;
  const bool unknown = status == 400 || status == 422;
  if (unknown) shared_.pages_only = true;
  if (unknown || status == 403 || status == 405) {
    endCall();
    return list();
  }
  if (status == 200) return fail(Failure::What::Other, "a list that comes as a stream breaks off", Next::List);
  onStatus(status, response.text(), response.retry_after, saysTooNew(status, response.body), Next::List);
}

void Reflector::onError(const WatchEvent& event) {
  const std::string text(event.message.empty() ? std::string_view("the server ends the watch") : event.message);
  onStatus(event.code == 0 ? 500 : event.code, text, {}, saysTooNew(event.code, text), Next::List);
}

void Reflector::onWatchEnd(const kube::Response& response) {
  if (initial_) return onStreamRefused(response);
  const KubernetesBounds& bounds = shared_.options.bounds;
  const auto lived = std::chrono::duration_cast<milliseconds>(shared_.loop.now() - began_);
  if (lived >= bounds.healthy) backoff_.reset();
  if (response.status != 200) {
    // One that was in order. Without a word it was, if it lasted longer than one waits for the beginning of an answer.
    const bool stood = lived >= bounds.healthy && (heard_ || lived > kube::Request().timeout);
    if (response.status == 0 && stood) return again(Next::Watch, milliseconds(0));
    // What a server that is busy or away says of a watch says nothing of the version.
    const bool passing = response.status == 0 || response.status == 429 || response.status >= 500;
    return onStatus(response.status, response.text(), response.retry_after, saysTooNew(response.status, response.body),
                    passing ? Next::Watch : Next::List);
  }
  if (lived >= bounds.short_watch) return again(Next::Watch, milliseconds(0));
  again(Next::Watch, backoff_.next(shared_.chance));
}

void Reflector::onStatus(int status, std::string text, std::optional<seconds> retry_after, bool too_new, Next next) {
  if (too_new) {
    version_.clear();
    return fail(Failure::What::Other, std::move(text), Next::List, retry_after);
  }
  switch (status) {
    case 0: return fail(Failure::What::Connection, std::move(text), next);
    case 404: return fail(Failure::What::NotFound, std::move(text), Next::List);
    case 410: return expired();
    case 401:
    case 408:
    case 429: return fail(Failure::What::Other, std::move(text), next, retry_after);
    default: break;
  }
  const bool refused = status >= 400 && status < 500;
  watch_refused_ = refused && watching_;
  fail(refused ? Failure::What::Refused : Failure::What::Other, std::move(text), next, retry_after);
}

// The version that a list or watch goes on from is too old. Usual after a long silence: the first is no failure.
void Reflector::expired() {
  ++stats_.expired;
  // The newest is asked for where even "not older than this" is refused.
  if (!watching_ && more_.empty()) version_.clear();
  more_.clear();
  const auto now = shared_.loop.now();
  const bool often = expired_at_ != kube::Loop::Clock::time_point() && now - expired_at_ < shared_.options.bounds.healthy;
  expired_at_ = now;
  again(Next::List, often ? backoff_.next(shared_.chance) : milliseconds(0));
}

}  // namespace emissary::source
