#include "diagnostics/health.h"

namespace emissary::diagnostics {

Health::Health(bool with_envoy, Time boot) : with_envoy_(with_envoy), boot_(boot) {}

void Health::compileBegins(Time now) {
  std::lock_guard lock(mutex_);
  if (!busy_since_) busy_since_ = now;
}

void Health::compileEnds(Time now) {
  std::lock_guard lock(mutex_);
  busy_since_.reset();
  if (!first_done_) first_done_ = now;
}

void Health::published(uint64_t generation) {
  std::lock_guard lock(mutex_);
  published_ |= generation > 0;
}

void Health::answered(uint64_t generation) {
  std::lock_guard lock(mutex_);
  answered_ |= generation > 0;
}

void Health::drainBegins() {
  std::lock_guard lock(mutex_);
  draining_ = true;
}

bool Health::draining() const {
  std::lock_guard lock(mutex_);
  return draining_;
}

bool Health::compilerHangs(Time now) const {
  if (busy_since_) return now - *busy_since_ > kCompileGrace;
  return !first_done_ && now - boot_ > kCompileGrace;
}

bool Health::alive(Time now, bool envoy_up) {
  std::lock_guard lock(mutex_);
  if (draining_) return true;
  if (compilerHangs(now)) return false;
  if (!with_envoy_) return true;
  envoy_seen_ |= envoy_up;
  if (envoy_up || !first_done_) return true;
  return !envoy_seen_ && now - *first_done_ <= kEnvoyGrace;
}

bool Health::ready(Time now, bool envoy_up) const {
  std::lock_guard lock(mutex_);
  if (draining_ || !published_ || compilerHangs(now)) return false;
  return with_envoy_ ? answered_ && envoy_up : true;
}

}  // namespace emissary::diagnostics
