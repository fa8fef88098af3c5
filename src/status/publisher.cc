#include "status/publisher.h"

namespace emissary::status {
namespace {

int64_t wallClock() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(since).count();
}

Announcer::Options announcerOptions(const std::string& identity) {
  Announcer::Options options;
  options.instance = identity;
  options.wall_clock = wallClock;
  return options;
}

WriterOptions writerOptions() {
  WriterOptions options;
  options.wall_clock = wallClock;
  return options;
}

LeaseOptions leaseOptions(const PublisherOptions& options, const std::string& identity) {
  LeaseOptions out;
  out.ns = options.ns;
  out.name = leaseName(options.ambassador_id);
  out.identity = identity;
  return out;
}

}  // namespace

Publisher::Publisher(const PublisherOptions& options, kube::Loop& loop, kube::Client& client, Findings findings)
    : loop_(loop),
      findings_(std::move(findings)),
      identity_(newIdentity()),
      announcer_(announcerOptions(identity_), loop, client, [this](const auto& topic, const auto& text) { tell(topic, text); }),
      writer_(writerOptions(), loop, client,
              {[this](const auto& topic, const auto& text) { tell(topic, text); },
               [this](WriteResult result) { ++counters_.writes[static_cast<size_t>(result)]; }, &announcer_}),
      lease_(leaseOptions(options, identity_), loop, client,
             {[this](bool leads) {
                counters_.leads = leads;
                writer_.lead(leads);
              },
              [this](const std::string& problem) { tell("lease", problem); }}) {}

Publisher::~Publisher() { *alive_ = false; }

void Publisher::start() { lease_.start(); }

void Publisher::stop(std::function<void()> done) { lease_.stop(std::move(done)); }

void Publisher::want(std::vector<Desired> all) {
  if (all.empty()) return;
  loop_.post([this, alive = alive_, all = std::move(all)] {
    if (*alive) writer_.want(all);
  });
}

void Publisher::observe(std::vector<model::Sighting> all) {
  if (all.empty()) return;
  loop_.post([this, alive = alive_, all = std::move(all)] {
    if (!*alive) return;
    for (const model::Sighting& sighting : all) writer_.observe(sighting);
  });
}

void Publisher::tell(const std::string& topic, const std::string& text) {
  if (text.empty() ? problems_.erase(topic) == 0 : std::exchange(problems_[topic], text) == text) return;
  std::vector<Finding> findings;
  for (const auto& [about, problem] : problems_) {
    Finding finding;
    finding.severity = about == "conditions" ? Severity::Notice : Severity::Warning;
    finding.message = problem;
    findings.push_back(std::move(finding));
  }
  if (findings_) findings_(std::move(findings));
}

}  // namespace emissary::status
