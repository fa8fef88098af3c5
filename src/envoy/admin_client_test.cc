#include "envoy/admin_client.h"

#include <gtest/gtest.h>
#include <httplib.h>

#include <thread>

namespace emissary::envoy {
namespace {

using namespace std::chrono_literals;

TEST(ActiveConnections, OfTrafficOnly) {
  EXPECT_EQ(activeConnections("listener.0.0.0.0_8080.downstream_cx_active: 3\n"
                              "listener.0.0.0.0_8080.worker_0.downstream_cx_active: 1\n"
                              "listener.0.0.0.0_8080.worker_1.downstream_cx_active: 2\n"
                              "listener.admin.downstream_cx_active: 1\n"
                              "listener.admin.main_thread.downstream_cx_active: 1\n"
                              "listener.ambassador-ready.downstream_cx_active: 1\n"
                              "listener.[__]_8443.downstream_cx_active: 4\n"),
            7u);
  EXPECT_EQ(activeConnections(""), 0u);
  EXPECT_EQ(activeConnections("nonsense\nlistener.x.downstream_cx_active: many\n"), 0u);
}

TEST(Ask, BringsStatusAndBody) {
  httplib::Server server;
  server.Get("/a", [](const httplib::Request&, httplib::Response& response) { response.set_content("hello", "text/plain"); });
  server.Post("/b", [](const httplib::Request&, httplib::Response& response) { response.status = 503; });
  const int port = server.bind_to_any_port("127.0.0.1");
  ASSERT_GT(port, 0);
  std::thread thread([&] { server.listen_after_bind(); });
  const auto a = ask("127.0.0.1", static_cast<uint16_t>(port), "GET", "/a", 30s);
  const auto b = ask("127.0.0.1", static_cast<uint16_t>(port), "POST", "/b", 30s);
  const auto small = ask("127.0.0.1", static_cast<uint16_t>(port), "GET", "/a", 30s, 3);
  server.stop();
  thread.join();
  ASSERT_TRUE(a);
  EXPECT_EQ(a->status, 200);
  EXPECT_EQ(a->body, "hello");
  ASSERT_TRUE(b);
  EXPECT_EQ(b->status, 503);
  EXPECT_FALSE(small) << "larger than allowed";
}

TEST(Ask, NothingWhereNobodyListens) {
  httplib::Server unused;
  const int port = unused.bind_to_any_port("127.0.0.1");
  ASSERT_GT(port, 0);
  EXPECT_FALSE(ask("127.0.0.1", static_cast<uint16_t>(port), "GET", "/", 100ms)) << "bound, but nobody answers";
}

}  // namespace
}  // namespace emissary::envoy
