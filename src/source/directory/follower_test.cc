#include "source/directory/follower.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <random>
#include <string>

#include "source/directory/test_support.h"

namespace emissary::source {
namespace {

namespace fs = std::filesystem;

/// Passes on to inotify, counts, and can lose what it is told.
class LossyNotifier : public Notifier {
 public:
  struct Control {
    std::atomic<bool> lose = false;
    std::atomic<int> lost = 0;
    std::atomic<int> added = 0;
    std::atomic<bool> refuse = false;
  };
  explicit LossyNotifier(Control& control) : control_(control) {}
  int fd() const override { return real_->fd(); }
  int add(const std::string& folder) override {
    ++control_.added;
    return control_.refuse ? -ENOSPC : real_->add(folder);
  }
  void remove(int watch) override { real_->remove(watch); }
  std::vector<Notice> read() override {
    std::vector<Notice> notices = real_->read();
    if (!control_.lose || notices.empty()) return notices;
    ++control_.lost;
    return {Notice{-1, IN_Q_OVERFLOW, ""}};
  }

 private:
  Control& control_;
  std::unique_ptr<Notifier> real_ = makeNotifier();
};

class FollowerTest : public testing::Test {
 protected:
  ~FollowerTest() override {
    collector_.hold(false);
    follower_.reset();
  }

  DirectoryOptions options() const {
    DirectoryOptions options;
    options.path = root_;
    options.max_file_bytes = 8u << 20;
    return options;
  }
  void follow() {
    follower_ = std::make_unique<Follower>(
        options(), collector_.sink(),
        [this](const manifest::Value& document, const model::ParseContext& context) {
          ++parsed_;
          return parseByName(document, context);
        },
        std::make_unique<LossyNotifier>(control_));
    follower_->start();
    ASSERT_TRUE(collector_.waitForSync());
    collector_.takeBatches();
  }
  State readOnce() const {
    State state;
    state.apply(Follower::readOnce(options(), parseByName));
    return state;
  }
  bool waitFor(const std::function<bool(const State&)>& condition) { return collector_.waitFor(condition); }
  bool has(const std::string& name, const std::string& value) {
    return waitFor([&](const State& state) { return state.has(name, value); });
  }
  bool lacks(const std::string& name) {
    return waitFor([&](const State& state) { return state.lacks(name); });
  }
  /// All notices so far are dealt with: this one came after them.
  void barrier() {
    const std::string name = fmt::format("barrier{}", ++barriers_);
    replaceFile(root_ + "/zz-barrier.yaml", manifest(name, "1"));
    ASSERT_TRUE(has(name, "1"));
  }
  /// Events other than those of barriers since the last takeBatches().
  std::string eventsSince() {
    std::string text;
    for (const Batch& batch : collector_.takeBatches()) {
      for (const Event& event : batch.events) {
        if (const auto* upsert = std::get_if<Upsert>(&event); upsert && !upsert->object->ref.name.starts_with("barrier")) {
          text += "+" + upsert->object->ref.name + " ";
        }
        if (const auto* gone = std::get_if<Delete>(&event); gone && !gone->ref.name.starts_with("barrier")) {
          text += "-" + gone->ref.name + " ";
        }
        if (const auto* file = std::get_if<FileFindings>(&event)) text += fmt::format("!{} ", file->findings.size());
      }
    }
    return text;
  }

