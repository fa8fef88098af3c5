#include "status/lease.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/hash.h"
#include "base/log.h"
#include "base/lower.h"
#include "status/document.h"

namespace emissary::status {
namespace {

using namespace std::chrono_literals;

constexpr auto kLeaseRequest = 5s;  // the most that one may take
constexpr auto kRelease = 2s;
/// Whatever another's record says: a holder that is silent for longer is gone.
constexpr auto kLongest = 60s;
constexpr size_t kLongestName = 63;
constexpr std::string_view kMissing = "missing";

std::string now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return microTime(std::chrono::duration_cast<std::chrono::microseconds>(since).count());
}

std::string textAt(const nlohmann::json& object, const char* outer, const char* inner) {
  const auto it = object.find(outer);
  if (it == object.end() || !it->is_object()) return "";
  const auto value = it->find(inner);
  return value != it->end() && value->is_string() ? value->get<std::string>() : "";
}

int64_t numberAt(const nlohmann::json& object, const char* outer, const char* inner) {
  const auto it = object.find(outer);
  if (it == object.end() || !it->is_object()) return 0;
  const auto value = it->find(inner);
  return value != it->end() && value->is_number_integer() ? value->get<int64_t>() : 0;
}

}  // namespace

std::string leaseName(std::string_view ambassador_id) {
  std::string id = lower(ambassador_id);
  for (char& c : id) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    if (!good) c = '-';
  }
  std::string name = "emissary-status-" + id;
  const bool ends_well = !name.ends_with('-') && !name.ends_with('.') && name.find("..") == std::string::npos &&
                         name.find("-.") == std::string::npos && name.find(".-") == std::string::npos;
  if (id == ambassador_id && ends_well && name.size() <= kLongestName) return name;
  // Another id must not come to the same name.
  std::replace(name.begin(), name.end(), '.', '-');
  return fmt::format("{}-{}", name.substr(0, 40), hashBytes(ambassador_id).hex().substr(0, 8));
}

std::string newIdentity() {
  char hostname[256] = "";
  gethostname(hostname, sizeof hostname - 1);
  std::random_device random;
  return fmt::format("{}_{:08x}{:08x}", hostname, random(), random());
}

Lease::Lease(LeaseOptions options, kube::Loop& loop, kube::Client& client, Events events)
    : options_(std::move(options)),
      loop_(loop),
      client_(client),
      events_(std::move(events)),
      random_(options_.seed != 0 ? options_.seed : std::random_device()()) {}

Lease::~Lease() {
  client_.cancel(call_);
  loop_.cancel(next_);
  loop_.cancel(expiry_);
}

void Lease::start() { look(); }

void Lease::stop(std::function<void()> done) {
  stopping_ = true;
  client_.cancel(call_);
  loop_.cancel(next_);
  const bool held = leads_;
  setLeads(false);
  if (!held || held_.is_null()) {
    loop_.post(std::move(done));
    return;
  }
  stopped_ = std::move(done);
  next_ = loop_.after(kRelease, [this] { released(); });
  release();
}

// A renewal may just have been under way, whose answer would have told the version.
void Lease::release() {
  held_["spec"] = spec(held_, "", false);
  call_ = client_.send({"PUT", path(), held_.dump()}, [this](const kube::Response& put) {
    if (put.status != 409) return released();
    call_ = client_.send({"GET", path(), ""}, [this](const kube::Response& got) {
      Json lease = Json::parse(got.body, nullptr, false);
      if (!got.ok() || !lease.is_object() || textAt(lease, "spec", "holderIdentity") != options_.identity) return released();
      held_ = std::move(lease);
      release();
    });
  });
}

void Lease::released() {
  client_.cancel(call_);
  loop_.cancel(next_);
  if (stopped_) std::exchange(stopped_, nullptr)();
}

std::string Lease::path() const {
  return fmt::format("/apis/coordination.k8s.io/v1/namespaces/{}/leases/{}", options_.ns, options_.name);
}

std::chrono::milliseconds Lease::jittered(std::chrono::milliseconds pause) {
  return pause + std::chrono::milliseconds(std::uniform_int_distribution<int64_t>(0, pause.count() / 5)(random_));
}

void Lease::again(std::chrono::milliseconds pause) {
  loop_.cancel(next_);
  next_ = loop_.after(pause, [this] {
    next_ = 0;
    if (leads_) {
      write(held_, options_.identity, false);
    } else {
      look();
    }
  });
}

void Lease::lookSoon() {
  loop_.cancel(next_);
  next_ = loop_.after(jittered(options_.retry / 10), [this] {
    next_ = 0;
    look();
  });
}

void Lease::look() {
  kube::Request request{"GET", path(), ""};
  request.timeout = kLeaseRequest;
  call_ = client_.send(std::move(request), [this](const kube::Response& response) {
    call_ = 0;
    looked(response);
  });
}

void Lease::looked(const kube::Response& response) {
  if (response.status == 404) {
    // Whoever held it may not know yet that it is deleted.
    const bool known = !leads_ && !seen_.empty();
    if (known && seen_ != kMissing) {
      seen_ = kMissing;
      seen_at_ = loop_.now();
    }
    const bool held = known && loop_.now() - seen_at_ < options_.duration;
    return held ? again(jittered(options_.retry)) : create();
  }
  if (!response.ok()) return failed(response);
  Json lease = Json::parse(response.body, nullptr, false);
  if (!lease.is_object() || textAt(lease, "metadata", "resourceVersion").empty()) return again(jittered(options_.retry));
  judge(std::move(lease));
}

