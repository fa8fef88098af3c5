#pragma once
// A verdict as the `status` of an object: the text that is sent, and what of it is compared with what the server has.

#include <array>
#include <cstdint>
#include <string>

#include "base/hash.h"
#include "model/live_status.h"
#include "status/verdict.h"

namespace emissary::status {

/// How much of a status the cluster's CustomResourceDefinitions keep.
enum class Shape : uint8_t {
  Full,
  Plain,  // upstream's: state and reason, no conditions
};

/// When each condition's status changed last, in seconds since the epoch.
using Times = std::array<int64_t, model::kConditionTypes>;

/// Those of `live` stand where the status did not change; else it is `now`.
Times transitionTimes(const Verdict& verdict, const model::LiveStatus* live, int64_t now);

struct Document {
  /// The object of a server-side apply, as JSON.
  std::string body;
  /// To be compared with model::LiveStatus::hash.
  Hash128 hash;
};

/// `clearing`: with empty texts in place of reasons that there are not, so that those that others have written become ours.
Document documentOf(const ObjectRef& ref, const Verdict& verdict, int64_t generation, Shape shape, const Times& times,
                    bool clearing = false);

/// Whether `status` has a reason where ours would have none: another's, from before us.
bool holdsForeignReason(const manifest::Value* status, const Verdict& verdict);

/// Those that have a status of ours.
inline constexpr std::array kKinds = {Kind::AuthService,
                                      Kind::ConsulResolver,
                                      Kind::DevPortal,
                                      Kind::Host,
                                      Kind::KubernetesEndpointResolver,
                                      Kind::KubernetesServiceResolver,
                                      Kind::Listener,
                                      Kind::LogService,
                                      Kind::Mapping,
                                      Kind::Module,
                                      Kind::RateLimitService,
                                      Kind::TCPMapping,
                                      Kind::TLSContext,
                                      Kind::TracingService};

/// "mappings".
std::string pluralOf(Kind kind);
/// "/apis/getambassador.io/v3alpha1/namespaces/edge/mappings/cart/status".
std::string statusPath(const ObjectRef& ref);

/// "2026-11-23T15:04:05.000000Z".
std::string microTime(int64_t microseconds);

}  // namespace emissary::status
