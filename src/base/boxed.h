#pragma once
// A value that is mostly its default: then it costs a null pointer. Copies share; changing one copies first. Compares by value.

#include <compare>
#include <memory>

namespace emissary {

template <typename T>
class Boxed {
 public:
  const T& operator*() const { return value_ ? *value_ : standard(); }
  const T* operator->() const { return &**this; }
  /// Whether it was never changed, which makes it equal to T().
  bool untouched() const { return value_ == nullptr; }

  T& edit() {
    if (!value_) {
      value_ = std::make_shared<T>();
    } else if (value_.use_count() > 1) {
      value_ = std::make_shared<T>(*value_);
    }
    return *value_;
  }

  bool operator==(const Boxed& other) const { return value_ == other.value_ || **this == *other; }
  auto operator<=>(const Boxed& other) const {
    return value_ == other.value_ ? decltype(**this <=> *other)::equivalent : **this <=> *other;
  }

 private:
  static const T& standard() {
    static const T value{};
    return value;
  }

  std::shared_ptr<T> value_;
};

}  // namespace emissary
