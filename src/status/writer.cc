#include "status/writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/memory.h"
#include "manifest/parse.h"

namespace emissary::status {
namespace {

using namespace std::chrono_literals;

constexpr auto kRequest = 10s;
constexpr auto kLongestPause = 60s;
/// Items looked at in one turn of the loop.
constexpr int kTurn = 256;
// So many writes leave much memory behind that nobody needs any more.
constexpr size_t kMany = 1000;

/// What the server does not answer, or not now. Nothing else is sent meanwhile.
bool isOutage(int status) { return status == 0 || status == 401 || status == 429 || status >= 500; }
bool isPassing(int status) { return isOutage(status) || status == 408 || status == 409; }

/// The CustomResourceDefinition does not know a field of ours.
bool isUnknownField(const kube::Response& response) {
  return response.body.find("not declared in schema") != std::string::npos ||
         response.body.find("unknown field") != std::string::npos;
}

/// The object that the server answers with.
std::optional<manifest::Value> objectIn(const std::string& body) {
  manifest::ParseResult read = manifest::parse(body);
  const bool good = !read.error && read.documents.size() == 1 && read.documents[0].find("metadata") != nullptr;
  return good ? std::optional(std::move(read.documents[0])) : std::nullopt;
}

}  // namespace

std::string_view writeResultName(WriteResult result) {
  switch (result) {
    case WriteResult::Written: return "written";
    case WriteResult::Gone: return "gone";
    case WriteResult::Forbidden: return "forbidden";
    case WriteResult::Refused: return "refused";
    case WriteResult::Failed: return "failed";
  }
  return "";
}

Writer::Writer(WriterOptions options, kube::Loop& loop, kube::Client& client, Outputs outputs)
    : options_(std::move(options)),
      loop_(loop),
      client_(client),
      outputs_(std::move(outputs)),
      random_(options_.seed != 0 ? options_.seed : std::random_device()()) {}

Writer::~Writer() { lead(false); }

void Writer::want(const std::vector<Desired>& all) {
  const Clock::time_point now = loop_.now();
  for (const Desired& desired : all) {
    Item& item = items_[desired.ref];
    if (!desired.verdict) {
      item.wanted.reset();
      giveUp(item);
      unschedule(desired.ref, item);
      dropIfEmpty(desired.ref);
      continue;
    }
    if (item.wanted == desired) continue;
    item.wanted = desired;
    item.failures = 0;
    item.refused_until = {};
    if (!desired.verdict->waits()) item.waits_since.reset();
    else if (!item.waits_since) item.waits_since = now;
    plan(desired.ref, item);
  }
  pump();
}

void Writer::observe(const model::Sighting& sighting) {
  if (const auto* gone = std::get_if<model::Gone>(&sighting)) {
    const auto it = items_.find(gone->ref);
    if (it == items_.end()) return;
    Item& item = it->second;
    giveUp(item);
    unschedule(gone->ref, item);
    const std::optional<Desired> wanted = std::move(item.wanted);
    item = {};
    item.wanted = wanted;
    dropIfEmpty(gone->ref);
    return;
  }
  const auto& seen = std::get<model::Observed>(sighting);
  Item& item = items_[seen.ref];
  if (item.uid != seen.uid) item.made.reset();
  item.uid = seen.uid;
  item.live = seen.status;
  plan(seen.ref, item);
  pump();
}

void Writer::lead(bool leads) {
  if (std::exchange(leads_, leads) == leads) return;
  if (leads) {
    for (auto& [kind, state] : kinds_) state.plain_until = {};
    for (auto& [ref, item] : items_) plan(ref, item);
    discover();
    pump();
    return;
  }
  for (auto& [ref, item] : items_) {
    giveUp(item);
    item.due.reset();
    item.failures = 0;
  }
  due_.clear();
  outages_ = 0;
  paused_until_ = {};
  discovered_at_.reset();
  client_.cancel(std::exchange(discovery_, 0));
  loop_.cancel(std::exchange(timer_, 0));
}

void Writer::giveUp(Item& item) {
  if (item.call == 0) return;
  client_.cancel(std::exchange(item.call, 0));
  --in_flight_;
}

void Writer::dropIfEmpty(const ObjectRef& ref) {
  const auto it = items_.find(ref);
  if (it == items_.end() || it->second.wanted || it->second.live) return;
  notRefused(ref);
  items_.erase(it);
}

void Writer::schedule(const ObjectRef& ref, Item& item, Clock::time_point at) {
  unschedule(ref, item);
  item.due = at;
  due_.emplace(at, ref);
}

void Writer::unschedule(const ObjectRef& ref, Item& item) {
  if (!item.due) return;
  due_.erase({*item.due, ref});
  item.due.reset();
}

// When to look at it next. Whether anything differs is seen then.
void Writer::plan(const ObjectRef& ref, Item& item) {
  // What the source has not told us of is not on the server.
  if (!leads_ || !item.wanted || !item.live || item.call != 0) return unschedule(ref, item);
  const Clock::time_point now = loop_.now();
  Clock::time_point at = now;
  if (item.waits_since) {
    Verdict answered = *item.wanted->verdict;
    setAnswer(answered, Answer::Confirmed);
    const bool known = settled(item, document(ref, item, answered));
    at = *item.waits_since + (known ? options_.known_answer_wait : options_.answer_wait);
  }
  if (item.failures > 0) at = std::max(at, now + backoff(item.failures));
  schedule(ref, item, std::max({at, now, item.refused_until, kinds_[ref.kind].blocked_until}));
}

void Writer::pump() {
  if (!leads_ || discovery_ != 0) return;
  const Clock::time_point now = loop_.now();
  // While the server is out of order, one request finds out whether it is back.
  const size_t most = outages_ > 0 ? 1 : options_.in_flight;
  int looked = 0;
  while (in_flight_ < most && !due_.empty() && due_.begin()->first <= now && paused_until_ <= now && looked++ < kTurn) {
    const ObjectRef ref = due_.begin()->second;
    Item& item = items_.at(ref);
    unschedule(ref, item);
    begin(ref, item);
    ++begun_;
  }
  if (idle() && std::exchange(begun_, 0) > kMany) memory::giveBack();
  loop_.cancel(std::exchange(timer_, 0));
  if (due_.empty() || in_flight_ >= most) return;
  const Clock::time_point next = std::max({due_.begin()->first, paused_until_, now});
  timer_ = loop_.after(std::chrono::ceil<std::chrono::milliseconds>(next - now), [this] {
    timer_ = 0;
    pump();
  });
}

Shape Writer::shapeOf(Kind kind) const {
  const auto it = kinds_.find(kind);
  return it != kinds_.end() && it->second.plain_until > loop_.now() ? Shape::Plain : Shape::Full;
}

Document Writer::document(const ObjectRef& ref, const Item& item, const Verdict& verdict) const {
  const Times times = transitionTimes(verdict, item.live ? &*item.live : nullptr, options_.wall_clock());
  return documentOf(ref, verdict, item.wanted->generation, shapeOf(ref.kind), times, item.clearing == Item::Clearing::Now);
}

bool Writer::settled(const Item& item, const Document& document) const {
  if (item.live->hash == document.hash) return true;
  return item.made && item.sent == document.hash && item.live->hash == *item.made;
}

void Writer::begin(const ObjectRef& ref, Item& item) {
  if (kinds_[ref.kind].blocked_until > loop_.now()) return plan(ref, item);
  Document content = document(ref, item, *item.wanted->verdict);
  if (settled(item, content)) return;
  kube::Request request;
  request.method = "PATCH";
  request.path = statusPath(ref) + "?fieldManager=" + options_.field_manager + "&force=true";
  request.content_type = "application/apply-patch+yaml";
  request.body = std::move(content.body);
  request.timeout = kRequest;
  ++in_flight_;
  // Of now: the source may see what comes of the write before the answer does.
  const auto done = [this, ref, hash = content.hash, before = *item.live](const kube::Response& response) {
    finished(ref, hash, before, response);
  };
  item.call = client_.send(std::move(request), done);
}

void Writer::finished(const ObjectRef& ref, const Hash128& sent, const model::LiveStatus& before, const kube::Response& response) {
  Item& item = items_.at(ref);
  item.call = 0;
  --in_flight_;
  const bool passing = isPassing(response.status);
  if (response.ok()) {
    written(ref, item, sent, before, response);
  } else if (isUnknownField(response) && shapeOf(ref.kind) == Shape::Full) {
    plain(ref.kind);
  } else if (response.status == 404) {
    missing(ref, item);
  } else if (response.status == 403) {
    count(WriteResult::Forbidden);
    block(ref.kind, Topic::Forbidden, response.text());
  } else if (passing) {
    failed(item, response);
  } else {
    refused(ref, item, response);
  }
  plan(ref, item);
  pump();
}

void Writer::written(const ObjectRef& ref, Item& item, const Hash128& sent, const model::LiveStatus& before,
                     const kube::Response& response) {
  const std::optional<manifest::Value> after = objectIn(response.body);
  if (!after) return failed(item, {0, "", {}, "the answer is no object"});
  count(WriteResult::Written);
  outages_ = 0;
  item.failures = 0;
  item.live = model::readLiveStatus(after->find("status"));
  item.sent = sent;
  item.made = item.live->hash;
  notRefused(ref);
  kinds_[ref.kind].proven = true;
  unblock(ref.kind);
  const auto& now = item.live->conditions;
  const bool kept = std::any_of(now.begin(), now.end(), [](const auto& c) { return c.status != model::ConditionStatus::Absent; });
  if (shapeOf(ref.kind) == Shape::Full) {
    if (!kept) plain(ref.kind);
    else if (kinds_[ref.kind].topics.erase(Topic::NoConditions) > 0) tell(Topic::NoConditions);
  }
  // What is wanted meanwhile is written next, and judged then.
  if (!item.wanted || document(ref, item, *item.wanted->verdict).hash != sent) return;
  announce(ref, item, before);
  if (item.clearing == Item::Clearing::Now) item.clearing = Item::Clearing::Done;
  else if (item.clearing == Item::Clearing::No && holdsForeignReason(after->find("status"), *item.wanted->verdict))
    item.clearing = Item::Clearing::Now;
}

// Deleted a moment ago, as the source will tell; or the server is just starting; or this kind has no status to be written.
void Writer::missing(const ObjectRef& ref, Item& item) {
  count(WriteResult::Gone);
  ++item.failures;
  if (!kinds_[ref.kind].proven) discover();
}

void Writer::failed(Item& item, const kube::Response& response) {
  count(WriteResult::Failed);
  ++item.failures;
  const Clock::time_point now = loop_.now();
  if (!isOutage(response.status) || now < paused_until_) return;
  ++outages_;
  const std::chrono::milliseconds pause =
      response.retry_after ? std::min<std::chrono::milliseconds>(*response.retry_after, kLongestPause) : backoff(outages_);
  paused_until_ = now + pause;
}

std::chrono::milliseconds Writer::backoff(int failures) {
  const auto base = std::min(options_.longest_backoff, options_.first_backoff * (1 << std::min(failures - 1, 16)));
  return base - std::chrono::milliseconds(std::uniform_int_distribution<int64_t>(0, base.count() / 5)(random_));
}

void Writer::count(WriteResult result) const {
  if (outputs_.wrote) outputs_.wrote(result);
}

// ---- Events

void Writer::announce(const ObjectRef& ref, Item& item, const model::LiveStatus& before) {
  if (outputs_.announcer == nullptr) return;
  const Verdict& verdict = *item.wanted->verdict;
  size_t index = 0;
  for (const Condition* condition : {&verdict.accepted, &verdict.resolved_refs, &verdict.programmed}) {
    const model::LiveCondition& was = before.conditions[index++];
    if (condition->status != Truth::False || condition->reason == Reason::NotUsed) continue;
    const std::string_view reason = reasonName(condition->reason);
    const Hash128 text = hashBytes(fmt::format("{}\n{}", reason, condition->message));
    const bool told = was.status == model::ConditionStatus::False && was.reason == hashBytes(reason).low;
    const bool fresh = item.announced ? *item.announced != text : !told;
    item.announced = text;
    if (fresh) outputs_.announcer->warn(ref, item.uid, reason, condition->message);
    return;
  }
}

}  // namespace emissary::status
