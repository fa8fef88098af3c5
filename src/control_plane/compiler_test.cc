#include "control_plane/compiler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "engine/testing.h"

namespace emissary::control_plane {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

const std::string kBasics = engine::testing::kListenerAndHost + R"(
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: quote, namespace: default}
spec: {hostname: "*", prefix: /quote/, service: "10.0.0.1:9001", stats_name: quotes}
)";

class CompilerTest : public ::testing::Test {
 protected:
  CompilerTest() { compiler_.start(); }
  ~CompilerTest() override { compiler_.stop(); }

  source::Batch batch(const std::string& yaml, bool synced) const {
    source::Batch result{{}, std::chrono::steady_clock::now()};
    for (const ObjectPtr& object : engine::testing::objects(yaml)) result.events.emplace_back(source::Upsert{object});
    if (synced) result.events.emplace_back(source::Synced{});
    return result;
  }

  /// The update of this number; an empty one, and a failure, when it does not come.
  serve::Update update(size_t number) {
    std::unique_lock lock(mutex_);
    const bool came = changed_.wait_for(lock, 60s, [&] { return updates_.size() >= number; });
    EXPECT_TRUE(came) << "no publication " << number;
    return came ? updates_[number - 1] : serve::Update{};
  }

  /// Wait until the board shows it.
  template <typename Condition>
  bool shows(Condition condition) const {
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (!condition(*board_.current())) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(1ms);
    }
    return true;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<serve::Update> updates_;
  std::map<ObjectRef, std::optional<status::Verdict>> status_;
  diagnostics::Metrics metrics_{{}};
  diagnostics::Health health_{false, std::chrono::steady_clock::now()};
  Board board_;
  Compiler compiler_{{},
                     0s,
                     {[this](serve::Update update) {
                        std::lock_guard lock(mutex_);
                        updates_.push_back(std::move(update));
                        changed_.notify_all();
                      },
                      metrics_, health_, board_,
                      [this](const std::vector<status::Desired>& all) {
                        std::lock_guard lock(mutex_);
                        for (const status::Desired& one : all) status_[one.ref] = one.verdict;
                        changed_.notify_all();
                      }}};

  /// Wait until an object's status is to say so of Programmed; nullptr: until it is to have none.
  bool awaitProgrammed(const ObjectRef& ref, const char* reason) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 60s, [&] {
      const auto it = status_.find(ref);
      if (it == status_.end()) return false;
      return it->second ? reason != nullptr && status::reasonName(it->second->programmed.reason) == reason : reason == nullptr;
    });
  }
};

TEST_F(CompilerTest, NothingBeforeTheSourceHasToldAll) {
  compiler_.submit(batch(kBasics, false));
  compiler_.submit(batch("", true));
  const serve::Update first = update(1);
  EXPECT_EQ(first.generation, 1u);
  EXPECT_FALSE(first.upserts.empty()) << "the first holds what came before the end of the list";
  EXPECT_TRUE(shows([](const Snapshot& s) { return s.generation == 1 && s.stats_names.contains("quotes"); }));
}

TEST_F(CompilerTest, TheFirstIsPublishedEvenIfEmpty) {
  compiler_.submit(batch("", true));
  EXPECT_EQ(update(1).generation, 1u);
  EXPECT_TRUE(shows([this](const Snapshot&) { return health_.ready(std::chrono::steady_clock::now(), false); }));
}

TEST_F(CompilerTest, NoPublicationWhereNothingDiffers) {
  compiler_.submit(batch(kBasics, true));
  update(1);
  compiler_.submit(batch(kBasics, false));
  source::Batch removal{{source::Delete{{Kind::Mapping, "default", "quote"}}}, std::chrono::steady_clock::now()};
  compiler_.submit(std::move(removal));
  EXPECT_EQ(update(2).generation, 2u) << "the repetition made none";
  EXPECT_TRUE(shows([](const Snapshot& s) { return s.stats_names.empty(); }));
}

TEST_F(CompilerTest, FindingsOfFilesReplaceEachOther) {
  compiler_.submit(batch(kBasics, true));
  update(1);
  Finding broken;
  broken.message = "does not parse";
  broken.path = "b.yaml";
  compiler_.submit({{source::FileFindings{"b.yaml", {broken}}}, std::chrono::steady_clock::now()});
  EXPECT_TRUE(shows([](const Snapshot& s) { return s.findings.size() == 1 && s.findings[0].path == "b.yaml"; }));
  compiler_.submit({{source::FileFindings{"b.yaml", {}}}, std::chrono::steady_clock::now()});
  EXPECT_TRUE(shows([](const Snapshot& s) { return s.findings.empty(); }));
}

