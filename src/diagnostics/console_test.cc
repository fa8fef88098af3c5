#include "diagnostics/console.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "diagnostics/testing.h"

namespace emissary::diagnostics {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

const std::string kDiag = "/ambassador/v0/diag/";

class ConsoleTest : public ::testing::Test {
 protected:
  static StatePtr ruled(engine::DiagnosticsRule rule) {
    const testing::Stage stage(testing::kBasics);
    auto view = std::make_shared<engine::View>(*stage.scene.state->view);
    view->diagnostics = rule;
    auto state = std::make_shared<State>(*stage.scene.state);
    state->view = view;
    return state;
  }

  Reply get(const std::string& path, std::map<std::string, std::string> parameters = {}, bool local = true) {
    return console_.answer({"GET", path, std::move(parameters), local, "http", "gw.test"});
  }

  StatePtr state_ = ruled({});
  std::vector<std::string> asked_;
  std::vector<bool> debug_;
  Console console_{{},
                   {[this] { return state_; },
                    [this](const std::string& method, const std::string& path) -> std::optional<std::string> {
                      asked_.push_back(method + " " + path);
                      return "";
                    },
                    [this](bool on) { debug_.push_back(on); }, nullptr}};
};

TEST_F(ConsoleTest, BeforeTheFirstConfiguration) {
  state_ = nullptr;
  EXPECT_EQ(get(kDiag).status, 503);
  EXPECT_EQ(get(kDiag).body, "Can't do overview before configuration");
  EXPECT_EQ(get("/_internal/v0/features").body, "Can't do features before configuration");
  EXPECT_EQ(get("/_internal/v0/ping").body, "ACK\n");
  EXPECT_EQ(get("/ambassador/v0/favicon.ico").status, 200);
}

TEST_F(ConsoleTest, WhoMayLook) {
  struct {
    engine::DiagnosticsRule rule;
    bool local;
    int status;
  } cases[] = {{{true, false}, false, 200}, {{false, false}, true, 200}, {{false, true}, false, 200}, {{false, false}, false, 404}};
  for (const auto& one : cases) {
    state_ = ruled(one.rule);
    for (const std::string& path : {kDiag, kDiag + "quote.default.1"}) {
      EXPECT_EQ(get(path, {}, one.local).status, one.status) << one.rule.enabled << one.rule.allow_non_local << one.local;
    }
  }
  EXPECT_EQ(get(kDiag, {}, false).body, "Not found\n");
}

TEST_F(ConsoleTest, WhatIsForThisMachineOnly) {
  for (const char* path : {"/_internal/v0/ping", "/_internal/v0/features"}) {
    EXPECT_EQ(get(path, {}, false).status, 403) << path;
    EXPECT_EQ(get(path, {}, true).status, 200) << path;
  }
}

TEST_F(ConsoleTest, Paths) {
  EXPECT_EQ(get("/ambassador/v0/diag").status, 308);
  EXPECT_EQ(get("/ambassador/v0/diag").location, "diag/");
  EXPECT_THAT(get(kDiag).type, HasSubstr("text/html"));
  EXPECT_EQ(get(kDiag, {{"json", "true"}}).type, "application/json");
  EXPECT_EQ(get(kDiag, {{"filter", "errors"}}).body, "[]\n");
  EXPECT_EQ(get(kDiag, {{"json", "1"}, {"filter", "nope"}}).body, "null\n");
  EXPECT_EQ(get(kDiag + "nope").status, 404);
  EXPECT_EQ(get("/ambassador/v0/diagnosis").status, 404);
  EXPECT_EQ(get("/nope").status, 404);
  EXPECT_EQ(console_.answer({"POST", kDiag, {}, true, "", ""}).status, 405);
  EXPECT_EQ(console_.answer({"POST", "/nope", {}, true, "", ""}).status, 404);
  const Json detail = Json::parse(get(kDiag + "quote.default.1", {{"json", "1"}, {"method", "GET"}}).body);
  EXPECT_EQ(detail["method"], "GET");
  EXPECT_EQ(detail["resource"], "");
  EXPECT_TRUE(Json::parse(get("/debug").body).contains("timers"));
}

TEST_F(ConsoleTest, PatchesLeadFromOneAnswerToTheNext) {
  const auto patch = [&] { return Json::parse(get(kDiag, {{"json", "1"}, {"patch_client", "me"}}).body); };
  const Json before = Json::object().patch(patch());
  EXPECT_TRUE(before["groups"].is_object());
  EXPECT_EQ(before.dump().find("serialization"), std::string::npos);
  const testing::Stage next(std::string(testing::kBasics) + R"(
---
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: more, namespace: default}
spec: {hostname: "*", prefix: /more/, service: more}
)");
  state_ = next.scene.state;
  const Json after = before.patch(patch());
  EXPECT_EQ(after["groups"].size(), 2u);
  EXPECT_EQ(get(kDiag, {{"json", "1"}, {"patch_client", "me"}}).body, "[]\n");
  for (int i = 0; i < 12; ++i) get(kDiag, {{"json", "1"}, {"patch_client", std::to_string(i)}});
  EXPECT_EQ(Json::object().patch(patch()), after) << "forgotten for the sake of ten newer ones";
}

TEST_F(ConsoleTest, LogLevel) {
  get(kDiag, {{"loglevel", "debug"}});
  get(kDiag, {{"loglevel", "warning"}});
  get(kDiag, {{"loglevel", "nonsense"}});
  EXPECT_EQ(debug_, (std::vector<bool>{true, false}));
  EXPECT_EQ(get(kDiag, {{"loglevel", "debug"}}, false).status, 403) << "looking is one thing";
  EXPECT_EQ(debug_.size(), 2u);
}

TEST(Console, ALongLineIsSentAway) {
  std::promise<void> go;
  const std::shared_future<void> gone = go.get_future().share();
  std::atomic<int> waiting{0};
  Console console({}, {[&]() -> StatePtr {
                         ++waiting;
                         gone.wait();
                         return nullptr;
                       },
                       [](const std::string&, const std::string&) { return std::nullopt; }, [](bool) {}, nullptr});
  const Request request{"GET", kDiag, {}, true, "", ""};
  std::atomic<int> busy{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < Console::kLine + 4; ++i) {
    threads.emplace_back([&] {
      if (console.answer(request).body.starts_with("Too many")) ++busy;
    });
  }
  while (busy < 4) std::this_thread::yield();
  EXPECT_EQ(console.answer({"GET", "/_internal/v0/ping", {}, true, "", ""}).status, 200);
  go.set_value();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(busy, 4);
}

}  // namespace
}  // namespace emissary::diagnostics
