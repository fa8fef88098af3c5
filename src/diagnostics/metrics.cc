#include "diagnostics/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <mutex>

#include "diagnostics/process.h"

namespace emissary::diagnostics {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;

const Histogram::BucketBoundaries kSeconds = {0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10};

double seconds(Metrics::Time from, Metrics::Time to) { return std::chrono::duration<double>(to - from).count(); }

std::string label(std::string_view text) { return std::string(text); }

}  // namespace

class Metrics::Impl {
 public:
  explicit Impl(Identity identity) : identity_(std::move(identity)) {
    tellIdentity();
    debug_.Set(identity_.debug ? 1 : 0);
    // Every series exists from the start, so that its first increase can be seen.
    for (int i = 0; i < serve::kTypes; ++i) {
      const auto type = static_cast<serve::Type>(i);
      const prometheus::Labels labels = {{"type", label(serve::typeLabel(type))}};
      resources_[i] = &resources_family_.Add(labels);
      bytes_[i] = &bytes_family_.Add(labels);
      nacks_[i] = &nacks_family_.Add(labels);
    }
    for (size_t i = 0; i < engine::kTables; ++i) {
      evaluations_[i] = &evaluations_family_.Add({{"table", label(engine::tableName(static_cast<engine::Table>(i)))}});
    }
    compile_ = &change_family_.Add({{"stage", "compile"}}, kSeconds);
    generate_ = &change_family_.Add({{"stage", "generate"}}, kSeconds);
    sent_ = &change_family_.Add({{"stage", "sent"}}, kSeconds);
    acked_ = &change_family_.Add({{"stage", "acked"}}, kSeconds);
  }

  void cluster(const std::string& id) {
    std::lock_guard lock(identity_mutex_);
    if (id == identity_.cluster_id) return;
    identity_.cluster_id = id;
    info_family_.Remove(info_);
    tellIdentity();
  }
  void tellIdentity() {
    info_ = &info_family_.Add({{"version", identity_.version},
                               {"ambassador_id", identity_.ambassador_id},
                               {"cluster_id", identity_.cluster_id},
                               {"single_namespace", identity_.single_namespace ? "true" : "false"}});
    info_->Set(1);
  }

  void objects(const std::map<Kind, engine::ObjectCounts>& counts) {
    for (auto& [kind, gauges] : objects_) {
      if (!counts.contains(kind)) setObjects(gauges, {});
    }
    for (const auto& [kind, count] : counts) {
      auto [it, added] = objects_.try_emplace(kind);
      if (added) {
        const std::string name = label(kindName(kind));
        it->second = {&objects_family_.Add({{"kind", name}, {"state", "seen"}}),
                      &objects_family_.Add({{"kind", name}, {"state", "accepted"}}),
                      &objects_family_.Add({{"kind", name}, {"state", "rejected"}})};
      }
      setObjects(it->second, count);
    }
  }

  /// Series of certificates that are shown no longer go.
  void certificates(const std::vector<engine::CertificateUse>& all) {
    std::map<ObjectRef, Gauge*> now;
    for (const engine::CertificateUse& use : all) {
      const auto it = certificates_.find(use.secret);
      Gauge* gauge = it != certificates_.end()
                         ? it->second
                         : &certificates_family_.Add({{"namespace", use.secret.ns}, {"secret", use.secret.name}});
      gauge->Set(static_cast<double>(use.not_after));
      now.emplace(use.secret, gauge);
    }
    for (const auto& [secret, gauge] : certificates_) {
      if (!now.contains(secret)) certificates_family_.Remove(gauge);
    }
    certificates_ = std::move(now);
  }

  struct ObjectGauges {
    Gauge* seen = nullptr;
    Gauge* accepted = nullptr;
    Gauge* rejected = nullptr;
  };
  static void setObjects(ObjectGauges& gauges, const engine::ObjectCounts& count) {
    gauges.seen->Set(static_cast<double>(count.accepted + count.rejected));
    gauges.accepted->Set(static_cast<double>(count.accepted));
    gauges.rejected->Set(static_cast<double>(count.rejected));
  }

  /// Published and not yet sent, or not yet answered, with their arrival; at most kPending, the oldest forgotten, for when no
  /// Envoy is connected.
  using Pending = std::map<uint64_t, Time>;
  static constexpr size_t kPending = 4096;
  static void observe(Pending& pending, uint64_t generation, Time now, Histogram& histogram) {
    const auto end = pending.upper_bound(generation);
    for (auto it = pending.begin(); it != end; ++it) histogram.Observe(seconds(it->second, now));
    pending.erase(pending.begin(), end);
  }
  static void remember(Pending& pending, uint64_t generation, Time arrived) {
    pending.emplace(generation, arrived);
    if (pending.size() > kPending) pending.erase(pending.begin());
  }

  std::mutex mutex_;  // of what follows; the metric objects themselves are thread-safe
  Pending unsent_, unanswered_;
  std::map<Kind, ObjectGauges> objects_;
  std::map<ObjectRef, Gauge*> certificates_;
  std::array<uint64_t, engine::kTables> evaluations_seen_{};