  ScratchFolder scratch_;
  const std::string root_ = [this] {
    fs::create_directory(scratch_ / "conf");
    return scratch_ / "conf";
  }();
  Collector collector_;
  LossyNotifier::Control control_;
  std::atomic<int> parsed_ = 0;
  int barriers_ = 0;
  std::unique_ptr<Follower> follower_;
};

TEST_F(FollowerTest, FirstBatchHoldsEverythingAndEndsWithSynced) {
  fs::create_directories(root_ + "/a/b");
  writeFile(root_ + "/one.yaml", manifest("one", "1"));
  writeFile(root_ + "/a/two.yml", manifest("two", "2"));
  writeFile(root_ + "/a/b/three.json", R"({"kind":"Mapping","metadata":{"name":"three"},"spec":{"value":"3"}})");
  writeFile(root_ + "/ignored.txt", manifest("four", "4"));
  writeFile(root_ + "/.hidden.yaml", manifest("five", "5"));
  follow();
  const State state = collector_.state();
  EXPECT_EQ(state.objects.size(), 3u);
  EXPECT_TRUE(state.has("one", "1") && state.has("two", "2") && state.has("three", "3"));
  EXPECT_EQ(state.place("two"), root_ + "/a/two.yml:2");
  EXPECT_EQ(state.synced, 1);
  EXPECT_EQ(state.text(), readOnce().text());

  const Batch once = Follower::readOnce(options(), parseByName);
  EXPECT_TRUE(std::holds_alternative<Synced>(once.events.back()));
  DirectoryOptions file = options();
  file.path = root_ + "/a/two.yml";
  State single;
  single.apply(Follower::readOnce(file, parseByName));
  EXPECT_EQ(single.objects.size(), 1u);
  EXPECT_EQ(single.place("two"), root_ + "/a/two.yml:2");
}

TEST_F(FollowerTest, FilesAreWrittenReplacedRenamedAndRemoved) {
  follow();
  writeFile(root_ + "/a.yaml", manifest("x", "1"));
  EXPECT_TRUE(has("x", "1"));
  replaceFile(root_ + "/a.yaml", manifest("x", "2"));
  EXPECT_TRUE(has("x", "2"));
  writeFile(root_ + "/a.yaml", manifest("x", "3"));
  EXPECT_TRUE(has("x", "3"));
  collector_.takeBatches();
  fs::rename(root_ + "/a.yaml", root_ + "/b.yaml");
  EXPECT_TRUE(waitFor([&](const State& state) { return state.place("x") == root_ + "/b.yaml:2"; }));
  EXPECT_EQ(eventsSince(), "+x ");  // not deleted in between
  fs::rename(root_ + "/b.yaml", root_ + "/b.txt");
  EXPECT_TRUE(lacks("x"));
  fs::rename(root_ + "/b.txt", root_ + "/b.yaml");
  EXPECT_TRUE(has("x", "3"));
  fs::remove(root_ + "/b.yaml");
  EXPECT_TRUE(lacks("x"));
  EXPECT_TRUE(collector_.state().objects.empty());
}

TEST_F(FollowerTest, OnlyWhatChangedIsReadAndTold) {
  for (int i = 0; i < 200; ++i) writeFile(fmt::format("{}/{:03}.yaml", root_, i), manifest(fmt::format("m{}", i), "1"));
  follow();
  parsed_ = 0;
  const int added = control_.added;
  writeFile(root_ + "/050.yaml", manifest("m50", "1"));  // the same bytes
  fs::last_write_time(root_ + "/051.yaml", fs::file_time_type::clock::now());
  replaceFile(root_ + "/052.yaml", manifest("m52", "2"));
  EXPECT_TRUE(has("m52", "2"));
  EXPECT_EQ(parsed_, 1);
  EXPECT_EQ(eventsSince(), "+m52 ");
  replaceFile(root_ + "/052.yaml", manifest("m52", "2") + "# a comment\n");
  barrier();
  EXPECT_EQ(eventsSince(), "");  // parsed again, and no object differs
  replaceFile(root_ + "/052.yaml", "# a comment\n" + manifest("m52", "2"));
  barrier();
  EXPECT_EQ(eventsSince(), "+m52 ");  // its line moved
  EXPECT_EQ(control_.added, added);   // no folder was looked through
}

TEST_F(FollowerTest, OneOfTenThousandDocumentsChanges) {
  const auto text = [](int changed) {
    std::string all;
    for (int i = 0; i < 10'000; ++i) all += manifest(fmt::format("m{}", i), i == changed ? "2" : "1");
    return all;
  };
  writeFile(root_ + "/big.yaml", text(-1));
  follow();
  EXPECT_EQ(collector_.state().objects.size(), 10'000u);
  replaceFile(root_ + "/big.yaml", text(7'000));
  EXPECT_TRUE(has("m7000", "2"));
  EXPECT_EQ(eventsSince(), "+m7000 ");
}

TEST_F(FollowerTest, ABrokenFileKeepsItsLastObjects) {
  writeFile(root_ + "/a.yaml", manifest("x", "1"));
  writeFile(root_ + "/new.yaml", "a: [");
  follow();
  EXPECT_NE(collector_.state().messages(root_ + "/new.yaml").find("nothing in the file is used"), std::string::npos);
  writeFile(root_ + "/a.yaml", manifest("x", "2") + "a: b: c\n");
  EXPECT_TRUE(waitFor([&](const State& state) { return state.findings.contains(root_ + "/a.yaml"); }));
  State state = collector_.state();
  EXPECT_TRUE(state.has("x", "1"));
  EXPECT_EQ(state.findings[root_ + "/a.yaml"].front().line, 5);
  EXPECT_NE(state.messages(root_ + "/a.yaml").find("1 object) stays in use"), std::string::npos);
  writeFile(root_ + "/a.yaml", manifest("x", "1"));
  EXPECT_TRUE(waitFor([&](const State& now) { return !now.findings.contains(root_ + "/a.yaml"); }));
  writeFile(root_ + "/a.yaml", "]");
  EXPECT_TRUE(waitFor([&](const State& now) { return now.findings.contains(root_ + "/a.yaml"); }));
  fs::remove(root_ + "/a.yaml");  // a removed file is not a broken one
  EXPECT_TRUE(lacks("x"));
  EXPECT_FALSE(collector_.state().findings.contains(root_ + "/a.yaml"));
}

TEST_F(FollowerTest, AFileThatIsTooBigIsLikeOneThatDoesNotParse) {
  writeFile(root_ + "/a.yaml", manifest("x", "1"));
  follow();
  writeFile(root_ + "/a.yaml", manifest("x", "2") + std::string(9u << 20, '#'));
  EXPECT_TRUE(waitFor([&](const State& state) { return state.messages(root_ + "/a.yaml").find("larger") != std::string::npos; }));
  EXPECT_TRUE(collector_.state().has("x", "1"));
  writeFile(root_ + "/a.yaml", manifest("x", "1"));  // the bytes it had when it was read last
  EXPECT_TRUE(waitFor([&](const State& state) { return !state.findings.contains(root_ + "/a.yaml"); }));
  EXPECT_TRUE(collector_.state().has("x", "1"));
}

TEST_F(FollowerTest, FindingsOfDocumentsAndDuplicates) {
  writeFile(root_ + "/a.yaml", manifest("x", "1") + "---\nkind: Nonsense\n" + manifest("w", "odd"));
  writeFile(root_ + "/b.yaml", manifest("x", "2"));
  follow();
  State state = collector_.state();
  EXPECT_TRUE(state.has("x", "1"));
  EXPECT_EQ(state.messages(root_ + "/a.yaml"), "6: kind is unknown\n");
  EXPECT_EQ(state.objects[mapping("w")]->findings.size(), 1u);
  EXPECT_NE(state.messages(root_ + "/b.yaml").find("already defined at " + root_ + "/a.yaml:2"), std::string::npos);
  fs::remove(root_ + "/a.yaml");
  EXPECT_TRUE(has("x", "2"));
  EXPECT_TRUE(waitFor([](const State& now) { return now.findings.empty(); }));
  EXPECT_TRUE(lacks("w"));
}

TEST_F(FollowerTest, FoldersAppearFilledAndGo) {
  follow();
  for (int i = 0; i < 20; ++i) {  // folders and files at the same moment, deeper than any watch can follow
    const std::string folder = fmt::format("{}/f{}/g/h", root_, i);
    fs::create_directories(folder);
    writeFile(folder + "/a.yaml", manifest(fmt::format("a{}", i), "1"));
    writeFile(folder + "/../b.yaml", manifest(fmt::format("b{}", i), "1"));
  }
  EXPECT_TRUE(waitFor([](const State& state) { return state.objects.size() == 40; }));
  replaceFile(root_ + "/f7/g/h/a.yaml", manifest("a7", "2"));
  EXPECT_TRUE(has("a7", "2"));
  fs::rename(root_ + "/f7", root_ + "/moved");
  EXPECT_TRUE(waitFor([&](const State& state) { return state.place("a7") == root_ + "/moved/g/h/a.yaml:2"; }));
  EXPECT_EQ(eventsSince().find("-a7"), std::string::npos);
  replaceFile(root_ + "/moved/g/h/a.yaml", manifest("a7", "3"));
  EXPECT_TRUE(has("a7", "3"));
  fs::rename(root_ + "/f8", scratch_ / "away");
  EXPECT_TRUE(lacks("a8"));
  fs::remove_all(root_ + "/f9");
  EXPECT_TRUE(lacks("a9"));
  EXPECT_TRUE(lacks("b9"));
  EXPECT_TRUE(waitFor([this](const State& state) { return state.text() == readOnce().text(); }));
  fs::create_directories(root_ + "/f9/g");  // the same name again
  replaceFile(root_ + "/f9/g/n.yaml", manifest("nn", "1"));
  EXPECT_TRUE(has("nn", "1"));
  replaceFile(root_ + "/f9/g/n.yaml", manifest("nn", "2"));
  EXPECT_TRUE(has("nn", "2"));
}

TEST_F(FollowerTest, ConfigMapMount) {
  const auto fill = [this](const std::string& version, const std::string& value) {
    fs::create_directory(root_ + "/" + version);
    for (const char* name : {"a", "b"}) writeFile(root_ + "/" + version + "/" + name + ".yaml", manifest(name, value));
  };
  const auto swap = [this](const std::string& version) {
    fs::create_symlink(version, root_ + "/..data_tmp");
    fs::rename(root_ + "/..data_tmp", root_ + "/..data");
  };
  fill("..v1", "1");
  swap("..v1");
  fs::create_symlink("..data/a.yaml", root_ + "/a.yaml");
  fs::create_symlink("..data/b.yaml", root_ + "/b.yaml");
  follow();
  State state = collector_.state();
  EXPECT_EQ(state.objects.size(), 2u);
  EXPECT_TRUE(state.findings.empty()) << state.text();  // each object counts once
  EXPECT_EQ(state.place("a"), root_ + "/a.yaml:2");
  for (int i = 2; i < 12; ++i) {
    const std::string value = std::to_string(i);
    fill("..v" + value, value);
    swap("..v" + value);
    fs::remove_all(fmt::format("{}/..v{}", root_, i - 1));
    EXPECT_TRUE(waitFor([&](const State& now) { return now.has("a", value) && now.has("b", value); }));
  }
  for (const Batch& batch : collector_.takeBatches()) {
    EXPECT_EQ(batch.events.size(), 2u);  // one swap is one batch, without deletes or findings
    for (const Event& event : batch.events) EXPECT_TRUE(std::holds_alternative<Upsert>(event));
  }
  fs::create_directory(root_ + "/..v12");
  writeFile(root_ + "/..v12/a.yaml", manifest("a", "12"));
  swap("..v12");  // b is no key any more: its link leads nowhere until it is removed
  EXPECT_TRUE(lacks("b"));
  fs::remove(root_ + "/b.yaml");
  EXPECT_TRUE(has("a", "12"));
  EXPECT_TRUE(waitFor([](const State& now) { return now.findings.empty(); }));
}

TEST_F(FollowerTest, LinksToFilesAndFoldersAreFollowed) {
  fs::create_directory(scratch_ / "elsewhere");
  fs::create_directory(scratch_ / "lib");
  writeFile(scratch_ / "elsewhere/a.yaml", manifest("a", "1"));
  writeFile(scratch_ / "lib/b.yaml", manifest("b", "1"));
  fs::create_symlink(scratch_ / "elsewhere/a.yaml", root_ + "/a.yaml");
  fs::create_symlink("../lib", root_ + "/lib");
  fs::create_symlink("not-yet.d/n.yaml", root_ + "/n.yaml");
  follow();
  EXPECT_TRUE(has("a", "1") && has("b", "1"));
  EXPECT_NE(collector_.state().messages(root_ + "/n.yaml").find("nothing"), std::string::npos);
  replaceFile(scratch_ / "elsewhere/a.yaml", manifest("a", "2"));
  EXPECT_TRUE(has("a", "2"));
  writeFile(scratch_ / "elsewhere/a.yaml", manifest("a", "3"));
  EXPECT_TRUE(has("a", "3"));
  replaceFile(scratch_ / "lib/b.yaml", manifest("b", "2"));
  EXPECT_TRUE(has("b", "2"));
  fs::rename(scratch_ / "lib", scratch_ / "lib-old");
  EXPECT_TRUE(lacks("b"));
  fs::create_directory(scratch_ / "lib");
  writeFile(scratch_ / "lib/c.yaml", manifest("c", "1"));
  EXPECT_TRUE(has("c", "1"));
  fs::create_directory(root_ + "/not-yet.d");
  replaceFile(root_ + "/not-yet.d/n.yaml", manifest("nn", "1"));
  EXPECT_TRUE(has("nn", "1"));
  EXPECT_TRUE(waitFor([&](const State& state) {
    return state.findings.contains(root_ + "/not-yet.d/n.yaml") || state.findings.contains(root_ + "/n.yaml");
  }));
  fs::create_symlink(scratch_ / "elsewhere", scratch_ / "link");  // a retargeted link, atomically
  fs::rename(scratch_ / "link", root_ + "/lib");
  EXPECT_TRUE(lacks("c"));
  EXPECT_TRUE(waitFor([this](const State& state) { return state.text() == readOnce().text(); }));
}

TEST_F(FollowerTest, LoopsOfLinksEnd) {
  fs::create_directories(root_ + "/a/b");
  fs::create_symlink("..", root_ + "/a/b/up");
  fs::create_symlink("self.yaml", root_ + "/self.yaml");
  fs::create_symlink(root_, root_ + "/a/root");
  writeFile(root_ + "/a/b/x.yaml", manifest("x", "1"));
  follow();
  State state = collector_.state();
  EXPECT_EQ(state.objects.size(), 1u);
  EXPECT_EQ(state.findings.size(), 3u) << state.text();
  EXPECT_NE(state.messages(root_ + "/a/b/up").find("contains it"), std::string::npos);
}

TEST_F(FollowerTest, HardLinksAndFilesWithoutAnEndOfWriting) {
  writeFile(scratch_ / "outside.yaml", manifest("hard", "1"));
  follow();
  fs::create_hard_link(scratch_ / "outside.yaml", root_ + "/hard.yaml");
  EXPECT_TRUE(has("hard", "1"));
  // A linked file whose other name is gone at once looks as if it were being written.
  writeFile(scratch_ / "temporary", manifest("late", "1"));
  fs::create_hard_link(scratch_ / "temporary", root_ + "/late.yaml");
  fs::remove(scratch_ / "temporary");
  EXPECT_TRUE(has("late", "1"));
}

TEST_F(FollowerTest, AFileThatIsBeingWrittenAnewIsReadAtItsEnd) {
  writeFile(root_ + "/a.yaml", manifest("x", "1") + manifest("w", "1"));
  follow();
  collector_.takeBatches();
  std::ofstream out(root_ + "/a.yaml", std::ios::trunc);
  out << manifest("x", "2") << std::flush;  // cut here it would be valid, and lack w
  barrier();
  EXPECT_EQ(eventsSince(), "");
  std::ofstream fresh(root_ + "/b.yaml");
  fresh << manifest("z", "1") << std::flush;
  barrier();
  EXPECT_EQ(eventsSince(), "");
  out << manifest("w", "2");
  out.close();
  EXPECT_TRUE(waitFor([](const State& state) { return state.has("x", "2") && state.has("w", "2"); }));
  EXPECT_EQ(eventsSince(), "+w +x ");
  fresh.close();
  EXPECT_TRUE(has("z", "1"));
}

TEST_F(FollowerTest, LostNotices) {
  writeFile(root_ + "/same.yaml", manifest("same", "1"));
  writeFile(root_ + "/changed.yaml", manifest("changed", "1"));
  writeFile(root_ + "/removed.yaml", manifest("removed", "1"));
  fs::create_directory(root_ + "/old");
  writeFile(root_ + "/old/o.yaml", manifest("o", "1"));
  follow();
  control_.lose = true;
  replaceFile(root_ + "/changed.yaml", manifest("changed", "2"));
  fs::remove(root_ + "/removed.yaml");
  fs::remove_all(root_ + "/old");
  fs::create_directories(root_ + "/new/deep");
  writeFile(root_ + "/new/deep/n.yaml", manifest("nn", "1"));
  EXPECT_TRUE(waitFor([this](const State& state) { return state.has("nn", "1") && state.text() == readOnce().text(); }));
  EXPECT_GT(control_.lost, 0);
  control_.lose = false;
  EXPECT_EQ(eventsSince().find("same"), std::string::npos);
  replaceFile(root_ + "/new/deep/n.yaml", manifest("nn", "2"));  // what appeared unseen is followed
  EXPECT_TRUE(has("nn", "2"));
}

TEST_F(FollowerTest, TheKernelsQueueOverflows) {
  int limit = 0;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> limit;
  if (limit <= 0 || limit > 100'000) GTEST_SKIP() << "the queue holds " << limit << " notices";
  writeFile(root_ + "/a.yaml", manifest("a", "1"));
  follow();
  collector_.hold(true);
  replaceFile(root_ + "/first.yaml", manifest("first", "1"));
  // While its thread waits in the sink, more than the queue holds; equal neighbours would be merged.
  for (int i = 0; i <= limit; ++i) chmod((root_ + (i % 2 == 0 ? "/a.yaml" : "/first.yaml")).c_str(), 0644);
  fs::create_directory(root_ + "/lost");
  writeFile(root_ + "/lost/l.yaml", manifest("l", "1"));
  collector_.hold(false);
  EXPECT_TRUE(has("l", "1"));
  replaceFile(root_ + "/lost/l.yaml", manifest("l", "2"));
  EXPECT_TRUE(has("l", "2"));
}

TEST_F(FollowerTest, TheKernelRefusesToWatch) {
  control_.refuse = true;
  writeFile(root_ + "/a.yaml", manifest("a", "1"));
  follow();
  EXPECT_NE(collector_.state().messages(root_).find("max_user_watches"), std::string::npos);
  replaceFile(root_ + "/a.yaml", manifest("a", "2"));
  EXPECT_TRUE(has("a", "2"));
  control_.refuse = false;  // watched again as soon as it is possible
  EXPECT_TRUE(waitFor([](const State& state) { return state.findings.empty(); }));
  replaceFile(root_ + "/a.yaml", manifest("a", "3"));
  EXPECT_TRUE(has("a", "3"));
}

TEST_F(FollowerTest, TheRootGoesAndComesBack) {
  writeFile(root_ + "/a.yaml", manifest("a", "1"));
  writeFile(root_ + "/b.yaml", manifest("b", "1"));
  follow();
  const std::string away = scratch_ / "away";
  fs::rename(root_, away);
  EXPECT_TRUE(waitFor([this](const State& state) { return state.findings.contains(root_); }));
  EXPECT_TRUE(collector_.state().has("a", "1"));  // all at once: kept
  fs::remove_all(away);                           // and what happens to it elsewhere is not ours
  fs::create_directory(scratch_ / "next");
  writeFile(scratch_ / "next/a.yaml", manifest("a", "2"));
  fs::rename(scratch_ / "next", root_);
  EXPECT_TRUE(has("a", "2"));
  EXPECT_TRUE(lacks("b"));
  EXPECT_TRUE(waitFor([](const State& state) { return state.findings.empty(); }));
  EXPECT_EQ(eventsSince().find("-a"), std::string::npos);
  replaceFile(root_ + "/a.yaml", manifest("a", "3"));
  EXPECT_TRUE(has("a", "3"));
}

TEST_F(FollowerTest, TheRootIsRemovedFileByFile) {
  fs::create_directory(root_ + "/sub");
  writeFile(root_ + "/a.yaml", manifest("a", "1"));
  writeFile(root_ + "/sub/b.yaml", manifest("b", "1"));
  follow();
  fs::remove_all(root_);
  EXPECT_TRUE(waitFor([this](const State& state) { return state.findings.contains(root_) && state.objects.empty(); }));
  fs::create_directory(root_);
  writeFile(root_ + "/c.yaml", manifest("c", "1"));
  EXPECT_TRUE(has("c", "1"));
  EXPECT_TRUE(waitFor([](const State& state) { return state.findings.empty(); }));
}

TEST_F(FollowerTest, TheRootAppearsLate) {
  fs::remove_all(scratch_ / "conf");
  DirectoryOptions late = options();
  late.path = scratch_ / "x/y/z/";
  Collector collector;
  Follower follower(late, collector.sink(), parseByName, makeNotifier());
  follower.start();
  ASSERT_TRUE(collector.waitForSync());
  const std::string root = scratch_ / "x/y/z";
  EXPECT_NE(collector.state().messages(root).find("No such file"), std::string::npos);
  fs::create_directories(root);
  writeFile(root + "/a.yaml", manifest("a", "1"));
  EXPECT_TRUE(collector.waitFor([](const State& state) { return state.has("a", "1") && state.findings.empty(); }));
}

TEST_F(FollowerTest, TheRootIsALinkThatIsSwapped) {
  for (const char* version : {"v1", "v2"}) {
    fs::create_directory(scratch_ / version);
    writeFile(scratch_ / std::string(version) + "/a.yaml", manifest("a", version));
  }
  fs::remove_all(root_);
  fs::create_symlink("v1", root_);
  follow();
  EXPECT_TRUE(has("a", "v1"));
  fs::create_symlink("v2", scratch_ / "tmp");
  fs::rename(scratch_ / "tmp", root_);
  EXPECT_TRUE(has("a", "v2"));
  EXPECT_EQ(eventsSince(), "+a ");
  replaceFile(scratch_ / "v2/a.yaml", manifest("a", "3"));
  EXPECT_TRUE(has("a", "3"));
}

TEST_F(FollowerTest, StopsAtOnceAndOnlyOnce) {
  follow();
  follower_->stop();
  follower_->stop();
  replaceFile(root_ + "/a.yaml", manifest("a", "1"));
  EXPECT_TRUE(collector_.state().objects.empty());
}

/// Whatever happens to the files, what was told adds up to what a new look at the folder finds.
class RandomEdits : public FollowerTest, public testing::WithParamInterface<unsigned> {
 protected:
  std::string anyFolder() {
    const std::string folder = fmt::format("{}/d{}", root_, pick(4));
    if (pick(4) == 0) return root_;
    std::error_code ignored;
    fs::create_directory(folder, ignored);
    return folder;
  }
  std::string anyFile() { return fmt::format("{}/f{}.yaml", anyFolder(), pick(5)); }
  std::string anyText() {
    std::string text;
    for (unsigned i = pick(4) + 1; i > 0; --i) text += manifest(fmt::format("m{}", pick(12)), std::to_string(pick(5)));
    return text;
  }
  unsigned pick(unsigned below) { return std::uniform_int_distribution<unsigned>(0, below - 1)(random_); }

  void edit() {
    std::error_code ignored;
    switch (pick(10)) {
      case 0:
      case 1: writeFile(anyFile(), anyText()); break;
      case 2:
      case 3:
        writeFile(root_ + "/.draft", anyText());
        fs::rename(root_ + "/.draft", anyFile(), ignored);
        break;
      case 4: fs::remove(anyFile(), ignored); break;
      case 5: fs::rename(anyFile(), anyFile(), ignored); break;
      case 6: fs::rename(anyFolder(), fmt::format("{}/d{}", root_, pick(4)), ignored); break;
      case 7:
        if (const std::string folder = anyFolder(); folder != root_) fs::remove_all(folder, ignored);
        break;
      case 8:
        fs::create_symlink(pick(2) == 0 ? anyFile() : anyFolder(), fmt::format("{}/l{}.yaml", anyFolder(), pick(3)), ignored);
        break;
      default: fs::remove(fmt::format("{}/l{}.yaml", anyFolder(), pick(3)), ignored); break;
    }
  }

  std::mt19937 random_{GetParam()};
};

TEST_P(RandomEdits, AddUpToWhatIsThere) {
  follow();
  for (int i = 0; i < 200; ++i) {
    edit();
    if (pick(20) == 0) control_.lose = !control_.lose;
  }
  barrier();
  EXPECT_TRUE(waitFor([this](const State& state) { return state.text() == readOnce().text(); }))
      << collector_.state().text() << "\n--- but there is\n"
      << readOnce().text();
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomEdits, testing::Range(1u, 9u));

}  // namespace
}  // namespace emissary::source
