#include "status/verdict.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "status/document.h"

namespace emissary::status {
namespace {

Finding finding(Severity severity, About about, std::string field, std::string message) {
  Finding out;
  out.severity = severity;
  out.about = about;
  out.object = {Kind::Mapping, "edge", "cart"};
  out.field = std::move(field);
  out.message = std::move(message);
  return out;
}

class VerdictTest : public ::testing::Test {
 protected:
  VerdictTest() { object_.ref = {Kind::Mapping, "edge", "cart"}; }

  Verdict judged(std::vector<Finding> findings, bool used = true, Answer answer = Answer::Confirmed) {
    findings_ = std::move(findings);
    std::sort(findings_.begin(), findings_.end());
    Facts facts{object_, used, {}, answer};
    for (const Finding& one : findings_) facts.findings.push_back(&one);
    return judge(facts);
  }
  static std::string show(const Condition& condition) {
    return std::string(truthName(condition.status)) + " " + std::string(reasonName(condition.reason));
  }
  static std::string show(const Verdict& v) { return show(v.accepted) + ", " + show(v.resolved_refs) + ", " + show(v.programmed); }

  Object object_;
  std::vector<Finding> findings_;
};

TEST_F(VerdictTest, AllIsWell) {
  const Verdict verdict = judged({});
  EXPECT_EQ(show(verdict), "True Accepted, True ResolvedRefs, True Programmed");
  EXPECT_TRUE(verdict.active);
  EXPECT_EQ(verdict.problem, "");
  EXPECT_FALSE(verdict.waits());
}

TEST_F(VerdictTest, EnvoysAnswer) {
  EXPECT_EQ(show(judged({}, true, Answer::Pending).programmed), "Unknown Pending");
  EXPECT_EQ(show(judged({}, true, Answer::NoEnvoy).programmed), "Unknown NoEnvoy");
  EXPECT_TRUE(judged({}, true, Answer::Pending).waits());
}

TEST_F(VerdictTest, AMistakeThatTakesItOutOfUse) {
  object_.usable = false;
  const Verdict verdict = judged({finding(Severity::Error, About::Content, "spec.prefix", "must begin with /"),
                                  finding(Severity::Error, About::Content, "spec.weight", "is -1")},
                                 false);
  EXPECT_EQ(show(verdict), "False Invalid, Unknown NotChecked, False NotUsed");
  EXPECT_EQ(verdict.accepted.message, "spec.prefix: must begin with /\nspec.weight: is -1");
  EXPECT_EQ(verdict.programmed.message, "see Accepted");
  EXPECT_EQ(verdict.problem, "spec.prefix: must begin with / (and more)");
  EXPECT_FALSE(verdict.active);
}

TEST_F(VerdictTest, AMistakeInAPartOfIt) {
  const Verdict verdict = judged({finding(Severity::Error, About::Content, "spec.cors", "is wrong")});
  EXPECT_EQ(show(verdict), "False PartlyInvalid, True ResolvedRefs, True Programmed");
  EXPECT_TRUE(verdict.active);
  EXPECT_EQ(verdict.problem, "spec.cors: is wrong");
}

TEST_F(VerdictTest, WarningsAreTold) {
  const Verdict verdict = judged({finding(Severity::Warning, About::Content, "spec.retries", "is unknown"),
                                  finding(Severity::Notice, About::Content, "", "a remark")});
  EXPECT_EQ(show(verdict), "True Accepted, True ResolvedRefs, True Programmed");
  EXPECT_EQ(verdict.accepted.message, "spec.retries: is unknown");
  EXPECT_EQ(verdict.problem, "");
}

TEST_F(VerdictTest, References) {
  const auto resolved = [&](About about, Severity severity = Severity::Error) {
    return show(judged({finding(severity, about, "spec.tls", "names what is not there")}).resolved_refs);
  };
  EXPECT_EQ(resolved(About::MissingSecret), "False SecretNotFound");
  EXPECT_EQ(resolved(About::BadSecret), "False SecretInvalid");
  EXPECT_EQ(resolved(About::MissingService, Severity::Warning), "False ServiceNotFound");
  EXPECT_EQ(resolved(About::MissingReference), "False RefNotFound");
  EXPECT_EQ(resolved(About::BadReference), "False RefInvalid");
  EXPECT_EQ(resolved(About::MissingReference, Severity::Notice), "True ResolvedRefs");

  const Verdict unused = judged({finding(Severity::Error, About::MissingSecret, "spec.tlsSecret", "does not exist")}, false);
  EXPECT_EQ(show(unused), "True Accepted, False SecretNotFound, False NotUsed");
  EXPECT_EQ(unused.programmed.message, "see ResolvedRefs");
  EXPECT_EQ(unused.problem, "spec.tlsSecret: does not exist");
}

TEST_F(VerdictTest, Conflicts) {
  EXPECT_EQ(show(judged({finding(Severity::Error, About::Conflict, "spec.port", "is taken")}, false)),
            "False Conflicted, True ResolvedRefs, False NotUsed");
  EXPECT_EQ(show(judged({finding(Severity::Error, About::Conflict, "spec.hostname", "is taken on one Listener")})),
            "False Conflicted, True ResolvedRefs, True Programmed");
}

TEST_F(VerdictTest, NothingLeadsRequestsToIt) {
  const Verdict verdict = judged({finding(Severity::Warning, About::NoPartner, "spec.hostname", "no Host serves it")});
  EXPECT_EQ(show(verdict), "True Accepted, True ResolvedRefs, False NotUsed");
  EXPECT_EQ(verdict.programmed.message, "spec.hostname: no Host serves it");
  EXPECT_EQ(show(judged({finding(Severity::Error, About::NoPartner, "spec.hostBinding", "takes no Host")}, false)),
            "True Accepted, True ResolvedRefs, False NotUsed");
}

TEST_F(VerdictTest, ThisVersionDoesNotActOnIt) {
  object_.ref.kind = Kind::AuthService;
  const Verdict verdict = judged({finding(Severity::Warning, About::Unsupported, "", "is not acted on")});
  EXPECT_EQ(show(verdict), "False NotSupported, Unknown NotChecked, False NotUsed");
  EXPECT_FALSE(verdict.active);
  EXPECT_EQ(verdict.problem, "is not acted on");
  object_.ref.kind = Kind::DevPortal;
  EXPECT_EQ(show(judged({})), "False NotSupported, Unknown NotChecked, False NotUsed");
}

TEST_F(VerdictTest, ARefusalByEnvoy) {
  const Verdict verdict = judged({finding(Severity::Error, About::Refusal, "", "Envoy refuses the cluster: no")});
  EXPECT_EQ(show(verdict), "True Accepted, True ResolvedRefs, False Refused");
  EXPECT_EQ(verdict.programmed.message, "Envoy refuses the cluster: no");
  EXPECT_EQ(verdict.problem, "Envoy refuses the cluster: no");
}

TEST_F(VerdictTest, NeitherUsedNorTold) { EXPECT_EQ(show(judged({}, false)), "False NotUsed, True ResolvedRefs, False NotUsed"); }

TEST_F(VerdictTest, ANamesakeInAnAnnotationIsAnothers) {
  const Verdict verdict = judged({finding(Severity::Error, About::Namesake, "", "the one in the annotation is not used")});
  EXPECT_EQ(show(verdict), "True Accepted, True ResolvedRefs, True Programmed");
  EXPECT_EQ(verdict.problem, "");
}

TEST_F(VerdictTest, MessagesAreBoundedAndFitForJson) {
  std::vector<Finding> many;
  for (int i = 0; i < 100; ++i)
    many.push_back(finding(Severity::Error, About::Content, "f" + std::to_string(i), std::string(500, 'x')));
  many.push_back(finding(Severity::Error, About::Content, "a", "\x01\xff" + std::string(100000, 'y')));
  const Verdict verdict = judged(many);
  EXPECT_LT(verdict.accepted.message.size(), 5000u);
  EXPECT_TRUE(verdict.accepted.message.starts_with("a: ??yyy"));
  EXPECT_TRUE(verdict.accepted.message.ends_with("\nand more"));
  EXPECT_LT(verdict.problem.size(), 3000u);
}

TEST_F(VerdictTest, AHostTellsWhereItsCertificateComesFrom) {
  object_.ref.kind = Kind::Host;
  object_.spec = model::Host();
  EXPECT_EQ(judged({}).certificate, CertificateSource::None);
  std::get<model::Host>(object_.spec).tls_secret_name = "cert";
  EXPECT_EQ(judged({}).certificate, CertificateSource::Other);
}

// ---- as text

const Times kTimes = {100, 200, 300};

TEST_F(VerdictTest, AMappingsStatus) {
  const Document document = documentOf(object_.ref, judged({}), 7, Shape::Full, kTimes);
  const auto condition = [](const std::string& type, const std::string& time) {
    return R"({"lastTransitionTime":"1970-01-01T00:0)" + time + R"(Z","message":"","observedGeneration":7,"reason":")" + type +
           R"(","status":"True","type":")" + type + R"("})";
  };
  EXPECT_EQ(document.body,
            R"({"apiVersion":"getambassador.io/v3alpha1","kind":"Mapping","metadata":{"name":"cart","namespace":"edge"},)"
            R"("status":{"conditions":[)" +
                condition("Accepted", "1:40") + "," + condition("ResolvedRefs", "3:20") + "," + condition("Programmed", "5:00") +
                R"(],"state":"Running"}})");
  EXPECT_EQ(document.hash, documentOf(object_.ref, judged({}), 7, Shape::Full, {1, 2, 3}).hash) << "times do not count";
  EXPECT_NE(document.hash, documentOf(object_.ref, judged({}), 8, Shape::Full, kTimes).hash);
  EXPECT_NE(document.hash, documentOf(object_.ref, judged({}), 7, Shape::Plain, kTimes).hash);
}

