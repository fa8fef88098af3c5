#pragma once
// What has become of one object, as its `status` says it: pure functions of what was found about it, whether it is used, and what
// Envoy answered.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/finding.h"
#include "model/object.h"

namespace emissary::status {

enum class Truth : uint8_t { False, True, Unknown };
std::string_view truthName(Truth truth);

/// The closed list that docs/status-conditions.md explains.
enum class Reason : uint8_t {
  // Accepted
  Accepted,
  Invalid,        // what is written is wrong, and it is not used
  PartlyInvalid,  // the same, and the rest of it is used
  Conflicted,     // another object has what it asks for
  NotSupported,   // this version does not act on it
  NotUsed,        // Programmed too: none of it is in Envoy, for a reason that the other conditions or the message tell
  // ResolvedRefs
  ResolvedRefs,
  SecretNotFound,
  SecretInvalid,
  ServiceNotFound,
  RefNotFound,
  RefInvalid,
  NotChecked,  // it cannot be read, so nobody looked
  // Programmed
  Programmed,
  Pending,  // Envoy has not answered yet
  Refused,  // by Envoy, which keeps the last form
  NoEnvoy,  // none is connected
};
std::string_view reasonName(Reason reason);

struct Condition {
  Truth status = Truth::Unknown;
  Reason reason = Reason::NotChecked;
  std::string message;
  bool operator==(const Condition&) const = default;
};

/// How far Envoy is with the configuration that the object's last change came with.
enum class Answer : uint8_t { Confirmed, Pending, NoEnvoy };

/// Where a Host's certificate comes from (upstream's field): nothing of other kinds.
enum class CertificateSource : uint8_t { NotTold, None, Other };

struct Verdict {
  Condition accepted;
  Condition resolved_refs;
  Condition programmed;
  /// Whether it is used, be it in part.
  bool active = false;
  /// The first error, for people; "" when there is none.
  std::string problem;
  CertificateSource certificate = CertificateSource::NotTold;
  bool operator==(const Verdict&) const = default;

  /// It hangs on Envoy's answer alone.
  bool waits() const { return programmed.status == Truth::Unknown; }
};

struct Facts {
  const Object& object;
  /// Whether the engine uses it.
  bool used = true;
  /// All that was found about it, sorted: errors first.
  std::vector<const Finding*> findings;
  Answer answer = Answer::Confirmed;
};

Verdict judge(const Facts& facts);

/// For a verdict about which all is known but Envoy's answer.
void setAnswer(Verdict& verdict, Answer answer);

}  // namespace emissary::status
