#include "webhook/keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/base64.h"
#include "base/log.h"
#include "webhook/json.h"

namespace emissary::webhook {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

constexpr auto kTick = 10s;
/// From the moment at which all CRDs trust an authority until API servers have surely noticed.
constexpr auto kSettled = 5s;
constexpr int64_t kRenewBefore = 14 * kDay;
/// How long the authority before is trusted too.
constexpr int64_t kOverlap = 3600;
/// Of what CRDs trust when the Secret is gone.
constexpr size_t kMostPrevious = 4;
constexpr std::string_view kPrevious = "previous.crt";

std::string dataAt(const Json& secret, std::string_view key) {
  return decodeBase64(textAt(secret, fmt::format("/data/{}", key))).value_or("");
}

std::string joined(const std::vector<std::string>& certificates) {
  std::string out;
  for (const std::string& certificate : certificates) out += certificate;
  return out;
}

/// The authority's certificate, as CRDs hold it.
std::string certificateOf(const Pair& authority) {
  const std::vector<std::string> all = certificatesIn(authority.certificate);
  return all.empty() ? std::string() : all.front();
}

std::string labelSelector(const std::string& selector) {
  return selector.empty() ? "" : "&labelSelector=" + kube::escaped(selector);
}

status::LeaseOptions leaseOptions(const KeeperOptions& options) {
  status::LeaseOptions out;
  out.ns = options.service.ns;
  out.name = kLeaseName;
  out.identity = options.identity;
  out.duty = "keeps the webhook's authority and the CRDs that trust it";
  out.undone = "neither the webhook's authority nor the CRDs that trust it are kept";
  return out;
}

}  // namespace

std::vector<std::string> namesOf(const ServiceName& service) {
  const std::string base = service.name + "." + service.ns;
  return {service.name, base, base + ".svc", base + ".svc.cluster.local"};
}

Keeper::Keeper(KeeperOptions options, kube::Loop& loop, kube::Client& client, Show show, Count count)
    : options_(std::move(options)),
      loop_(loop),
      client_(client),
      show_(std::move(show)),
      count_(std::move(count)),
      secrets_(loop, client, fmt::format("/api/v1/namespaces/{}/secrets", kube::escaped(options_.service.ns)),
               fmt::format("&fieldSelector=metadata.name%3D{}", kSecretName),
               {[this] {
                  secret_text_.clear();
                  authority_ = {};
                  previous_.clear();
                  going_ = false;
                },
                [this](const Json& secret) { readSecret(secret); }, [this] { secretsRead(); },
                [this](const std::string& why) {
                  tell("secret", why.empty()
                                     ? ""
                                     : fmt::format("the Secret {}/{} cannot be read: {}", options_.service.ns, kSecretName, why));
                }}),
      crds_follower_(loop, client, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", labelSelector(options_.crd_selector),
                     {[this] { reading_.clear(); },
                      [this](const Json& crd) {
                        if (auto read = readCrd(crd, options_.service)) reading_.push_back(std::move(*read));
                      },
                      [this] { crdsRead(); },
                      [this](const std::string& why) {
                        tell("crds", why.empty() ? "" : fmt::format("CustomResourceDefinitions cannot be read: {}", why));
                      }}) {
  if (!options_.manage_ca && !options_.manage_crds) return;
  lease_.emplace(
      leaseOptions(options_), loop, client,
      status::Lease::Events{[this](bool) { soon(0ms); }, [this](const std::string& problem) { tell("lease", problem); }});
}

Keeper::~Keeper() {
  client_.cancel(secret_call_);
  for (const auto& [name, call] : crd_calls_) client_.cancel(call);
  loop_.cancel(tick_);
  loop_.cancel(soon_);
}

void Keeper::start() {
  secrets_.start();
  crds_follower_.start();
  if (lease_) lease_->start();
  tick();
}

void Keeper::stop(std::function<void()> done) {
  if (lease_) return lease_->stop(std::move(done));
  loop_.post(std::move(done));
}

// ---- what is read

void Keeper::readSecret(const Json& secret) {
  if (textAt(secret, "/metadata/name") != kSecretName) return;
  secret_text_ = secret.dump(-1, ' ', false, Json::error_handler_t::replace);
  going_ = secret.contains(Json::json_pointer("/metadata/deletionTimestamp"));
  authority_ = {dataAt(secret, "tls.crt"), dataAt(secret, "tls.key")};
  previous_ = dataAt(secret, kPrevious);
}

