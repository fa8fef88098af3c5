#pragma once
// Hashing plain structs field by field: a struct says once which fields it has (`auto fields() const { return std::tie(…); }`),
// and comparison and hash both use that.

#include <concepts>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "base/boxed.h"
#include "base/hash.h"

namespace emissary {

class FieldsHash {
 public:
  template <typename T>
  void add(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      add(static_cast<std::underlying_type_t<T>>(value));
    } else if constexpr (std::is_integral_v<T>) {
      const auto wide = static_cast<uint64_t>(value);
      bytes_.append(reinterpret_cast<const char*>(&wide), sizeof(wide));
    } else if constexpr (std::same_as<T, std::string>) {
      add(value.size());
      bytes_ += value;
    } else {
      add(value.fields());
    }
  }
  template <typename T>
  void add(const std::optional<T>& value) {
    add(value.has_value());
    if (value) add(*value);
  }
  template <typename T>
  void add(const std::vector<T>& values) {
    add(values.size());
    for (const T& value : values) add(value);
  }
  template <typename K, typename V>
  void add(const std::map<K, V>& values) {
    add(values.size());
    for (const auto& [key, value] : values) {
      add(key);
      add(value);
    }
  }
  template <typename T>
  void add(const Boxed<T>& value) {
    add(*value);
  }
  template <typename... T>
  void add(const std::tuple<const T&...>& values) {
    std::apply([this](const auto&... value) { (add(value), ...); }, values);
  }

  Hash128 hash() const { return hashBytes(bytes_); }

 private:
  std::string bytes_;
};

template <typename T>
Hash128 hashOf(const T& value) {
  FieldsHash out;
  out.add(value);
  return out.hash();
}

}  // namespace emissary
