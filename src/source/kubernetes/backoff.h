#pragma once
// How long to wait before the next try; and chance, so that many do not try at one moment.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

namespace emissary::source {

class Chance {
 public:
  /// 0: from the machine.
  explicit Chance(uint64_t seed) : engine_(seed != 0 ? seed : std::random_device()()) {}
  double between(double least, double most) { return std::uniform_real_distribution<double>(least, most)(engine_); }
  /// A quarter more or less.
  std::chrono::milliseconds about(std::chrono::milliseconds time) {
    return std::chrono::milliseconds(static_cast<int64_t>(static_cast<double>(time.count()) * between(0.75, 1.25)));
  }

 private:
  std::mt19937_64 engine_;
};

class Backoff {
 public:
  using Time = std::chrono::milliseconds;
  Backoff(Time first, Time most) : first_(first), most_(most), next_(first) {}
  Time next(Chance& chance) {
    const Time wait = std::min(chance.about(next_), most_);
    next_ = std::min(next_ * 2, most_);
    return wait;
  }
  void reset() { next_ = first_; }

 private:
  Time first_, most_, next_;
};

}  // namespace emissary::source