void Keeper::secretsRead() {
  secret_known_ = true;
  evaluate();
}

void Keeper::crdsRead() {
  crds_ = std::move(reading_);
  reading_.clear();
  crds_known_ = true;
  evaluate();
}

void Keeper::tick() {
  tick_ = loop_.after(kTick, [this] { tick(); });
  evaluate();
}

void Keeper::soon(std::chrono::milliseconds pause) {
  loop_.cancel(soon_);
  soon_ = loop_.after(pause, [this] {
    soon_ = 0;
    evaluate();
  });
}

void Keeper::evaluate() {
  const int64_t now = options_.wall_clock();
  authority_problem_ = secret_text_.empty() ? "there is none" : going_ ? "it is being deleted" : authorityProblem(authority_, now);
  std::erase_if(retired_, [&](const auto& entry) { return entry.second <= now; });
  if (secret_known_) choose();
  if (leads()) {
    keepAuthority();
    keepCrds();
  }
  if (crds_known_) count_(crds_.size(), shown_ ? trusting(shown_->authority) : 0);
  ready_ = shown_ && crds_known_ && now < shown_->not_after && allTrust(shown_->authority);
  if (!options_.manage_ca && secret_known_) {
    tell("authority", authority_problem_.empty() ? ""
                                                 : fmt::format("the Secret {}/{} cannot be used: {}", options_.service.ns,
                                                               kSecretName, authority_problem_));
  }
}

// ---- what is shown

size_t Keeper::trusting(std::string_view authority) const {
  return static_cast<size_t>(std::count_if(crds_.begin(), crds_.end(), [&](const Crd& crd) { return crd.trusts(authority); }));
}

void Keeper::choose() {
  if (!authority_problem_.empty()) return;  // what was signed before is as good as it was
  const int64_t now = options_.wall_clock();
  const std::string authority = certificateOf(authority_);
  if (!shown_ || now >= shown_->not_after) return show(now);
  if (shown_->authority == authority) {
    trusted_since_.reset();
    if (now >= shown_->made + (shown_->not_after - shown_->made) * 2 / 3) show(now);
    return;
  }
  if (!crds_known_ || !allTrust(authority)) {
    trusted_since_.reset();
    return;
  }
  if (!trusted_since_) trusted_since_ = loop_.now();
  const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(loop_.now() - *trusted_since_);
  if (waited >= kSettled) return show(now);
  soon(kSettled - waited);
}

void Keeper::show(int64_t now) {
  const Pair pair = newServer(authority_, namesOf(options_.service), now);
  const std::string authority = certificateOf(authority_);
  const bool other = shown_ && shown_->authority != authority;
  if (other) retired_[shown_->authority] = now + kOverlap;
  shown_ = Shown{authority, now, validityOf(pair.certificate).not_after};
  trusted_since_.reset();
  log::info(other ? "showing a certificate of another authority" : "showing a new certificate");
  show_(pair);
}

// ---- the authority

void Keeper::keepAuthority() {
  if (!options_.manage_ca || !secret_known_ || secret_call_ != 0 || loop_.now() < secret_not_before_ || going_) return;
  const bool usable = authority_problem_.empty();
  if (usable && options_.wall_clock() < validityOf(authority_.certificate).not_after - kRenewBefore) return;
  // What CRDs trust is carried over, so it has to be known.
  if (!crds_known_) return;
  log::info("making a new authority for the webhook", {{"why", usable ? "it expires soon" : authority_problem_}});
  writeAuthority();
}

void Keeper::writeAuthority() {
  const int64_t now = options_.wall_clock();
  const Pair made = newAuthority(now);
  std::vector<std::string> before;
  if (shown_) before.push_back(shown_->authority);
  // Without a memory of our own: whom API servers trust is whose certificates the other replicas show.
  for (const std::string& trusted : trustedNow()) {
    if (!shown_ && before.size() < kMostPrevious && isAuthority(trusted) && now < validityOf(trusted).not_after)
      before.push_back(trusted);
  }
  Json secret = secret_text_.empty() ? Json() : Json::parse(secret_text_);
  const bool create = secret.is_null();
  if (create) {
    secret = {{"apiVersion", "v1"}, {"kind", "Secret"}, {"type", "kubernetes.io/tls"}};
    secret["metadata"] = {{"name", kSecretName}, {"namespace", options_.service.ns}};
    secret["metadata"]["labels"] = {{"app.kubernetes.io/part-of", "emissary-ingress"}};
  }
  if (!secret["data"].is_object()) secret["data"] = Json::object();
  secret["data"]["tls.crt"] = encodeBase64(made.certificate);
  secret["data"]["tls.key"] = encodeBase64(made.key);
  secret["data"][std::string(kPrevious)] = encodeBase64(joined(before));
  std::string path = fmt::format("/api/v1/namespaces/{}/secrets", kube::escaped(options_.service.ns));
  if (!create) path += fmt::format("/{}", kSecretName);
  secret_call_ = client_.send({create ? "POST" : "PUT", std::move(path), secret.dump()}, [this](const kube::Response& response) {
    secret_call_ = 0;
    wroteAuthority(response);
  });
}

