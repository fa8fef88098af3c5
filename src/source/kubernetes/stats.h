#pragma once
// What a KubernetesSource counts. Written by the loop's thread, read by any.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "source/kubernetes/kinds.h"

namespace emissary::source {

struct KindStats {
  std::atomic<uint64_t> lists = 0;     // complete ones
  std::atomic<uint64_t> watches = 0;   // begun
  std::atomic<uint64_t> events = 0;    // of watches, without bookmarks
  std::atomic<uint64_t> expired = 0;   // 410 Gone
  std::atomic<uint64_t> failures = 0;  // of lists and watches, whatever the cause
  std::atomic<uint64_t> vanished = 0;  // times that the whole kind was deleted at once
  std::atomic<uint64_t> objects = 0;   // kept now
  std::atomic<bool> waiting = false;   // for a list: it has not come yet, is not served, or may not be read
};

struct KubernetesStats {
  /// By position in resources().
  std::array<KindStats, kResources> kinds;
  /// Steady time of the last answer or byte; 0: there was none.
  std::atomic<std::chrono::steady_clock::rep> last_contact = 0;
};

}  // namespace emissary::source
