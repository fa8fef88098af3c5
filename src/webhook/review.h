#pragma once
// What an API server asks of a conversion webhook (apiextensions.k8s.io/v1 ConversionReview), and the answer. Pure, any thread.
//
// An API server takes the answer to a review as a whole or not at all: an object that cannot be converted costs all of them, so
// only what is no object of ours in any version is refused. A value of a wrong type is handed on, as convert.h has it.

#include <array>
#include <cstddef>
#include <optional>
#include <string>

#include "convert/convert.h"

namespace emissary::webhook {

struct Answer {
  /// A ConversionReview with its response; JSON.
  std::string body;
  size_t objects = 0;
  /// How many of them were of each version, when all was converted; and what they were to become.
  std::array<size_t, convert::kVersions> converted{};
  std::optional<convert::Version> wanted;
  /// Of the object that was in the way.
  std::optional<convert::Version> failed;
  /// Why it was refused, as the answer says too; "" when all was converted.
  std::string problem;
};

/// `review` is read in place; it needs no particular form to be survived.
Answer answer(std::string review);

}  // namespace emissary::webhook