TEST_F(VerdictTest, StatesAreThoseOfTheKind) {
  const auto status = [&](Shape shape) {
    const std::string body =
        documentOf(object_.ref, judged({finding(Severity::Error, About::Content, "", "no")}, false), 1, shape, kTimes).body;
    return body.substr(body.find(shape == Shape::Full ? "\"reason\":\"no\"" : "\"status\""));
  };
  EXPECT_EQ(status(Shape::Plain), R"("status":{"reason":"no","state":"Inactive"}})");
  EXPECT_EQ(status(Shape::Full), R"("reason":"no","state":"Inactive"}})");
  object_.ref.kind = Kind::Host;
  object_.spec = model::Host();
  EXPECT_EQ(status(Shape::Plain), R"("status":{"errorReason":"no","state":"Error","tlsCertificateSource":"None"}})");
  EXPECT_EQ(status(Shape::Full), R"("reason":"no","state":"Error","tlsCertificateSource":"None"}})");
}

TEST_F(VerdictTest, TransitionTimesStandWhileAStatusDoes) {
  model::LiveStatus live;
  live.conditions[0] = {model::ConditionStatus::True, 0, 50};
  live.conditions[1] = {model::ConditionStatus::False, 0, 60};
  EXPECT_EQ(transitionTimes(judged({}), &live, 1000), (Times{50, 1000, 1000}));
  EXPECT_EQ(transitionTimes(judged({}), nullptr, 1000), (Times{1000, 1000, 1000}));
}

TEST(StatusPaths, NameTheSubresource) {
  EXPECT_EQ(statusPath({Kind::TLSContext, "edge", "a.b"}),
            "/apis/getambassador.io/v3alpha1/namespaces/edge/tlscontexts/a.b/status");
  EXPECT_EQ(microTime(1'700'000'000'000'042), "2023-11-14T22:13:20.000042Z");
}

}  // namespace
}  // namespace emissary::status