  prometheus::Registry registry_;
  Family<Gauge>& info_family_ =
      BuildGauge().Name("ambassador_diagnostics_info").Help("Which installation this is.").Register(registry_);
  std::mutex identity_mutex_;
  Identity identity_;
  Gauge* info_ = nullptr;
  Gauge& generation_ =
      BuildGauge().Name("emissary_config_generation").Help("Configurations published.").Register(registry_).Add({});
  Gauge& acked_generation_ = BuildGauge()
                                 .Name("emissary_config_acked_generation")
                                 .Help("The newest configuration that Envoy answered in full.")
                                 .Register(registry_)
                                 .Add({});
  Gauge& refused_ =
      BuildGauge().Name("emissary_xds_refused_resources").Help("Resources that Envoy refuses now.").Register(registry_).Add({});
  Gauge& held_ = BuildGauge()
                     .Name("emissary_xds_held_route_configurations")
                     .Help("Route configurations that wait too long for their clusters.")
                     .Register(registry_)
                     .Add({});
  Gauge& streams_ = BuildGauge().Name("emissary_xds_streams").Help("Envoys connected.").Register(registry_).Add({});
  Gauge& errors_ =
      BuildGauge().Name("ambassador_diagnostics_errors").Help("Errors in what users wrote.").Register(registry_).Add({});
  Gauge& debug_ =
      BuildGauge().Name("ambassador_log_level").Help("1 when this level is on.").Register(registry_).Add({{"level", "debug"}});
  Gauge& notices_ = BuildGauge()
                        .Name("ambassador_diagnostics_notices")
                        .Help("Warnings and notices about what users wrote.")
                        .Register(registry_)
                        .Add({});
  Family<Histogram>& change_family_ =
      BuildHistogram().Name("emissary_change_seconds").Help("From a change's arrival to the end of the stage.").Register(registry_);
  Family<Counter>& resources_family_ =
      BuildCounter().Name("emissary_xds_resources_sent_total").Help("Resources sent to Envoy.").Register(registry_);
  Family<Counter>& bytes_family_ =
      BuildCounter().Name("emissary_xds_bytes_sent_total").Help("Bytes of resources sent to Envoy.").Register(registry_);
  Family<Counter>& nacks_family_ =
      BuildCounter().Name("emissary_xds_nacks_total").Help("Responses that Envoy refused.").Register(registry_);
  Family<Counter>& evaluations_family_ =
      BuildCounter().Name("emissary_compile_evaluations_total").Help("Functions that the compiler evaluated.").Register(registry_);
  Family<Gauge>& certificates_family_ = BuildGauge()
                                            .Name("emissary_certificate_expiration_timestamp_seconds")
                                            .Help("When the certificate of a Secret that a Listener shows expires.")
                                            .Register(registry_);
  Family<Gauge>& objects_family_ = BuildGauge().Name("emissary_objects").Help("Objects by kind and state.").Register(registry_);

  std::array<Counter*, serve::kTypes> resources_{}, bytes_{}, nacks_{};
  std::array<Counter*, engine::kTables> evaluations_{};
  Histogram *compile_ = nullptr, *generate_ = nullptr, *sent_ = nullptr, *acked_ = nullptr;
};

Metrics::Metrics(Identity identity) : impl_(std::make_unique<Impl>(std::move(identity))) {}
Metrics::~Metrics() = default;

void Metrics::compiled(Time arrived, Time now, const std::map<Kind, engine::ObjectCounts>& objects,
                       const std::array<uint64_t, engine::kTables>& evaluations) {
  impl_->compile_->Observe(seconds(arrived, now));
  std::lock_guard lock(impl_->mutex_);
  impl_->objects(objects);
  for (size_t i = 0; i < engine::kTables; ++i) {
    impl_->evaluations_[i]->Increment(static_cast<double>(evaluations[i] - impl_->evaluations_seen_[i]));
  }
  impl_->evaluations_seen_ = evaluations;
}

void Metrics::published(uint64_t generation, Time arrived, Time now) {
  impl_->generate_->Observe(seconds(arrived, now));
  impl_->generation_.Set(static_cast<double>(generation));
  std::lock_guard lock(impl_->mutex_);
  Impl::remember(impl_->unsent_, generation, arrived);
  Impl::remember(impl_->unanswered_, generation, arrived);
}

void Metrics::sent(uint64_t generation, Time now) {
  std::lock_guard lock(impl_->mutex_);
  Impl::observe(impl_->unsent_, generation, now, *impl_->sent_);
}

void Metrics::answered(uint64_t generation, Time now) {
  std::lock_guard lock(impl_->mutex_);
  Impl::observe(impl_->unanswered_, generation, now, *impl_->acked_);
  impl_->acked_generation_.Set(std::max(impl_->acked_generation_.Value(), static_cast<double>(generation)));
}

void Metrics::response(serve::Type type, size_t resources, size_t bytes) {
  impl_->resources_[static_cast<size_t>(type)]->Increment(static_cast<double>(resources));
  impl_->bytes_[static_cast<size_t>(type)]->Increment(static_cast<double>(bytes));
}

void Metrics::nack(serve::Type type) { impl_->nacks_[static_cast<size_t>(type)]->Increment(); }
void Metrics::refused(size_t now) { impl_->refused_.Set(static_cast<double>(now)); }
void Metrics::held(size_t now) { impl_->held_.Set(static_cast<double>(now)); }
void Metrics::streams(size_t now) { impl_->streams_.Set(static_cast<double>(now)); }

void Metrics::certificates(const std::vector<engine::CertificateUse>& all) {
  std::lock_guard lock(impl_->mutex_);
  impl_->certificates(all);
}

void Metrics::findings(const std::vector<Finding>& all) {
  const auto errors = std::count_if(all.begin(), all.end(), [](const Finding& f) { return f.severity == Severity::Error; });
  impl_->errors_.Set(static_cast<double>(errors));
  impl_->notices_.Set(static_cast<double>(all.size()) - static_cast<double>(errors));
}

void Metrics::cluster(const std::string& id) { impl_->cluster(id); }
void Metrics::debug(bool on) { impl_->debug_.Set(on ? 1 : 0); }

std::string Metrics::text() const { return prometheus::TextSerializer().Serialize(impl_->registry_.Collect()) + processMetrics(); }

}  // namespace emissary::diagnostics
