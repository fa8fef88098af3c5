// The client against a real server on loopback (HTTP/1.1; HTTP/2 is what the tests with a real API server use).

#include "kube/curl_client.h"

#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>

namespace emissary::kube {
namespace {

using namespace std::chrono_literals;

/// Opens once; whoever comes before waits.
class Gate {
 public:
  void open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

class CurlClientTest : public testing::Test {
 protected:
  CurlClientTest() {
    server_.Get("/hello", [](const httplib::Request& request, httplib::Response& response) {
      response.set_content(request.get_header_value("Authorization") + "|" + request.get_param_value("q"), "text/plain");
    });
    server_.Patch("/thing", [](const httplib::Request& request, httplib::Response& response) {
      response.status = 201;
      response.set_content(request.get_header_value("Content-Type") + "|" + request.body, "text/plain");
    });
    server_.Get("/busy", [](const httplib::Request&, httplib::Response& response) {
      response.status = 429;
      response.set_header("Retry-After", "7");
      response.set_content(R"({"kind":"Status","message":"too much"})", "application/json");
    });
    server_.Get("/large", [](const httplib::Request&, httplib::Response& response) {
      response.set_content(std::string(10000, 'x'), "text/plain");
    });
    server_.Get("/slow", [this](const httplib::Request&, httplib::Response&) { slow_.wait(); });
    server_.Get("/stream", [this](const httplib::Request&, httplib::Response& response) {
      response.set_chunked_content_provider("application/json", [this](size_t offset, httplib::DataSink& sink) {
        if (offset == 0) return sink.write("first", 5);
        slow_.wait();
        sink.write("second", 6);
        sink.done();
        return true;
      });
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();  // stopped before, it would never end
    config_.server = "http://127.0.0.1:" + std::to_string(port_);
    config_.token = "t";
  }
  ~CurlClientTest() override {
    slow_.open();
    loop_.stop();
    client_.reset();
    server_.stop();
    thread_.join();
  }

  CurlClient& client() {
    if (!client_) {
      client_ = std::make_unique<CurlClient>(config_, loop_, "test");
      loop_.start();
    }
    return *client_;
  }
  Response send(Request request) {
    std::promise<Response> answer;
    CurlClient& client = this->client();
    loop_.post([&] { client.send(std::move(request), [&](Response response) { answer.set_value(std::move(response)); }); });
    return answer.get_future().get();
  }
  Response get(const std::string& path) {
    Request request;
    request.path = path;
    return send(std::move(request));
  }

  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
  Gate slow_;
  Config config_;
  EventLoop loop_;
  std::unique_ptr<CurlClient> client_;
};

TEST_F(CurlClientTest, BringsTheAnswer) {
  const Response response = get("/hello?q=a%20b");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "Bearer t|a b");
}

TEST_F(CurlClientTest, SendsABody) {
  Request request;
  request.method = "PATCH";
  request.path = "/thing";
  request.body = "{}";
  request.content_type = "application/apply-patch+yaml";
  const Response response = send(std::move(request));
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.body, "application/apply-patch+yaml|{}");
}

TEST_F(CurlClientTest, TellsWhatTheServerSays) {
  const Response response = get("/busy");
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(response.retry_after, 7s);
  EXPECT_EQ(response.text(), "too much (HTTP 429)");
  EXPECT_EQ(get("/absent").text(), "HTTP 404");
}

TEST_F(CurlClientTest, ALongAnswerIsAProblem) {
  Request request;
  request.path = "/large";
  request.max_bytes = 9999;
  const Response response = send(std::move(request));
  EXPECT_EQ(response.status, 0);
  EXPECT_EQ(response.problem, "the answer is too large");
}

TEST_F(CurlClientTest, NobodyWaitsForEver) {
  Request request;
  request.path = "/slow";
  request.timeout = 20ms;
  EXPECT_EQ(send(std::move(request)).problem, "no answer within 0 s");
}

TEST_F(CurlClientTest, AServerThatIsNotThere) {
  config_.server = "http://127.0.0.1:1";
  const Response response = get("/hello");
  EXPECT_EQ(response.status, 0);
  EXPECT_FALSE(response.problem.empty());
}

TEST_F(CurlClientTest, AWatchComesInPieces) {
  std::promise<std::string> first;
  std::promise<std::pair<std::string, Response>> end;
  std::string all;
  CurlClient& client = this->client();
  loop_.post([&] {
    Request request;
    request.path = "/stream";
    client.watch(
        request,
        [&](std::string_view piece) {
          if (all.empty()) first.set_value(std::string(piece));
          all += piece;
        },
        [&](Response response) { end.set_value({all, std::move(response)}); });
  });
  EXPECT_EQ(first.get_future().get(), "first");
  slow_.open();
  const auto [text, response] = end.get_future().get();
  EXPECT_EQ(text, "firstsecond");
  EXPECT_EQ(response.status, 200);
}

TEST_F(CurlClientTest, ACancelledCallIsSilent) {
  std::promise<void> cancelled;
  std::atomic<int> calls = 0;
  CurlClient& client = this->client();
  loop_.post([&] {
    Request request;
    request.path = "/stream";
    auto call = std::make_shared<Client::Call>(0);
    *call = client.watch(
        request,
        [&, call](std::string_view) {
          ++calls;
          client.cancel(*call);  // from within its own callback
          cancelled.set_value();
        },
        [&](Response) { ++calls; });
  });
  cancelled.get_future().get();
  slow_.open();
  EXPECT_EQ(get("/hello").status, 200);
  EXPECT_EQ(calls, 1);
}

TEST_F(CurlClientTest, ARefusedTokenIsReadAgain) {
  std::string pattern = (std::filesystem::temp_directory_path() / "token-XXXXXX").string();
  const std::filesystem::path folder = mkdtemp(pattern.data());
  config_.token_file = folder / "token";
  std::ofstream(config_.token_file) << "old\n";
  server_.Get("/guarded", [](const httplib::Request& request, httplib::Response& response) {
    if (request.get_header_value("Authorization") != "Bearer new") response.status = 401;
  });
  EXPECT_EQ(get("/guarded").status, 401);
  std::ofstream(config_.token_file) << "new\n";
  EXPECT_EQ(get("/guarded").status, 200);
  std::filesystem::remove_all(folder);
  EXPECT_EQ(get("/guarded").status, 200) << "a file that is gone costs nothing";
}

TEST_F(CurlClientTest, AnExecPluginIsAskedAgainWhenRefused) {
  std::string pattern = (std::filesystem::temp_directory_path() / "plugin-XXXXXX").string();
  const std::filesystem::path folder = mkdtemp(pattern.data());
  std::ofstream(folder / "token") << "old";
  ExecPlugin& plugin = config_.exec.emplace();
  plugin.command = "sh";
  plugin.arguments = {"-c", "printf '{\"status\":{\"token\":\"%s\"}}' \"$(cat " + (folder / "token").string() + ")\""};
  server_.Get("/guarded", [](const httplib::Request& request, httplib::Response& response) {
    if (request.get_header_value("Authorization") != "Bearer new") response.status = 401;
  });
  EXPECT_EQ(get("/guarded").status, 401);
  std::ofstream(folder / "token") << "new";
  EXPECT_EQ(get("/guarded").status, 200);
  std::filesystem::remove_all(folder);
  EXPECT_EQ(get("/guarded").status, 200) << "a token that works is kept";
}

TEST_F(CurlClientTest, AProblemWithCredentialsIsTold) {
  config_.token_file = "/nowhere/token";
  const Response response = get("/hello");
  EXPECT_EQ(response.status, 0);
  EXPECT_NE(response.problem.find("/nowhere/token"), std::string::npos);
}

TEST(EventLoopTest, TimersRunInTheirOrder) {
  EventLoop loop;
  std::string order;
  std::promise<void> done;
  loop.post([&] {
    loop.after(2ms, [&] {
      order += 'c';
      done.set_value();
    });
    loop.after(1ms, [&] { order += 'b'; });
    loop.cancel(loop.after(0ms, [&] { order += 'x'; }));
    loop.post([&] { order += 'a'; });
  });
  loop.start();
  done.get_future().get();
  loop.stop();
  EXPECT_EQ(order, "abc");
}

TEST(Escaped, WhatPathsAndQueriesCannotHold) { EXPECT_EQ(escaped("a=b,c!~/ä"), "a%3Db%2Cc%21~%2F%C3%A4"); }

}  // namespace
}  // namespace emissary::kube
