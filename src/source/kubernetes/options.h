#pragma once
// What a KubernetesSource is told, and the bounds that it keeps to. The bounds are fields so that tests can set them.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "manifest/parse.h"
#include "model/parse.h"

namespace emissary::source {

struct KubernetesBounds {
  using Time = std::chrono::milliseconds;

  /// Objects asked for at once.
  int page = 500;
  /// Ask for lists as streams, which spares the server making them up in memory, until one says that it has none.
  bool streaming = true;
  /// A longer event is taken for a broken stream.
  size_t max_event_bytes = 64u << 20;
  /// What a watch asks the server to last: between these two.
  std::chrono::seconds watch_least{300}, watch_most{600};
  /// A watch that has brought no byte for so long is dead: servers send a bookmark a minute.
  Time silence = std::chrono::minutes(3);
  /// A list that comes as a stream and stands still for so long is asked for in pages.
  Time stalled{30'000};
  /// Between tries that fail: from the first, doubled up to the most.
  Time backoff_first{800}, backoff_most{30'000};
  /// While the server cannot be reached: between looks whether it is back; then all that waits tries again within the time.
  Time probe{1'000}, together{250};
  /// A watch that has lasted so long was in order: the next failure is a first one.
  Time healthy{10'000};
  /// One that ends sooner than this is not begun again at once.
  Time short_watch{1'000};
  /// A kind that may not be read holds the first Synced up for so long, and is told after that.
  Time forbidden_patience{10'000};
  /// Other trouble is told after it has lasted so long.
  Time trouble_patience{10'000};
  /// Between looks for kinds that are not served; the second look comes sooner.
  Time discovery{10'000}, second_look{2'000};
  /// Looks that must agree, over at least the time, before a kind that was served counts as gone.
  int gone_looks = 3;
  Time gone_time{30'000};
  /// Between looks at our own Namespace where Namespaces cannot be watched.
  Time own_namespace{30'000};
  /// A change that brings the first reference to a Secret waits for the Secret at most so long.
  Time hold{1'000};
  /// Deletions that follow each other within this belong together.
  Time burst{10'000};
};

struct KubernetesOptions {
  /// Our own namespace (AMBASSADOR_NAMESPACE).
  std::string ns = "default";
  bool single_namespace = false;
  /// Secrets of our own namespace only; in single-namespace mode it is so anyway.
  bool secrets_single_namespace = false;
  std::string ambassador_id = "default";
  /// AMBASSADOR_LABEL_SELECTOR and AMBASSADOR_FIELD_SELECTOR, as written; empty: none.
  std::string label_selector;
  std::string field_selector;
  std::shared_ptr<const model::Variables> variables;
  /// Of one object.
  manifest::Limits limits;
  KubernetesBounds bounds;
  /// Of the jitter; 0: taken from the machine.
  uint64_t seed = 0;
};

}  // namespace emissary::source