void Keeper::wroteAuthority(const kube::Response& response) {
  const bool passing = response.ok() || response.status == 409;
  tell("write-secret",
       passing ? "" : fmt::format("the Secret {}/{} cannot be written: {}", options_.service.ns, kSecretName, response.text()));
  secret_not_before_ = loop_.now() + (passing ? 0ms : std::chrono::milliseconds(kTick));
  secret_known_ = false;
  secrets_.hurry();
}

// ---- the CRDs

/// In the order of the CRDs, each once.
std::vector<std::string> Keeper::trustedNow() const {
  std::vector<std::string> out;
  for (const Crd& crd : crds_) {
    for (const std::string& certificate : crd.trusted) {
      if (std::find(out.begin(), out.end(), certificate) == out.end()) out.push_back(certificate);
    }
  }
  return out;
}

std::vector<std::string> Keeper::bundle() const {
  const int64_t now = options_.wall_clock();
  std::vector<std::string> out = {certificateOf(authority_)};
  const auto add = [&](const std::string& certificate) {
    const bool there = std::find(out.begin(), out.end(), certificate) != out.end();
    if (!there && now < validityOf(certificate).not_after) out.push_back(certificate);
  };
  if (now < validityOf(authority_.certificate).not_before + kBackdated + kOverlap) {
    for (const std::string& certificate : certificatesIn(previous_)) add(certificate);
  }
  if (shown_) add(shown_->authority);
  for (const auto& [certificate, until] : retired_) add(certificate);
  return out;
}

void Keeper::keepCrds() {
  if (!options_.manage_crds || !crds_known_ || !secret_known_ || !authority_problem_.empty()) return;
  const std::vector<std::string> wanted = bundle();
  for (const Crd& crd : crds_) {
    if (crd.leads_here && crd.trusted == wanted) continue;
    if (crd_calls_.contains(crd.name)) continue;
    const auto not_before = crd_not_before_.find(crd.name);
    if (not_before != crd_not_before_.end() && loop_.now() < not_before->second) continue;
    writeCrd(crd, wanted);
  }
}

void Keeper::writeCrd(const Crd& crd, const std::vector<std::string>& bundle) {
  std::string path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/" + kube::escaped(crd.name);
  crd_calls_[crd.name] = client_.send({"PUT", std::move(path), converting(crd, options_.service, bundle)},
                                      [this, name = crd.name](const kube::Response& response) { wroteCrd(name, response); });
}

void Keeper::wroteCrd(const std::string& name, const kube::Response& response) {
  crd_calls_.erase(name);
  const bool passing = response.ok() || response.status == 409 || response.status == 404;
  tell("write-crd " + name,
       passing ? "" : fmt::format("the CustomResourceDefinition {} cannot be written: {}", name, response.text()));
  if (response.ok()) log::info("a CRD now leads to the webhook and trusts its authority", {{"crd", name}});
  crd_not_before_[name] = loop_.now() + (response.ok() ? 0ms : passing ? 200ms : std::chrono::milliseconds(kTick));
  const auto read = response.ok() ? readCrd(Json::parse(response.body, nullptr, false), options_.service) : std::nullopt;
  const auto known = std::find_if(crds_.begin(), crds_.end(), [&](const Crd& crd) { return crd.name == name; });
  if (read && known != crds_.end()) *known = *read;
  if (response.status == 409 || response.status == 404) crds_follower_.hurry();
  soon(0ms);
}

void Keeper::tell(const std::string& topic, const std::string& problem) {
  std::string& last = problems_[topic];
  if (last == problem) return;
  last = problem;
  problem.empty() ? log::info("that is well again", {{"what", topic}}) : log::warn(problem);
}

}  // namespace emissary::webhook
