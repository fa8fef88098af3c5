#include "status/ledger.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "engine/testing.h"

namespace emissary::status {
namespace {

using engine::testing::changes;

std::string mapping(int index, const std::string& rest = "service: a", const std::string& host = "\"*\"") {
  return fmt::format(
      "---\napiVersion: getambassador.io/v3alpha1\nkind: Mapping\nmetadata: {{name: m{}, namespace: default}}\n"
      "spec: {{hostname: {}, prefix: /p{}/, {}}}\n",
      index, host, index, rest);
}

ObjectRef ref(int index) { return {Kind::Mapping, "default", fmt::format("m{}", index)}; }

class LedgerTest : public ::testing::Test {
 protected:
  /// What is told of a change.
  std::map<ObjectRef, Desired> apply(const std::vector<engine::Change>& all) {
    const serve::Update update = engine_.apply(all);
    if (!update.upserts.empty() || !update.removals.empty()) ++generation_;
    return report();
  }
  std::map<ObjectRef, Desired> report(std::vector<Finding> refusals = {}) {
    std::vector<Finding> now = engine_.findings();
    now.insert(now.end(), refusals.begin(), refusals.end());
    std::sort(now.begin(), now.end());
    return told(ledger_.update(engine_, std::exchange(findings_, now), now, generation_));
  }
  std::map<ObjectRef, Desired> told(const std::vector<Desired>& all) {
    std::map<ObjectRef, Desired> out;
    for (const Desired& one : all) {
      EXPECT_TRUE(out.emplace(one.ref, one).second) << "twice: " << one.ref.text();
      if (one.verdict) last_[one.ref] = one;
      else last_.erase(one.ref);
    }
    return out;
  }
  Reason programmed(const ObjectRef& ref) const { return last_.at(ref).verdict->programmed.reason; }

