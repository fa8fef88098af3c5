#include "control_plane/compiler.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/log.h"
#include "base/memory.h"

namespace emissary::control_plane {
namespace {

constexpr size_t kMaxDetail = 400;
constexpr size_t kLarge = 1000;  // changed resources, as at a start

/// Envoy's own words, bounded; it should not quote keys, and if it does nobody reads them here.
std::string detailOf(const serve::Refusal& refusal) {
  if (refusal.key.type == serve::Type::Secret || refusal.detail.find("PRIVATE KEY") != std::string::npos) {
    return "its certificate or key cannot be used";
  }
  return refusal.detail.size() <= kMaxDetail ? refusal.detail : refusal.detail.substr(0, kMaxDetail) + "…";
}

bool hasListener(const engine::Engine& engine) {
  const auto first = engine.resources().lower_bound({serve::Type::Listener, ""});
  return first != engine.resources().end() && first->first.type == serve::Type::Listener;
}

}  // namespace

Compiler::Compiler(engine::Options options, std::chrono::seconds spacing, Outputs outputs)
    : engine_(std::move(options)), spacing_(spacing), outputs_(std::move(outputs)) {}

Compiler::~Compiler() { stop(); }

void Compiler::start() {
  thread_ = std::thread([this] { run(); });
}

void Compiler::stop() {
  queue_.close();
  if (thread_.joinable()) thread_.join();
}

void Compiler::run() {
  while (true) {
    std::vector<Input> inputs = look_again_ ? queue_.takeAll(*look_again_) : queue_.takeAll();
    if (queue_.closed()) return;
    // Time alone changes what is said of certificates; looking changes nothing.
    bool changed = look_again_ && Clock::now() >= *look_again_;
    gatherMore(inputs);
    for (Input& input : inputs) {
      if (auto* batch = std::get_if<source::Batch>(&input)) take(std::move(*batch));
      else if (auto* refusals = std::get_if<std::vector<serve::Refusal>>(&input)) refusals_ = std::move(*refusals);
      else if (auto* envoy = std::get_if<ir::EnvoyBuild>(&input)) {
        engine_.setEnvoy(std::move(*envoy));
        envoy_moved_ = changed = true;
      }
      changed =
          changed || std::holds_alternative<source::Batch>(input) || std::holds_alternative<std::vector<serve::Refusal>>(input);
    }
    if (synced_ && changed) {
      if (!pending_.empty() || generation_ == 0 || envoy_moved_) compile();
      report();
      state_ = nullptr;
    }
    // After the refusals that came with it.
    for (const Input& input : inputs) {
      if (const auto* confirmed = std::get_if<Confirmed>(&input)) tellStatus(ledger_.confirmed(confirmed->generation));
      if (const auto* connected = std::get_if<Connected>(&input)) tellStatus(ledger_.connected(connected->any));
    }
    answer(inputs);
  }
}

void Compiler::confirmed(uint64_t generation) {
  if (outputs_.status) queue_.push(Confirmed{generation});
}

void Compiler::connected(size_t streams) {
  if (outputs_.status) queue_.push(Connected{streams > 0});
}

void Compiler::tellStatus(std::vector<status::Desired> all) const {
  if (!all.empty() && outputs_.status) outputs_.status(std::move(all));
}

void Compiler::answer(std::vector<Input>& inputs) {
  for (Input& input : inputs) {
    auto* look = std::get_if<Look>(&input);
    if (!look) continue;
    if (!state_ && generation_ > 0) {
      auto state = std::make_shared<diagnostics::State>();
      const SnapshotPtr board = outputs_.board.current();
      state->generation = generation_;
      state->findings = std::shared_ptr<const std::vector<Finding>>(board, &board->findings);
      state->view = engine_.view();
      state_ = std::move(state);
    }
    look->set_value(state_);
  }
  std::erase_if(inputs, [](const Input& input) { return std::holds_alternative<Look>(input); });
}

diagnostics::StatePtr Compiler::look(std::chrono::milliseconds patience) {
  Look look;
  std::future<diagnostics::StatePtr> future = look.get_future();
  queue_.push(std::move(look));
  const bool made = future.wait_for(patience) == std::future_status::ready;
  std::lock_guard lock(looked_mutex_);
  try {
    if (made) looked_ = future.get();
  } catch (const std::future_error&) {
    return looked_;  // the thread has ended without an answer
  }
  return looked_;
}

void Compiler::gatherMore(std::vector<Input>& inputs) {
  if (spacing_ == std::chrono::seconds{0} || generation_ == 0) return;
  answer(inputs);  // who looks need not wait
  const Clock::time_point until = last_published_ + spacing_;
  while (Clock::now() < until && !queue_.closed()) {
    std::vector<Input> more = queue_.takeAll(until);
    answer(more);
    std::move(more.begin(), more.end(), std::back_inserter(inputs));
  }
}

void Compiler::take(source::Batch batch) {
  bool changed = false;
  for (source::Event& event : batch.events) {
    if (auto* upsert = std::get_if<source::Upsert>(&event)) {
      take(engine::Change{upsert->object->ref, upsert->object});
      changed = true;
    } else if (auto* removed = std::get_if<source::Delete>(&event)) {
      take(engine::Change{removed->ref, nullptr});
      changed = true;
    } else if (auto* file = std::get_if<source::FileFindings>(&event)) {
      if (file->findings.empty()) file_findings_.erase(file->path);
      else file_findings_[file->path] = std::move(file->findings);
    } else {
      synced_ = true;
    }
  }
  if (changed) arrived_ = std::min(batch.arrived, arrived_.value_or(batch.arrived));
}

void Compiler::take(const engine::Change& change) {
  pending_.push_back(change);
  stats_names_.erase(change.ref);
  if (!change.object) return;
  const auto* mapping = std::get_if<model::Mapping>(&change.object->spec);
  if (mapping && !mapping->stats_name.empty()) stats_names_[change.ref] = mapping->stats_name;
  const auto* tcp = std::get_if<model::TcpMapping>(&change.object->spec);
  if (tcp && !tcp->stats_name.empty()) stats_names_[change.ref] = tcp->stats_name;
}

void Compiler::compile() {
  const Clock::time_point arrived = arrived_.value_or(Clock::now());
  outputs_.health.compileBegins(Clock::now());
  serve::Update update = engine_.apply(std::exchange(pending_, {}));
  arrived_.reset();
  const Clock::time_point compiled = Clock::now();
  outputs_.health.compileEnds(compiled);
  outputs_.metrics.compiled(arrived, compiled, engine_.objectCounts(), engine_.evaluations());
  const bool asked = std::exchange(envoy_moved_, false);
  if (generation_ > 0 && !asked && update.upserts.empty() && update.removals.empty()) return;

  update.generation = ++generation_;
  update.arrived = arrived;
  const size_t upserts = update.upserts.size(), removals = update.removals.size();
  // Known to the metrics first: the answer may come at once.
  outputs_.metrics.published(generation_, arrived, Clock::now());
  outputs_.publish(std::move(update));
  outputs_.health.published(generation_);
  last_published_ = Clock::now();
  if (upserts + removals > kLarge) memory::giveBack();
  log::info("configuration published",
            {{"generation", std::to_string(generation_)},
             {"changed", std::to_string(upserts)},
             {"removed", std::to_string(removals)},
             {"ms", fmt::format("{:.1f}", std::chrono::duration<double, std::milli>(last_published_ - arrived).count())}});
  const bool served = std::exchange(serves_, hasListener(engine_));
  if (served && !serves_) log::warn("no Listener is in use, so no request is served");
}

std::vector<Finding> Compiler::findingsOfRefusals() const {
  std::vector<Finding> result;
  for (const serve::Refusal& refusal : refusals_) {
    Finding finding;
    finding.about = About::Refusal;
    finding.message = fmt::format("Envoy refuses the {} {} made of this: {}; it keeps its last form",
                                  serve::typeLabel(refusal.key.type), refusal.key.name, detailOf(refusal));
    const std::vector<ObjectRef> behind = engine_.provenance(refusal.key);
    if (behind.empty()) result.push_back(finding);
    for (const ObjectRef& ref : behind) {
      finding.object = ref;
      const ObjectPtr object = engine_.standing(ref).object;
      finding.path = object ? object->path : "";
      finding.line = object ? object->line : 0;
      result.push_back(finding);
    }
  }
  return result;
}

// Time alone makes a certificate valid or invalid, so somebody must look when it does.
void Compiler::noteCertificates(std::chrono::seconds now) {
  // Clocks are set now and then.
  constexpr std::chrono::seconds kAtMost = std::chrono::hours(1);
  const std::vector<engine::CertificateUse> certificates = engine_.certificates();
  outputs_.metrics.certificates(certificates);
  look_again_.reset();
  if (certificates.empty()) return;
  std::chrono::seconds wait = kAtMost;
  for (const engine::CertificateUse& use : certificates) {
    for (const int64_t at : {use.not_before, use.not_after + 1}) {
      if (at > now.count()) wait = std::min(wait, std::chrono::seconds(at - now.count()));
    }
  }
  look_again_ = Clock::now() + wait;
}

void Compiler::report() {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->generation = generation_;
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
  snapshot->findings = engine_.findings(now.count());
  noteCertificates(now);
  for (const auto& [path, findings] : file_findings_) {
    snapshot->findings.insert(snapshot->findings.end(), findings.begin(), findings.end());
  }
  for (Finding& finding : findingsOfRefusals()) snapshot->findings.push_back(std::move(finding));
  std::sort(snapshot->findings.begin(), snapshot->findings.end());
  for (const auto& [ref, name] : stats_names_) snapshot->stats_names.insert(name);
  outputs_.metrics.findings(snapshot->findings);
  const SnapshotPtr before = outputs_.board.post(snapshot);
  if (outputs_.status) tellStatus(ledger_.update(engine_, before->findings, snapshot->findings, generation_));
  logChanges(compare(before->findings, snapshot->findings));
}

}  // namespace emissary::control_plane
