#include "status/verdict.h"

#include <algorithm>
#include <functional>

#include "model/text.h"

namespace emissary::status {
namespace {

/// Of one message; the API server takes 32 KiB.
constexpr size_t kMostText = 2048;

std::string textOf(const Finding& finding) {
  return model::printable(finding.field.empty() ? finding.message : finding.field + ": " + finding.message, kMostText);
}

Reason reasonOf(About about) {
  switch (about) {
    case About::MissingSecret: return Reason::SecretNotFound;
    case About::BadSecret: return Reason::SecretInvalid;
    case About::MissingService: return Reason::ServiceNotFound;
    case About::BadReference: return Reason::RefInvalid;
    default: return Reason::RefNotFound;
  }
}

bool isReference(const Finding& finding) {
  switch (finding.about) {
    case About::MissingSecret:
    case About::BadSecret:
    case About::MissingService:
    case About::MissingReference:
    case About::BadReference: return finding.severity != Severity::Notice;
    default: return false;
  }
}

/// Of kinds that have no effect; those that would have one say so by a finding.
bool hasNoEffect(Kind kind) { return kind == Kind::DevPortal; }

class Judge {
 public:
  explicit Judge(const Facts& facts) : facts_(facts) {}

  Verdict run() {
    Verdict out;
    if (facts_.findings.empty() && facts_.used && facts_.object.usable && !unsupported()) {  // nearly all
      out.accepted = {Truth::True, Reason::Accepted, ""};
      out.resolved_refs = {Truth::True, Reason::ResolvedRefs, ""};
      setAnswer(out, facts_.answer);
      out.active = true;
    } else {
      accepted(out.accepted);
      resolvedRefs(out.resolved_refs);
      programmed(out);
      out.active = facts_.used && !unsupported();
      out.problem = problem();
    }
    if (const auto* host = std::get_if<model::Host>(&facts_.object.spec)) {
      out.certificate = host->tls_secret_name.empty() ? CertificateSource::None : CertificateSource::Other;
    }
    return out;
  }

 private:
  using Test = std::function<bool(const Finding&)>;

  /// One a line.
  std::string join(const Test& test) const {
    std::string out;
    for (const Finding* finding : facts_.findings) {
      if (!test(*finding)) continue;
      std::string text = textOf(*finding);
      if (!out.empty() && out.size() + text.size() > kMostText) {
        out += "\nand more";
        break;
      }
      if (!out.empty()) out += '\n';
      out += text;
    }
    return out;
  }
  const Finding* first(const Test& test) const {
    const auto& all = facts_.findings;
    const auto it = std::find_if(all.begin(), all.end(), [&](const Finding* finding) { return test(*finding); });
    return it == all.end() ? nullptr : *it;
  }
  bool any(const Test& test) const { return first(test) != nullptr; }

  static Test about(About about) {
    return [about](const Finding& finding) { return finding.about == about; };
  }
  static bool isMistake(const Finding& f) {
    return f.severity == Severity::Error && (f.about == About::Content || f.about == About::Conflict);
  }
  static bool isMistakeOfContent(const Finding& f) { return f.severity == Severity::Error && f.about == About::Content; }

  bool unsupported() const { return hasNoEffect(facts_.object.ref.kind) || any(about(About::Unsupported)); }

  void accepted(Condition& out) const {
    if (unsupported()) {
      out = {Truth::False, Reason::NotSupported, join(about(About::Unsupported))};
      if (out.message.empty()) out.message = "this kind has no effect";
    } else if (any(isMistakeOfContent)) {
      out = {Truth::False, facts_.used ? Reason::PartlyInvalid : Reason::Invalid, join(isMistake)};
    } else if (any(isMistake)) {
      out = {Truth::False, Reason::Conflicted, join(isMistake)};
    } else if (!facts_.used && !any(isReference) && !any(about(About::NoPartner))) {
      out = {Truth::False, Reason::NotUsed, "it is not used"};
    } else {
      out = {Truth::True, Reason::Accepted, ""};
      // Worth knowing, and of no consequence.
      const Finding* remark = first([](const Finding& f) { return f.severity == Severity::Warning && f.about == About::Content; });
      if (remark != nullptr) out.message = textOf(*remark);
    }
  }

  void resolvedRefs(Condition& out) const {
    if (const Finding* finding = first(isReference)) {
      out = {Truth::False, reasonOf(finding->about), join(isReference)};
    } else if (!facts_.object.usable || unsupported()) {
      out = {Truth::Unknown, Reason::NotChecked, "see Accepted"};
    } else {
      out = {Truth::True, Reason::ResolvedRefs, ""};
    }
  }

  void programmed(Verdict& verdict) const {
    Condition& out = verdict.programmed;
    if (any(about(About::Refusal))) {
      out = {Truth::False, Reason::Refused, join(about(About::Refusal))};
    } else if (any(about(About::NoPartner))) {
      out = {Truth::False, Reason::NotUsed, join(about(About::NoPartner))};
    } else if (!facts_.used || unsupported()) {
      out = {Truth::False, Reason::NotUsed, verdict.accepted.status == Truth::True ? "see ResolvedRefs" : "see Accepted"};
    } else {
      setAnswer(verdict, facts_.answer);
    }
  }

  /// As upstream tells it.
  std::string problem() const {
    const Test test = [](const Finding& f) {
      return f.about == About::Unsupported || (f.severity == Severity::Error && f.about != About::Namesake);
    };
    const Finding* finding = first(test);
    if (finding == nullptr) return hasNoEffect(facts_.object.ref.kind) ? "this kind has no effect" : "";
    const auto count = std::count_if(facts_.findings.begin(), facts_.findings.end(), [&](const Finding* f) { return test(*f); });
    return textOf(*finding) + (count > 1 ? " (and more)" : "");
  }

  const Facts& facts_;
};

}  // namespace

std::string_view truthName(Truth truth) {
  switch (truth) {
    case Truth::False: return "False";
    case Truth::True: return "True";
    case Truth::Unknown: break;
  }
  return "Unknown";
}

std::string_view reasonName(Reason reason) {
  switch (reason) {
    case Reason::Accepted: return "Accepted";
    case Reason::Invalid: return "Invalid";
    case Reason::PartlyInvalid: return "PartlyInvalid";
    case Reason::Conflicted: return "Conflicted";
    case Reason::NotSupported: return "NotSupported";
    case Reason::NotUsed: return "NotUsed";
    case Reason::ResolvedRefs: return "ResolvedRefs";
    case Reason::SecretNotFound: return "SecretNotFound";
    case Reason::SecretInvalid: return "SecretInvalid";
    case Reason::ServiceNotFound: return "ServiceNotFound";
    case Reason::RefNotFound: return "RefNotFound";
    case Reason::RefInvalid: return "RefInvalid";
    case Reason::NotChecked: return "NotChecked";
    case Reason::Programmed: return "Programmed";
    case Reason::Pending: return "Pending";
    case Reason::Refused: return "Refused";
    case Reason::NoEnvoy: return "NoEnvoy";
  }
  return "";
}

void setAnswer(Verdict& verdict, Answer answer) {
  switch (answer) {
    case Answer::Confirmed: verdict.programmed = {Truth::True, Reason::Programmed, ""}; break;
    case Answer::Pending: verdict.programmed = {Truth::Unknown, Reason::Pending, "Envoy has not answered yet"}; break;
    case Answer::NoEnvoy: verdict.programmed = {Truth::Unknown, Reason::NoEnvoy, "no Envoy is connected"}; break;
  }
}

Verdict judge(const Facts& facts) { return Judge(facts).run(); }

}  // namespace emissary::status
