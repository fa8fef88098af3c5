#include "source/kubernetes/kubernetes_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/log.h"
#include "compile/host.h"
#include "source/kubernetes/discovery.h"
#include "source/kubernetes/kind_watch.h"
#include "source/kubernetes/own_namespace.h"
#include "source/kubernetes/secrets.h"
#include "source/kubernetes/trouble.h"

namespace emissary::source {
namespace {

constexpr std::string_view kCrdPath = "kubernetes: getambassador.io";

}  // namespace

class KubernetesSource::Impl {
 public:
  Impl(const KubernetesOptions& options, kube::Loop& loop, kube::Client& client, Sink sink, Observer observer)
      : options_(options),
        chance_(options.seed),
        shared_{loop, client, reader_, options_, chance_, stats_},
        outlet_(loop, options_, std::move(sink), std::move(observer)),
        contact_(shared_, outlet_),
        discovery_(shared_),
        secrets_(shared_, outlet_, contact_),
        own_namespace_(shared_, outlet_) {
    outlet_.refer({{{options_.ns, std::string(compile::kFallbackSecret)}, "", false}});
    outlet_.on_references = [this](const std::set<SecretKey>& touched) { secrets_.referencesMoved(touched); };
    secrets_.on_state = [this] { check(); };
    own_namespace_.on_state = [this] { check(); };
    for (const Resource& resource : resources()) {
      if (resource.kind == Kind::Secret || (options_.single_namespace && !resource.namespaced)) continue;
      kinds_.push_back(std::make_unique<KindWatch>(shared_, outlet_, contact_, discovery_, resource));
      kinds_.back()->on_state = [this] { check(); };
    }
    slices_ = find(Kind::EndpointSlice);
    endpoints_ = find(Kind::Endpoints);
    slices_->asSubstituted("; Endpoints are read instead, which hold no more than 1000 addresses");
    slices_->on_refusal = [this] { endpoints_->start(); };
    slices_->on_state = [this] {
      onSlices();
      check();
    };
    endpoints_->on_state = [this] {
      // What slices said before they were refused is old.
      if (endpoints_->state() == KindWatch::State::Listed && !slices_->current()) slices_->forget();
      check();
    };
  }

  void start() {
    started_ = true;
    for (const auto& kind : kinds_) {
      if (kind.get() != endpoints_) kind->start();
    }
    if (options_.single_namespace) own_namespace_.start();
  }

  void stop() {
    started_ = false;
    for (const auto& kind : kinds_) kind->stop();
    secrets_.stop();
    own_namespace_.stop();
    contact_.stop();
    outlet_.stop();
  }

  const KubernetesStats& stats() const { return stats_; }

 private:
  KindWatch* find(Kind kind) const {
    const auto it = std::find_if(kinds_.begin(), kinds_.end(), [kind](const auto& k) { return k->resource().kind == kind; });
    return it == kinds_.end() ? nullptr : it->get();
  }

  void onSlices() {
    if (slices_->current()) {
      endpoints_->stop();
      endpoints_->forget();
    } else if (slices_->state() == KindWatch::State::Absent) {
      endpoints_->start();
    }
  }

  bool settled(const KindWatch& kind) const {
    if (&kind == slices_ || &kind == endpoints_) return slices_->current() || (endpoints_->running() && endpoints_->settled());
    return kind.settled();
  }

  /// Some kind stands otherwise than before.
  void check() {
    if (!started_) return;
    tellMissing();
    const auto ready = [this](const auto& kind) { return settled(*kind); };
    const auto referring = [&](const auto& kind) { return !kind->resource().refers || settled(*kind); };
    if (std::all_of(kinds_.begin(), kinds_.end(), referring)) secrets_.start();
    if (!outlet_.synced() && std::all_of(kinds_.begin(), kinds_.end(), ready) && secrets_.settled() &&
        (!options_.single_namespace || own_namespace_.settled())) {
      log::info("everything on the API server has been read");
      outlet_.sync();
    }
  }

  void tellMissing() {
    size_t ours = 0;
    std::vector<std::string_view> missing;
    for (const auto& kind : kinds_) {
      if (!kind->resource().ours()) continue;
      ++ours;
      if (kind->state() == KindWatch::State::Absent) missing.push_back(kind->resource().plural);
    }
    std::vector<Finding> findings;
    if (!missing.empty()) {
      Finding& finding = findings.emplace_back();
      finding.message =
          missing.size() == ours
              ? fmt::format(
                    "the API server serves no kind of {}/v3alpha1: its CustomResourceDefinitions are not installed. Run: "
                    "emissary crds | kubectl apply --server-side -f -",
                    kOurGroup)
              : fmt::format(
                    "the API server does not serve {} of {}/v3alpha1. Run: emissary crds | kubectl apply --server-side -f -",
                    fmt::join(missing, ", "), kOurGroup);
      if (missing.size() != ours) finding.severity = Severity::Warning;
    }
    outlet_.tell(std::string(kCrdPath), std::move(findings));
  }

  const KubernetesOptions options_;
  KubernetesStats stats_;
  AnswerReader reader_;
  Chance chance_;
  Shared shared_;
  Outlet outlet_;
  Contact contact_;
  Discovery discovery_;
  Secrets secrets_;
  OwnNamespace own_namespace_;
  std::vector<std::unique_ptr<KindWatch>> kinds_;
  KindWatch* slices_ = nullptr;
  KindWatch* endpoints_ = nullptr;
  bool started_ = false;
};

KubernetesSource::KubernetesSource(const KubernetesOptions& options, kube::Loop& loop, kube::Client& client, Sink sink,
                                   Observer observer)
    : impl_(std::make_unique<Impl>(options, loop, client, std::move(sink), std::move(observer))) {}

KubernetesSource::~KubernetesSource() { impl_->stop(); }

void KubernetesSource::start() { impl_->start(); }
void KubernetesSource::stop() { impl_->stop(); }
const KubernetesStats& KubernetesSource::stats() const { return impl_->stats(); }

}  // namespace emissary::source
