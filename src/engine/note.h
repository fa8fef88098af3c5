#pragma once
// Private to engine/.

#include <set>

namespace emissary::engine {

/// Keep `key` in the set exactly while `is` holds.
template <typename T>
void note(std::set<T>& set, const T& key, bool is) {
  if (is) {
    set.insert(key);
  } else {
    set.erase(key);
  }
}

}  // namespace emissary::engine