  engine::Engine engine_{engine::Options{}};
  Ledger ledger_;
  std::vector<Finding> findings_;
  uint64_t generation_ = 0;
  std::map<ObjectRef, Desired> last_;
};

TEST_F(LedgerTest, TellsOfWhatMovedAlone) {
  ledger_.connected(true);
  EXPECT_EQ(apply(changes(engine::testing::kListenerAndHost + mapping(1) + mapping(2))).size(), 4u);
  EXPECT_EQ(programmed(ref(1)), Reason::Pending);
  EXPECT_EQ(told(ledger_.confirmed(generation_)).size(), 4u);
  EXPECT_EQ(programmed(ref(1)), Reason::Programmed);

  const auto told_of = apply(changes(mapping(1, "service: b")));
  ASSERT_EQ(told_of.size(), 1u);
  EXPECT_EQ(told_of.begin()->first, ref(1));
  EXPECT_EQ(programmed(ref(1)), Reason::Pending);
  EXPECT_EQ(programmed(ref(2)), Reason::Programmed);
  EXPECT_EQ(told(ledger_.confirmed(generation_)).size(), 1u);
  EXPECT_TRUE(report().empty());

  EXPECT_FALSE(apply({{ref(1), nullptr}}).at(ref(1)).verdict);
  EXPECT_EQ(ledger_.size(), 3u);
}

TEST_F(LedgerTest, AnothersChangeMovesAVerdict) {
  ledger_.connected(true);
  apply(changes(engine::testing::kListenerAndHost + mapping(1, "service: a", "shop.example.com")));
  told(ledger_.confirmed(generation_));
  EXPECT_EQ(programmed(ref(1)), Reason::Programmed);
  // The Host for all names goes; one for another name comes.
  const ObjectRef any{Kind::Host, "default", "any"};
  auto changed = changes(
      "apiVersion: getambassador.io/v3alpha1\nkind: Host\nmetadata: {name: b, namespace: default}\n"
      "spec: {hostname: b.com, requestPolicy: {insecure: {action: Route}}}\n");
  changed.push_back({any, nullptr});
  EXPECT_TRUE(apply(changed).contains(ref(1)));
  EXPECT_EQ(programmed(ref(1)), Reason::NotUsed);
  apply(changes(engine::testing::kListenerAndHost));
  EXPECT_EQ(programmed(ref(1)), Reason::Pending) << "it is in a configuration that Envoy has not answered";
  told(ledger_.confirmed(generation_));
  EXPECT_EQ(programmed(ref(1)), Reason::Programmed);
}

TEST_F(LedgerTest, WithoutEnvoy) {
  apply(changes(engine::testing::kListenerAndHost + mapping(1)));
  EXPECT_EQ(programmed(ref(1)), Reason::NoEnvoy);
  told(ledger_.connected(true));
  EXPECT_EQ(programmed(ref(1)), Reason::Pending);
  EXPECT_TRUE(ledger_.connected(true).empty());
  told(ledger_.confirmed(generation_));
  EXPECT_EQ(programmed(ref(1)), Reason::Programmed);
  EXPECT_TRUE(ledger_.connected(false).empty()) << "what Envoy has confirmed stands";
}

TEST_F(LedgerTest, ARefusalAndItsEnd) {
  apply(changes(engine::testing::kListenerAndHost + mapping(1) + mapping(2)));
  told(ledger_.confirmed(generation_));
  Finding refusal;
  refusal.object = ref(1);
  refusal.about = About::Refusal;
  refusal.message = "Envoy refuses the cluster";
  EXPECT_EQ(report({refusal}).size(), 1u);
  EXPECT_EQ(programmed(ref(1)), Reason::Refused);
  EXPECT_EQ(report().size(), 1u);
  EXPECT_EQ(programmed(ref(1)), Reason::Programmed);
}

TEST_F(LedgerTest, ObjectsInAnnotationsHaveNoStatus) {
  const auto told_of =
      apply(changes("apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: default, annotations: {getambassador.io/config: "
                    "\"{apiVersion: getambassador.io/v3alpha1, kind: Mapping, name: m1, prefix: /, service: a}\"}}\nspec: {}\n"));
  EXPECT_TRUE(told_of.empty());
  // Nor the ones of other installations.
  EXPECT_TRUE(apply(changes(mapping(2, "service: a, ambassador_id: [other]"))).empty());
  // One of its own takes the place of the one in the annotation, and is judged by itself.
  EXPECT_EQ(apply(changes(mapping(1))).size(), 1u);
  EXPECT_EQ(last_.at(ref(1)).verdict->accepted.status, Truth::True);
  EXPECT_FALSE(apply({{ref(1), nullptr}}).at(ref(1)).verdict);
}

TEST_F(LedgerTest, TheGenerationJudgedIsTold) {
  auto change = changes(engine::testing::kListenerAndHost + mapping(1));
  apply(change);
  Object newer = *change.back().object;
  newer.generation = 5;
  const auto told_of = apply({{ref(1), std::make_shared<const Object>(newer)}});
  ASSERT_EQ(told_of.size(), 1u);
  EXPECT_EQ(told_of.at(ref(1)).generation, 5);
}

// However it came about, what was told adds up to what a new ledger says of a new engine.
TEST_F(LedgerTest, AddsUpToWhatIsThere) {
  std::mt19937 random(7);
  std::map<ObjectRef, ObjectPtr> objects;
  const auto pick = [&](auto&&... texts) {
    const std::vector<std::string> all{texts...};
    return all[random() % all.size()];
  };
  for (int step = 0; step < 400; ++step) {
    std::string text;
    switch (random() % 6) {
      case 0:
        text =
            "---\napiVersion: getambassador.io/v3alpha1\nkind: Host\nmetadata: {name: h, namespace: default}\nspec: {hostname: " +
            pick("\"*\"", "a.com", "\"%\"") + pick("", ", tlsSecret: {name: cert}") + "}\n";
        break;
      case 1: text = engine::testing::kListenerAndHost; break;
      case 2:
        text = "---\napiVersion: getambassador.io/v3alpha1\nkind: TLSContext\nmetadata: {name: t, namespace: default}\nspec: {" +
               pick("secret: cert", "hosts: [a.com]", "min_tls_version: v9") + "}\n";
        break;
      default:
        text = mapping(static_cast<int>(random() % 4),
                       pick("service: a", "service: b, tls: t", "service: \"a b\"", "service: a, weight: -3",
                            "service: a, ambassador_id: [x]"),
                       pick("\"*\"", "a.com", "b.com"));
    }
    std::vector<engine::Change> all = changes(text);
    for (engine::Change& change : all) {
      if (random() % 4 == 0) change.object = nullptr;
      if (change.object) objects[change.ref] = change.object;
      else objects.erase(change.ref);
    }
    apply(all);
    if (random() % 3 == 0) told(ledger_.confirmed(generation_));

    engine::Engine fresh_engine{engine::Options{}};
    std::vector<engine::Change> everything;
    for (const auto& [one, object] : objects) everything.push_back({one, object});
    fresh_engine.apply(everything);
    Ledger fresh;
    std::map<ObjectRef, Verdict> expected, now;
    for (const Desired& one : fresh.update(fresh_engine, {}, fresh_engine.findings(), 1)) expected[one.ref] = *one.verdict;
    for (const Desired& one : fresh.confirmed(1)) expected[one.ref] = *one.verdict;
    for (const auto& [one, desired] : last_) {
      now[one] = *desired.verdict;
      if (now[one].waits()) setAnswer(now[one], Answer::Confirmed);
    }
    ASSERT_EQ(now, expected) << "after step " << step << ": " << text;
  }
}

}  // namespace
}  // namespace emissary::status