TEST_F(CompilerTest, ARefusalIsToldToTheObjectsBehindIt) {
  compiler_.submit(batch(kBasics, true));
  const serve::Update first = update(1);
  const auto cluster = std::find_if(first.upserts.begin(), first.upserts.end(),
                                    [](const serve::ResourcePtr& r) { return r->type == serve::Type::Cluster; });
  ASSERT_NE(cluster, first.upserts.end());
  std::vector<serve::Refusal> refusals(1);
  refusals[0].key.name = (*cluster)->name;  // type: Cluster
  refusals[0].version = "v";
  refusals[0].detail = "no such thing " + std::string(5000, 'x');
  compiler_.refused(refusals);
  ASSERT_TRUE(shows([](const Snapshot& s) { return s.findings.size() == 1; }));
  const Finding finding = board_.current()->findings[0];
  EXPECT_EQ(finding.object, (ObjectRef{Kind::Mapping, "default", "quote"}));
  EXPECT_EQ(finding.path, "test.yaml");
  EXPECT_GT(finding.line, 0);
  EXPECT_THAT(finding.message, HasSubstr("no such thing"));
  EXPECT_LT(finding.message.size(), 700u);
  compiler_.refused({});
  EXPECT_TRUE(shows([](const Snapshot& s) { return s.findings.empty(); }));
}

TEST_F(CompilerTest, StatusFollowsEnvoysAnswers) {
  const ObjectRef quote{Kind::Mapping, "default", "quote"};
  compiler_.submit(batch(kBasics, true));
  const serve::Update first = update(1);
  ASSERT_TRUE(awaitProgrammed(quote, "NoEnvoy"));
  compiler_.connected(1);
  ASSERT_TRUE(awaitProgrammed(quote, "Pending"));
  compiler_.confirmed(1);
  ASSERT_TRUE(awaitProgrammed(quote, "Programmed"));

  std::vector<serve::Refusal> refusals(1);
  const auto cluster = std::find_if(first.upserts.begin(), first.upserts.end(),
                                    [](const serve::ResourcePtr& r) { return r->type == serve::Type::Cluster; });
  ASSERT_NE(cluster, first.upserts.end());
  refusals[0].key.name = (*cluster)->name;  // type: Cluster
  refusals[0].detail = "no";
  compiler_.refused(refusals);
  ASSERT_TRUE(awaitProgrammed(quote, "Refused"));
  compiler_.refused({});
  ASSERT_TRUE(awaitProgrammed(quote, "Programmed"));

  compiler_.submit({{source::Delete{quote}}, std::chrono::steady_clock::now()});
  ASSERT_TRUE(awaitProgrammed(quote, nullptr));
}

TEST_F(CompilerTest, AnotherEnvoyGetsAConfigurationEvenWithoutADifference) {
  const ir::EnvoyBuild reduced{"1.37.0", 1u << static_cast<unsigned>(ir::Extension::Gzip)};
  compiler_.envoy(reduced);  // before there is any configuration
  compiler_.submit(batch(kBasics, true));
  EXPECT_EQ(update(1).envoy, reduced);
  compiler_.envoy({});
  const serve::Update second = update(2);
  EXPECT_EQ(second.envoy, ir::EnvoyBuild());
  EXPECT_TRUE(second.upserts.empty());  // nothing here asks for gzip
  EXPECT_EQ(second.generation, 2u);
}

TEST_F(CompilerTest, WhatEnvoySaysAboutASecretIsNotRepeated) {
  compiler_.submit(batch(kBasics, true));
  update(1);
  std::vector<serve::Refusal> refusals(1);
  refusals[0].key.type = serve::Type::Secret;
  refusals[0].key.name = "s";
  refusals[0].version = "v";
  refusals[0].detail = "LEAK";
  compiler_.refused(refusals);
  ASSERT_TRUE(shows([](const Snapshot& s) { return s.findings.size() == 1; }));
  EXPECT_THAT(board_.current()->findings[0].message, ::testing::Not(HasSubstr("LEAK")));
}

}  // namespace
}  // namespace emissary::control_plane