// Somebody else's record counts until it has not changed for as long as it says itself.
void Lease::judge(Json lease) {
  const std::string holder = textAt(lease, "spec", "holderIdentity");
  const std::string version = textAt(lease, "metadata", "uid") + "/" + textAt(lease, "metadata", "resourceVersion");
  if (version != seen_) {
    seen_ = version;
    seen_at_ = loop_.now();
  }
  if (holder == options_.identity) return write(std::move(lease), options_.identity, false);
  const std::chrono::milliseconds theirs =
      std::chrono::seconds(std::clamp<int64_t>(numberAt(lease, "spec", "leaseDurationSeconds"), 0, 86400));
  const std::chrono::milliseconds patience = std::clamp<std::chrono::milliseconds>(
      theirs, options_.duration, std::max<std::chrono::milliseconds>(options_.duration, kLongest));
  if (holder.empty() || loop_.now() - seen_at_ >= patience) return write(std::move(lease), options_.identity, true);
  setLeads(false);
  tell("");
  again(jittered(options_.retry));
}

Lease::Json Lease::spec(const Json& before, const std::string& holder, bool acquire) const {
  const auto it = before.find("spec");
  Json out = it != before.end() && it->is_object() ? *it : Json::object();
  const std::string time = now();
  out["holderIdentity"] = holder;
  out["leaseDurationSeconds"] = holder.empty() ? 1 : std::max<int64_t>(1, options_.duration / 1s);
  out["renewTime"] = time;
  if (acquire) {
    out["acquireTime"] = time;
    out["leaseTransitions"] = std::clamp<int64_t>(numberAt(before, "spec", "leaseTransitions"), 0, 1 << 30) + 1;
  }
  // What another wrote there and the server would refuse of us.
  if (const auto strategy = out.find("strategy"); strategy != out.end()) out.erase(strategy);
  if (const auto preferred = out.find("preferredHolder"); preferred != out.end()) out.erase(preferred);
  return out;
}

void Lease::create() {
  Json lease = {{"apiVersion", "coordination.k8s.io/v1"},
                {"kind", "Lease"},
                {"metadata", {{"name", options_.name}, {"namespace", options_.ns}}}};
  lease["spec"] = spec(lease, options_.identity, true);
  lease["spec"]["leaseTransitions"] = 0;
  std::string all = path();
  all.resize(all.rfind('/'));
  kube::Request request{"POST", std::move(all), lease.dump()};
  request.timeout = kLeaseRequest;
  const Clock::time_point sent = loop_.now();
  call_ = client_.send(std::move(request), [this, sent](const kube::Response& response) {
    call_ = 0;
    if (response.status == 409) return lookSoon();  // another was faster
    wrote(response, sent);
  });
}

void Lease::write(Json lease, const std::string& holder, bool acquire) {
  lease["spec"] = spec(lease, holder, acquire);
  kube::Request request{"PUT", path(), lease.dump()};
  request.timeout = kLeaseRequest;
  const Clock::time_point sent = loop_.now();
  call_ = client_.send(std::move(request), [this, sent](const kube::Response& response) {
    call_ = 0;
    // Another was faster, or it was deleted: see what is there.
    if (response.status == 409 || response.status == 404) return lookSoon();
    wrote(response, sent);
  });
}

void Lease::wrote(const kube::Response& response, Clock::time_point sent) {
  if (!response.ok()) return failed(response);
  Json lease = Json::parse(response.body, nullptr, false);
  if (!lease.is_object() || textAt(lease, "spec", "holderIdentity") != options_.identity) return again(jittered(options_.retry));
  tell("");
  held_ = std::move(lease);
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(options_.renew_within - (loop_.now() - sent));
  loop_.cancel(expiry_);
  expiry_ = 0;
  if (left <= 0ms) {
    setLeads(false);
  } else {
    expiry_ = loop_.after(left, [this] {
      expiry_ = 0;
      log::warn(fmt::format("this instance could not renew its Lease: until it does, {} by it", options_.undone));
      setLeads(false);
    });
    setLeads(true);
  }
  again(jittered(options_.retry));
}

void Lease::failed(const kube::Response& response) {
  if (seen_ == kMissing) seen_at_ = loop_.now();  // it may have come and gone again meanwhile
  if (response.status == 403) {
    tell(
        fmt::format("{}, for the Lease that elects who does it may not be used: {}; grant get, create and update "
                    "on leases.coordination.k8s.io in namespace {}",
                    options_.undone, response.text(), options_.ns));
    if (!leads_) return again(jittered(options_.forbidden_retry));
  } else if (response.status == 404) {
    tell(fmt::format("{}, for the Lease that elects who does it cannot be made: {}", options_.undone, response.text()));
  }
  std::chrono::milliseconds pause = jittered(options_.retry);
  if (response.retry_after)
    pause = std::max<std::chrono::milliseconds>(pause, std::min<std::chrono::milliseconds>(*response.retry_after, 30s));
  again(pause);
}

void Lease::setLeads(bool leads) {
  if (!leads) {
    loop_.cancel(expiry_);
    expiry_ = 0;
  }
  if (std::exchange(leads_, leads) == leads) return;
  if (!stopping_) {
    log::info(fmt::format("this instance {}{}", options_.duty, leads ? "" : " no more"),
              {{"lease", options_.ns + "/" + options_.name}});
  }
  if (events_.leads) events_.leads(leads);
}

void Lease::tell(std::string problem) {
  if (problem == problem_) return;
  problem_ = problem;
  if (events_.problem) events_.problem(std::move(problem));
}

}  // namespace emissary::status
