#pragma once
// The hash of an object's content: canonical, so that equal content gives an equal hash whatever the order of keys, and
// unambiguous, since every piece is written with its type and length. Internal to this folder.

#include <string>
#include <string_view>

#include "base/hash.h"
#include "manifest/value.h"

namespace emissary {
struct Object;
}

namespace emissary::model {

class ContentHash {
 public:
  ContentHash() { bytes_.reserve(512); }
  void add(std::string_view text);
  void add(int64_t number);
  /// Null entries of maps count as absent, 3.0 as 3.
  void add(const manifest::Value& value);
  Hash128 hash() const { return hashBytes(bytes_); }

 private:
  std::string bytes_;
};

/// What has a meaning in `object`, as read from `document`: who it is, labels, what was found, and the fields. Of getambassador.io
/// objects `spec` as written; of others what was read of it. Call when all else of the object is filled in.
Hash128 contentHash(const Object& object, const manifest::Value& document);

}  // namespace emissary::model
